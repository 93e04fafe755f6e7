/* SPDX-License-Identifier: MIT */
/* Fetching a bundle that a person named by its URL. */
#ifndef CVG_TOOLS_FETCH_URL_H
#define CVG_TOOLS_FETCH_URL_H

#include "common/base/buffer.h"

/* GET over https only, PKI checked, at most the buffer's maximum. Nobody is asked about this
 * connection: it is for the person to compare the fingerprint of what comes. */
CVG_MUST_USE enum cvg_error cvg_fetch_url(const char *url, struct cvg_buffer *ret_data,
                                          struct cvg_why *ret_why);

#endif
