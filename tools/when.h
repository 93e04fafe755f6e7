/* SPDX-License-Identifier: MIT */
/* Moments as people write them. */
#ifndef CVG_TOOLS_WHEN_H
#define CVG_TOOLS_WHEN_H

#include <stdbool.h>
#include <stdint.h>

/* "30s", "90m", "1h", "2d", "1w": so long before now_s. "2026-11-23", "2026-11-23T10:00",
 * "2026-11-23 10:00:30": that local time, or UTC with a Z, or with "+01:00". "@1700000000": seconds
 * since the epoch. False for everything else, also for dates that no calendar has. */
bool cvg_when_parse(const char *text, int64_t now_s, int64_t *ret_time_s);

#define CVG_WHEN_HELP "1h, 2d, 1w, or a date like 2026-11-23 or 2026-11-23T10:00 is allowed"

#endif
