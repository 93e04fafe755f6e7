/* SPDX-License-Identifier: MIT */
/* Clocks, behind a small table so that tests and simulations bring their own time. */
#ifndef CVG_BASE_CLOCK_H
#define CVG_BASE_CLOCK_H

#include <stdint.h>

struct cvg_clock {
    uint64_t (*monotonic_ms)(void *user); /* milliseconds from an arbitrary start; never back */
    int64_t (*wall_s)(void *user);        /* seconds since the epoch; may step */
    void *user;
};

/* The system's clocks; static, any thread. */
const struct cvg_clock *cvg_clock_system(void);

static inline uint64_t cvg_clock_ms(const struct cvg_clock *clock)
{
    return clock->monotonic_ms(clock->user);
}

static inline int64_t cvg_clock_wall_s(const struct cvg_clock *clock)
{
    return clock->wall_s(clock->user);
}

#endif
