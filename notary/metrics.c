/* SPDX-License-Identifier: MIT */
/* What is counted. */
#include "notary/metrics.h"

#define FIRST_BUCKET_US UINT64_C(16)

uint64_t cvg_metrics_bucket_us(size_t bucket)
{
    return bucket + 1 < CVG_TIMING_BUCKETS ? FIRST_BUCKET_US << bucket : UINT64_MAX;
}

void cvg_metrics_time(struct cvg_metrics *metrics, enum cvg_timing timing, uint64_t us)
{
    struct cvg_histogram *histogram = &metrics->timing[timing];
    size_t bucket = 0;
    while (us > cvg_metrics_bucket_us(bucket))
        bucket++;
    atomic_fetch_add_explicit(&histogram->bucket[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum_us, us, memory_order_relaxed);
}

void cvg_metrics_add_up(const struct cvg_metrics *metrics, struct cvg_metrics_sum *sum)
{
    for (size_t i = 0; i < CVG_METRICS_COUNT; i++)
        sum->value[i] += atomic_load_explicit(&metrics->value[i], memory_order_relaxed);
    for (size_t i = 0; i < CVG_TIMINGS_COUNT; i++) {
        const struct cvg_histogram *histogram = &metrics->timing[i];
        struct cvg_durations *durations = &sum->timing[i];
        for (size_t j = 0; j < CVG_TIMING_BUCKETS; j++)
            durations->bucket[j] +=
                atomic_load_explicit(&histogram->bucket[j], memory_order_relaxed);
        durations->sum_us += atomic_load_explicit(&histogram->sum_us, memory_order_relaxed);
    }
}

uint64_t cvg_durations_count(const struct cvg_durations *durations)
{
    uint64_t count = 0;
    for (size_t i = 0; i < CVG_TIMING_BUCKETS; i++)
        count += durations->bucket[i];
    return count;
}

uint64_t cvg_durations_quantile_us(const struct cvg_durations *durations, double share)
{
    double rank = share * (double)cvg_durations_count(durations);
    uint64_t before = 0, below_us = 0;
    for (size_t i = 0; i < CVG_TIMING_BUCKETS; i++) {
        uint64_t here = durations->bucket[i], upper_us = cvg_metrics_bucket_us(i);
        if (here > 0 && (double)(before + here) >= rank)
            return upper_us == UINT64_MAX
                       ? below_us
                       : below_us + (uint64_t)((double)(upper_us - below_us) *
                                               (rank - (double)before) / (double)here);
        before += here;
        below_us = upper_us;
    }
    return 0;
}
