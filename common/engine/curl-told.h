/* SPDX-License-Identifier: MIT */
/* What libcurl and a notary's header say of an exchange that is over: date and timing. */
#ifndef CVG_ENGINE_CURL_TOLD_H
#define CVG_ENGINE_CURL_TOLD_H

#include <curl/curl.h>
#include <stdint.h>

#include "common/engine/transport.h"

/* What the notary's clock said when it answered, in seconds since the epoch; untouched if it did
 * not say. */
void cvg_curl_date(CURL *curl, int64_t *ret_date_s);

void cvg_curl_timing(CURL *curl, struct cvg_timing *ret_timing);

#endif
