/* SPDX-License-Identifier: MIT */
/* For tests: a clock that stands still until it is set. */
#ifndef CVG_TESTS_FAKE_CLOCK_H
#define CVG_TESTS_FAKE_CLOCK_H

#include "common/base/clock.h"

struct fake_clock {
    struct cvg_clock clock;
    uint64_t ms;
    int64_t wall_s;
};

static inline uint64_t fake_clock_ms(void *user)
{
    return ((const struct fake_clock *)user)->ms;
}

static inline int64_t fake_clock_wall_s(void *user)
{
    return ((const struct fake_clock *)user)->wall_s;
}

static inline void fake_clock_init(struct fake_clock *fake)
{
    *fake = (struct fake_clock){
        .clock = {fake_clock_ms, fake_clock_wall_s, fake}, .ms = 1000, .wall_s = 1700000000};
}

#endif
