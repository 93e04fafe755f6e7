/* SPDX-License-Identifier: MIT */
/* Metrics and durations on the status page. */
#include "notary/page-numbers.h"

#include <string.h>

#include "notary/page-text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *name;
    enum cvg_metric metric;
} metrics[] = {
    {"connections", CVG_METRIC_CONNECTIONS},
    {"connections_open", CVG_METRIC_CONNECTIONS_OPEN},
    {"connections_refused", CVG_METRIC_CONNECTIONS_REFUSED},
    {"handshakes", CVG_METRIC_HANDSHAKES},
    {"handshakes_resumed", CVG_METRIC_HANDSHAKES_RESUMED},
    {"handshakes_failed", CVG_METRIC_HANDSHAKES_FAILED},
    {"requests_v1", CVG_METRIC_REQUESTS_V1},
    {"requests_v2", CVG_METRIC_REQUESTS_V2},
    {"requests_other", CVG_METRIC_REQUESTS_OTHER},
    {"answers_2xx", CVG_METRIC_ANSWERS_2XX},
    {"answers_3xx", CVG_METRIC_ANSWERS_3XX},
    {"answers_4xx", CVG_METRIC_ANSWERS_4XX},
    {"answers_409", CVG_METRIC_ANSWERS_409},
    {"answers_429", CVG_METRIC_ANSWERS_429},
    {"answers_5xx", CVG_METRIC_ANSWERS_5XX},
    {"targets_hit", CVG_METRIC_TARGETS_HIT},
    {"targets_store", CVG_METRIC_TARGETS_STORE},
    {"targets_miss", CVG_METRIC_TARGETS_MISS},
    {"targets_memory", CVG_METRIC_TARGETS_MEMORY},
    {"probes", CVG_METRIC_PROBES},
    {"probes_open", CVG_METRIC_PROBES_OPEN},
    {"probes_seen", CVG_METRIC_PROBES_SEEN},
    {"probes_refused", CVG_METRIC_PROBES_REFUSED},
    {"probes_unreachable", CVG_METRIC_PROBES_UNREACHABLE},
    {"probes_timeout", CVG_METRIC_PROBES_TIMEOUT},
    {"probes_refresh", CVG_METRIC_PROBES_REFRESH},
    {"store_records", CVG_METRIC_STORE_RECORDS},
    {"store_written", CVG_METRIC_STORE_WRITTEN},
    {"store_errors", CVG_METRIC_STORE_ERRORS},
    {"store_rejected", CVG_METRIC_STORE_REJECTED},
    {"tunnels", CVG_METRIC_TUNNELS},
    {"tunnels_open", CVG_METRIC_TUNNELS_OPEN},
};

static const struct {
    const char *name;
    enum cvg_timing timing;
} timings[] = {
    {"hit", CVG_TIMING_HIT},
    {"miss", CVG_TIMING_MISS},
    {"probe", CVG_TIMING_PROBE},
};

static const struct {
    const char *name;
    double share;
} quantiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}};

static bool is(const char *name, size_t len, const char *expected)
{
    return strlen(expected) == len && memcmp(name, expected, len) == 0;
}

static enum cvg_error put_metric(const struct cvg_metrics_sum *sum, const char *name, size_t len,
                                 struct cvg_buffer *text)
{
    for (size_t i = 0; i < COUNT(metrics); i++)
        if (is(name, len, metrics[i].name)) {
            cvg_text_count(text, sum->value[metrics[i].metric]);
            return CVG_OK;
        }
    return CVG_ERR_NOT_FOUND;
}

static enum cvg_error put_durations(const struct cvg_durations *durations, const char *name,
                                    size_t len, struct cvg_buffer *text)
{
    if (is(name, len, "count")) {
        cvg_text_count(text, (int64_t)cvg_durations_count(durations));
        return CVG_OK;
    }
    for (size_t i = 0; i < COUNT(quantiles); i++)
        if (is(name, len, quantiles[i].name)) {
            cvg_text_duration(text, cvg_durations_quantile_us(durations, quantiles[i].share));
            return CVG_OK;
        }
    return CVG_ERR_NOT_FOUND;
}

enum cvg_error cvg_page_number(const struct cvg_page_data *data, const char *name, size_t len,
                               struct cvg_buffer *ret_text)
{
    const char *dot = memchr(name, '.', len);
    if (dot == NULL)
        return put_metric(&data->status->sum, name, len, ret_text);
    size_t first = (size_t)(dot - name);
    if (is(dot + 1, len - first - 1, "recent"))
        return put_metric(&data->recent, name, first, ret_text);
    for (size_t i = 0; i < COUNT(timings); i++)
        if (is(name, first, timings[i].name))
            return put_durations(&data->recent.timing[timings[i].timing], dot + 1, len - first - 1,
                                 ret_text);
    return CVG_ERR_NOT_FOUND;
}
