/* SPDX-License-Identifier: MIT */
/* The charts of the status page, an hour wide and with now at the right: 360 by 60 units.
 *   chart.requests.line, chart.requests.area  the data of an SVG path
 *   chart.requests.top                        the highest value
 *   chart.requests.now                        the last minute's
 * Pure; any thread. */
#ifndef CVG_NOTARY_PAGE_CHART_H
#define CVG_NOTARY_PAGE_CHART_H

#include "notary/page-places.h"

/* As cvg_page_place. */
enum cvg_error cvg_page_chart(const struct cvg_page_data *data, const char *name, size_t len,
                              struct cvg_buffer *ret_text);

#endif
