/* SPDX-License-Identifier: MIT */
/* What is counted. */
#include "notary/metrics.h"

#define FIRST_BUCKET_US UINT64_C(16)

void cvg_metrics_time(struct cvg_metrics *metrics, enum cvg_timing timing, uint64_t us)
{
    struct cvg_histogram *histogram = &metrics->timing[timing];
    size_t bucket = 0;
    while (bucket + 1 < CVG_TIMING_BUCKETS && us > FIRST_BUCKET_US << bucket)
        bucket++;
    atomic_fetch_add_explicit(&histogram->bucket[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum_us, us, memory_order_relaxed);
}
