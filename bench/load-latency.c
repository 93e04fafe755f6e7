/* SPDX-License-Identifier: MIT */
/* A histogram of durations with three per cent of resolution. */
#include "bench/load.h"

#define STEPS 32

/* Values below STEPS have a bucket each; above, STEPS buckets to a power of two. */
static size_t bucket_of(uint64_t ns)
{
    unsigned shift = 0;
    while (ns >> shift >= 2 * STEPS)
        shift++;
    return shift == 0 ? (size_t)ns : (size_t)shift * STEPS + (size_t)(ns >> shift);
}

static uint64_t value_of(size_t bucket)
{
    if (bucket < 2 * STEPS)
        return bucket;
    size_t shift = bucket / STEPS - 1;
    return (uint64_t)(bucket - shift * STEPS) << shift;
}

void load_latency_add(struct load_latency *latency, uint64_t ns)
{
    latency->count++;
    latency->bucket[bucket_of(ns)]++;
}

uint64_t load_latency_at(const struct load_latency *latency, double share)
{
    uint64_t wanted = (uint64_t)((double)latency->count * share), seen = 0;
    for (size_t i = 0; i < sizeof(latency->bucket) / sizeof(latency->bucket[0]); i++) {
        seen += latency->bucket[i];
        if (seen > wanted)
            return value_of(i);
    }
    return 0;
}
