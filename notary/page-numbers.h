/* SPDX-License-Identifier: MIT */
/* The places of the status page that are plain numbers:
 *   requests_v1, requests_v1.recent  a metric, since the start and recently
 *   hit.p50, hit.count               durations, recently
 * Pure; any thread. */
#ifndef CVG_NOTARY_PAGE_NUMBERS_H
#define CVG_NOTARY_PAGE_NUMBERS_H

#include "notary/page-places.h"

/* As cvg_page_place. */
enum cvg_error cvg_page_number(const struct cvg_page_data *data, const char *name, size_t len,
                               struct cvg_buffer *ret_text);

#endif
