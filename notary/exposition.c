/* SPDX-License-Identifier: MIT */
/* Names, labels and help of all metrics, and Prometheus' text format. */
#include "notary/exposition.h"

#include <inttypes.h>
#include <string.h>

#include "common/protocol/v2.h"
#include "config.h"

#define PREFIX "converge_notary_"

/* Those of one name stand together, with one help. */
struct counted {
    enum cvg_metric metric;
    const char *name;
    const char *labels; /* between braces; "" for none */
    const char *help;
};

static const struct counted counters[] = {
    {CVG_METRIC_CONNECTIONS, "connections_total", "", "Connections accepted."},
    {CVG_METRIC_CONNECTIONS_REFUSED, "connections_refused_total", "",
     "Connections refused because a limit was reached."},
    {CVG_METRIC_HANDSHAKES, "handshakes_total", "", "TLS handshakes completed."},
    {CVG_METRIC_HANDSHAKES_RESUMED, "handshakes_resumed_total", "",
     "TLS handshakes completed that resumed a session."},
    {CVG_METRIC_HANDSHAKES_FAILED, "handshakes_failed_total", "", "TLS handshakes not completed."},
    {CVG_METRIC_REQUESTS_V1, "requests_total", "protocol=\"v1\"", "Requests by protocol."},
    {CVG_METRIC_REQUESTS_V2, "requests_total", "protocol=\"v2\"", NULL},
    {CVG_METRIC_REQUESTS_OTHER, "requests_total", "protocol=\"other\"", NULL},
    {CVG_METRIC_ANSWERS_2XX, "answers_total", "status=\"2xx\"",
     "Answers by HTTP status; 4xx without 409 and 429."},
    {CVG_METRIC_ANSWERS_3XX, "answers_total", "status=\"3xx\"", NULL},
    {CVG_METRIC_ANSWERS_409, "answers_total", "status=\"409\"", NULL},
    {CVG_METRIC_ANSWERS_429, "answers_total", "status=\"429\"", NULL},
    {CVG_METRIC_ANSWERS_4XX, "answers_total", "status=\"4xx\"", NULL},
    {CVG_METRIC_ANSWERS_5XX, "answers_total", "status=\"5xx\"", NULL},
    {CVG_METRIC_TARGETS_HIT, "targets_total", "from=\"memory\"",
     "Targets asked about, by where the answer came from."},
    {CVG_METRIC_TARGETS_STORE, "targets_total", "from=\"store\"", NULL},
    {CVG_METRIC_TARGETS_MISS, "targets_total", "from=\"probe\"", NULL},
    {CVG_METRIC_PROBES, "probes_total", "", "Probes begun."},
    {CVG_METRIC_PROBES_SEEN, "probe_results_total", "result=\"seen\"", "Probes by how they ended."},
    {CVG_METRIC_PROBES_REFUSED, "probe_results_total", "result=\"refused\"", NULL},
    {CVG_METRIC_PROBES_UNREACHABLE, "probe_results_total", "result=\"unreachable\"", NULL},
    {CVG_METRIC_PROBES_TIMEOUT, "probe_results_total", "result=\"timeout\"", NULL},
    {CVG_METRIC_PROBES_REFRESH, "probes_refresh_total", "", "Probes begun in the background."},
    {CVG_METRIC_OPINIONS_DANE, "opinions_total", "verifier=\"dane\",opinion=\"aside\"",
     "Opinions of verifiers about what probes saw."},
    {CVG_METRIC_OPINIONS_DANE + CVG_V2_OPINION_YES, "opinions_total",
     "verifier=\"dane\",opinion=\"yes\"", NULL},
    {CVG_METRIC_OPINIONS_DANE + CVG_V2_OPINION_NO, "opinions_total",
     "verifier=\"dane\",opinion=\"no\"", NULL},
    {CVG_METRIC_OPINIONS_CT, "opinions_total", "verifier=\"ct\",opinion=\"aside\"", NULL},
    {CVG_METRIC_OPINIONS_CT + CVG_V2_OPINION_YES, "opinions_total",
     "verifier=\"ct\",opinion=\"yes\"", NULL},
    {CVG_METRIC_OPINIONS_CT + CVG_V2_OPINION_NO, "opinions_total", "verifier=\"ct\",opinion=\"no\"",
     NULL},
    {CVG_METRIC_OPINIONS_PINS, "opinions_total", "verifier=\"pins\",opinion=\"aside\"", NULL},
    {CVG_METRIC_OPINIONS_PINS + CVG_V2_OPINION_YES, "opinions_total",
     "verifier=\"pins\",opinion=\"yes\"", NULL},
    {CVG_METRIC_OPINIONS_PINS + CVG_V2_OPINION_NO, "opinions_total",
     "verifier=\"pins\",opinion=\"no\"", NULL},
    {CVG_METRIC_VERIFIERS_LATE, "verifiers_late_total", "",
     "Times that a verifier stood aside because the deadline had passed."},
    {CVG_METRIC_DNS_BOGUS, "dns_bogus_total", "",
     "Answers for DANE that DNSSEC shows to be forged or broken."},
    {CVG_METRIC_TUNNELS, "tunnels_total", "", "Connections relayed."},
    {CVG_METRIC_TUNNEL_OCTETS, "tunnel_bytes_total", "", "Bytes relayed, both ways."},
};

static const struct counted gauges[] = {
    {CVG_METRIC_CONNECTIONS_OPEN, "connections_open", "", "Connections open now."},
    {CVG_METRIC_PROBES_OPEN, "probes_open", "", "Probes under way now."},
    {CVG_METRIC_TARGETS_MEMORY, "targets_in_memory", "", "Targets kept in memory."},
    {CVG_METRIC_TUNNELS_OPEN, "tunnels_open", "", "Relayed connections open now."},
};

static const struct counted store_counters[] = {
    {CVG_METRIC_STORE_WRITTEN, "store_written_total", "", "Records written to the store."},
    {CVG_METRIC_STORE_ERRORS, "store_errors_total", "", "Operations of the store that failed."},
    {CVG_METRIC_STORE_REJECTED, "store_rejected_total", "",
     "Records whose checksum or signature was wrong."},
};

static const struct counted store_gauges[] = {
    {CVG_METRIC_STORE_UP, "store_up", "", "Whether the store can be reached."},
    {CVG_METRIC_STORE_RECORDS, "store_records", "", "Records in the store, where it tells."},
    {CVG_METRIC_STORE_BACKLOG, "store_backlog_bytes", "",
     "Bytes of the journal that the store does not have yet."},
};

static const struct {
    enum cvg_timing timing;
    const char *name;
    const char *labels;
    const char *help;
} histograms[] = {
    {CVG_TIMING_HIT, "answer_duration_seconds", "from=\"memory\"",
     "From when a target was asked about until its answer was there."},
    {CVG_TIMING_MISS, "answer_duration_seconds", "from=\"probe\"", NULL},
    {CVG_TIMING_PROBE, "probe_duration_seconds", "", "From a probe's begin to its end."},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void head(struct cvg_buffer *text, const char *name, const char *type, const char *help)
{
    cvg_buffer_printf(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_counted(const struct cvg_metrics_sum *sum, const struct counted *table,
                        size_t count, const char *type, struct cvg_buffer *text)
{
    for (size_t i = 0; i < count; i++) {
        const struct counted *one = &table[i];
        bool labels = one->labels[0] != '\0';
        if (one->help != NULL)
            cvg_buffer_printf(text, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", one->name,
                              one->help, one->name, type);
        cvg_buffer_printf(text, PREFIX "%s%s%s%s %" PRId64 "\n", one->name, labels ? "{" : "",
                          one->labels, labels ? "}" : "", sum->value[one->metric]);
    }
}

static void put_durations(const struct cvg_durations *durations, const char *name,
                          const char *labels, struct cvg_buffer *text)
{
    const char *comma = labels[0] == '\0' ? "" : ",";
    const char *open = labels[0] == '\0' ? "" : "{", *close = labels[0] == '\0' ? "" : "}";
    uint64_t total = 0;
    for (size_t i = 0; i < CVG_TIMING_BUCKETS; i++) {
        total += durations->bucket[i];
        if (cvg_metrics_bucket_us(i) == UINT64_MAX)
            cvg_buffer_printf(text, PREFIX "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name, labels,
                              comma, total);
        else
            cvg_buffer_printf(text, PREFIX "%s_bucket{%s%sle=\"%.9g\"} %" PRIu64 "\n", name, labels,
                              comma, (double)cvg_metrics_bucket_us(i) / 1e6, total);
    }
    cvg_buffer_printf(text, PREFIX "%s_sum%s%s%s %.6f\n", name, open, labels, close,
                      (double)durations->sum_us / 1e6);
    cvg_buffer_printf(text, PREFIX "%s_count%s%s%s %" PRIu64 "\n", name, open, labels, close,
                      total);
}

static void put_histograms(const struct cvg_metrics_sum *sum, struct cvg_buffer *text)
{
    for (size_t i = 0; i < COUNT(histograms); i++) {
        if (histograms[i].help != NULL)
            cvg_buffer_printf(text, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s histogram\n",
                              histograms[i].name, histograms[i].help, histograms[i].name);
        put_durations(&sum->timing[histograms[i].timing], histograms[i].name, histograms[i].labels,
                      text);
    }
}

static void put_label(struct cvg_buffer *text, const char *name, const char *value)
{
    cvg_buffer_printf(text, "%s=\"", name);
    for (; *value != '\0'; value++) {
        if (*value == '\n')
            cvg_buffer_put_text(text, "\\n");
        else if (*value == '\\' || *value == '"')
            cvg_buffer_printf(text, "\\%c", *value);
        else
            cvg_buffer_put(text, value, 1);
    }
    cvg_buffer_put_text(text, "\"");
}

static void put_about(const struct cvg_status *status, struct cvg_buffer *text)
{
    const struct cvg_about *about = &status->about;
    head(text, PREFIX "build_info", "gauge", "The program's version; always 1.");
    cvg_buffer_put_text(text, PREFIX "build_info{version=\"" VERSION "\"} 1\n");
    head(text, PREFIX "info", "gauge", "Who this notary is; always 1.");
    cvg_buffer_put_text(text, PREFIX "info{");
    put_label(text, "name", about->name);
    cvg_buffer_put_text(text, ",");
    put_label(text, "region", about->region);
    cvg_buffer_put_text(text, ",");
    put_label(text, "operator", about->operator_name);
    cvg_buffer_put_text(text, ",");
    put_label(text, "store", status->store == NULL ? "none" : status->store);
    cvg_buffer_put_text(text, "} 1\n");
}

static void put_gauge(struct cvg_buffer *text, const char *name, const char *help, double value)
{
    head(text, name, "gauge", help);
    cvg_buffer_printf(text, "%s %.15g\n", name, value);
}

static void put_state(const struct cvg_status *status, struct cvg_buffer *text)
{
    put_gauge(text, PREFIX "workers", "Threads that serve.", status->workers);
    put_gauge(text, PREFIX "workers_answering", "Threads that serve and answer the main one.",
              status->workers_answering);
    put_gauge(text, PREFIX "ending", "Whether the notary takes no new connections any more.",
              status->ending);
    put_gauge(text, PREFIX "hit_ratio", "Share of targets answered from memory since the start.",
              cvg_status_hit_ratio(&status->sum));
    if (status->about.not_after_s != 0)
        put_gauge(text, PREFIX "certificate_expiry_timestamp_seconds",
                  "When the TLS certificate ends, in Unix time.",
                  (double)status->about.not_after_s);
    if (status->about.not_after_s != 0)
        put_gauge(text, PREFIX "certificate_days_left", "Days until the TLS certificate ends.",
                  (double)(status->about.not_after_s - status->now_s) / 86400);
}

/* Under the names that Prometheus' own libraries use. */
static void put_process(const struct cvg_status *status, struct cvg_buffer *text)
{
    const struct cvg_process *process = &status->process;
    put_gauge(text, "process_start_time_seconds", "When the process began, in Unix time.",
              (double)status->started_s);
    if (process->cpu_s >= 0) {
        head(text, "process_cpu_seconds_total", "counter", "CPU time used, user and system.");
        cvg_buffer_printf(text, "process_cpu_seconds_total %.6f\n", process->cpu_s);
    }
    if (process->resident_octets >= 0)
        put_gauge(text, "process_resident_memory_bytes", "Memory resident.",
                  (double)process->resident_octets);
    if (process->descriptors >= 0)
        put_gauge(text, "process_open_fds", "File descriptors open.", (double)process->descriptors);
    if (process->descriptors_max >= 0)
        put_gauge(text, "process_max_fds", "File descriptors allowed.",
                  (double)process->descriptors_max);
}

enum cvg_error cvg_exposition_write(const struct cvg_status *status, struct cvg_buffer *ret_text)
{
    const struct cvg_metrics_sum *sum = &status->sum;
    put_about(status, ret_text);
    put_state(status, ret_text);
    put_counted(sum, counters, COUNT(counters), "counter", ret_text);
    put_counted(sum, gauges, COUNT(gauges), "gauge", ret_text);
    if (status->store != NULL) {
        put_counted(sum, store_counters, COUNT(store_counters), "counter", ret_text);
        put_counted(sum, store_gauges, COUNT(store_gauges), "gauge", ret_text);
        put_gauge(ret_text, PREFIX "store_full",
                  "Whether the journal has reached its bound, and nothing new is looked at.",
                  status->store_full);
    }
    put_histograms(sum, ret_text);
    put_process(status, ret_text);
    return cvg_buffer_error(ret_text);
}
