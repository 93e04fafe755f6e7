/* SPDX-License-Identifier: MIT */
/* The system's clocks behind the table. */
#include "common/base/clock.h"

#include "common/base/attr.h"

#include <stddef.h>
#include <time.h>

static uint64_t system_monotonic_ms(void *user CVG_UNUSED)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int64_t system_wall_s(void *user CVG_UNUSED)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec;
}

const struct cvg_clock *cvg_clock_system(void)
{
    static const struct cvg_clock clock = {system_monotonic_ms, system_wall_s, NULL};

    return &clock;
}
