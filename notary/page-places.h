/* SPDX-License-Identifier: MIT */
/* What the places of the status page stand for. Pure; any thread. */
#ifndef CVG_NOTARY_PAGE_PLACES_H
#define CVG_NOTARY_PAGE_PLACES_H

#include "notary/history.h"
#include "notary/status.h"

struct cvg_page_data {
    const struct cvg_status *status;
    const struct cvg_history *history;
    struct cvg_metrics_sum recent; /* counted during the last hour, or since the start */
    uint64_t recent_ms;            /* how long that is */
};

/* Appends what belongs in the place, not escaped. NOT_FOUND: there is none of that name. */
enum cvg_error cvg_page_place(const struct cvg_page_data *data, const char *name, size_t len,
                              struct cvg_buffer *ret_text);

#endif
