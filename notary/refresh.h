/* SPDX-License-Identifier: MIT */
/* When targets that are in use are looked at again though nobody asks just then, and when targets
 * that nobody asks about are forgotten. Each loop walks its own share of memory's shards, a little
 * at every tick. */
#ifndef CVG_NOTARY_REFRESH_H
#define CVG_NOTARY_REFRESH_H

#include "notary/inquiry.h"

/* The instant at which something that was seen age_s ago is looked at again: between half and three
 * quarters of the greatest age after it was seen, drawn by a number that nobody outside knows, so
 * that targets that came together do not stay together. Pure. */
uint64_t cvg_refresh_at_ms(uint64_t now_ms, int64_t age_s, uint64_t max_age_s, uint64_t draw);

/* How long until a target that could not be looked at is looked at again. Pure. */
uint64_t cvg_refresh_retry_ms(const struct cvg_inquiry_limits *limits);

struct cvg_refresh_limits {
    uint64_t max_age_s;
    uint64_t idle_s;         /* not used for so long: not looked at any more */
    uint64_t forget_after_s; /* not seen for so long: forgotten */
    size_t max_flights;      /* of this loop that may be under way when another begins */
};

struct cvg_refresher;

/* Of share (0 ...) of so many shares. All is borrowed. */
CVG_MUST_USE enum cvg_error cvg_refresher_new(struct cvg_inquirer *inquirer,
                                              struct cvg_memory *memory,
                                              const struct cvg_clock *clock, size_t share,
                                              size_t shares, struct cvg_refresher **ret_refresher);
void cvg_refresher_free(struct cvg_refresher *refresher); /* NULL is allowed */
void cvg_refresher_set(struct cvg_refresher *refresher, const struct cvg_refresh_limits *limits);

/* One step; to be called CVG_REFRESH_TICK_MS after the last. */
#define CVG_REFRESH_TICK_MS 250
void cvg_refresher_tick(struct cvg_refresher *refresher);

#endif
