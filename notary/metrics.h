/* SPDX-License-Identifier: MIT */
/* What is counted, for /metrics and the status page. Any thread, without locks. */
#ifndef CVG_NOTARY_METRICS_H
#define CVG_NOTARY_METRICS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* One counter or gauge each; their names, labels and help stand in exposition.c. */
enum cvg_metric {
    CVG_METRIC_CONNECTIONS = 0, /* accepted */
    CVG_METRIC_CONNECTIONS_OPEN,
    CVG_METRIC_CONNECTIONS_REFUSED, /* over a limit: told so, or closed */
    CVG_METRIC_HANDSHAKES,          /* completed, resumed ones included */
    CVG_METRIC_HANDSHAKES_RESUMED,
    CVG_METRIC_HANDSHAKES_FAILED,
    CVG_METRIC_REQUESTS_V1,
    CVG_METRIC_REQUESTS_V2,
    CVG_METRIC_REQUESTS_OTHER,
    CVG_METRIC_ANSWERS_2XX,
    CVG_METRIC_ANSWERS_3XX,
    CVG_METRIC_ANSWERS_4XX, /* but 409 and 429 */
    CVG_METRIC_ANSWERS_409,
    CVG_METRIC_ANSWERS_429,
    CVG_METRIC_ANSWERS_5XX,
    CVG_METRIC_TARGETS_HIT,   /* asked for, and answered from memory */
    CVG_METRIC_TARGETS_STORE, /* ... after a look into the store */
    CVG_METRIC_TARGETS_MISS,  /* ... after a probe */
    CVG_METRIC_PROBES,
    CVG_METRIC_PROBES_OPEN,
    CVG_METRIC_PROBES_SEEN,
    CVG_METRIC_PROBES_REFUSED,
    CVG_METRIC_PROBES_UNREACHABLE,
    CVG_METRIC_PROBES_TIMEOUT,
    CVG_METRIC_PROBES_REFRESH, /* begun in the background */
    CVG_METRIC_OPINIONS_DANE,  /* verifiers' opinions of a sighting: each with
                                  enum cvg_v2_opinion added */
    CVG_METRIC_OPINIONS_CT = CVG_METRIC_OPINIONS_DANE + 3,
    CVG_METRIC_OPINIONS_PINS = CVG_METRIC_OPINIONS_CT + 3,
    CVG_METRIC_VERIFIERS_LATE = CVG_METRIC_OPINIONS_PINS + 3, /* stood aside at the deadline */
    CVG_METRIC_DNS_BOGUS, /* answers for DANE that DNSSEC shows to be forged */
    CVG_METRIC_TARGETS_MEMORY,
    CVG_METRIC_STORE_UP,
    CVG_METRIC_STORE_RECORDS,
    CVG_METRIC_STORE_BACKLOG, /* octets of the journal that the store does not have */
    CVG_METRIC_STORE_WRITTEN,
    CVG_METRIC_STORE_ERRORS,
    CVG_METRIC_STORE_REJECTED, /* records that failed checksum or signature */
    CVG_METRIC_TUNNELS,        /* joined */
    CVG_METRIC_TUNNELS_OPEN,
    CVG_METRIC_TUNNEL_OCTETS,
    CVG_METRICS_COUNT
};

/* Durations, in buckets that double from 16 us on; the last one has no upper bound. HIT and MISS: a
 * target's, from when it was asked about until its answer was there, without and with a probe. */
enum cvg_timing { CVG_TIMING_HIT = 0, CVG_TIMING_MISS, CVG_TIMING_PROBE, CVG_TIMINGS_COUNT };

#define CVG_TIMING_BUCKETS 24

struct cvg_histogram {
    atomic_uint_fast64_t bucket[CVG_TIMING_BUCKETS];
    atomic_uint_fast64_t sum_us;
};

/* One a thread that counts much; they are added up when somebody looks. */
struct cvg_metrics {
    atomic_int_fast64_t value[CVG_METRICS_COUNT];
    struct cvg_histogram timing[CVG_TIMINGS_COUNT];
};

static inline void cvg_metrics_add(struct cvg_metrics *metrics, enum cvg_metric metric, int64_t n)
{
    atomic_fetch_add_explicit(&metrics->value[metric], n, memory_order_relaxed);
}

static inline void cvg_metrics_set(struct cvg_metrics *metrics, enum cvg_metric metric, int64_t n)
{
    atomic_store_explicit(&metrics->value[metric], n, memory_order_relaxed);
}

void cvg_metrics_time(struct cvg_metrics *metrics, enum cvg_timing timing, uint64_t us);

/* What several have counted, added up. */
struct cvg_durations {
    uint64_t bucket[CVG_TIMING_BUCKETS];
    uint64_t sum_us;
};

struct cvg_metrics_sum {
    int64_t value[CVG_METRICS_COUNT];
    struct cvg_durations timing[CVG_TIMINGS_COUNT];
};

void cvg_metrics_add_up(const struct cvg_metrics *metrics, struct cvg_metrics_sum *sum);

/* The longest duration of a bucket; UINT64_MAX for the last. */
uint64_t cvg_metrics_bucket_us(size_t bucket);

uint64_t cvg_durations_count(const struct cvg_durations *durations);
/* The duration that the given share of all do not exceed, as near as the buckets tell: by a
 * straight line within one. 0: there are none. */
uint64_t cvg_durations_quantile_us(const struct cvg_durations *durations, double share);

#endif
