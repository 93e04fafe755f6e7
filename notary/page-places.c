/* SPDX-License-Identifier: MIT */
/* The places of the status page that are texts of their own, and the way to the others. */
#include "notary/page-places.h"

#include <string.h>

#include "config.h"
#include "notary/page-chart.h"
#include "notary/page-numbers.h"
#include "notary/page-text.h"

#define SECONDS_PER_DAY 86400

static void put_name(const struct cvg_page_data *data, struct cvg_buffer *text)
{
    cvg_buffer_put_text(text, data->status->about.name);
}

static const char *or_none(const char *value)
{
    return value[0] == '\0' ? "not given" : value;
}

static void put_region(const struct cvg_page_data *data, struct cvg_buffer *text)
{
    cvg_buffer_put_text(text, or_none(data->status->about.region));
}

static void put_operator(const struct cvg_page_data *data, struct cvg_buffer *text)
{
    cvg_buffer_put_text(text, or_none(data->status->about.operator_name));
}

static void put_fingerprint(const struct cvg_page_data *data, struct cvg_buffer *text)
{
    cvg_buffer_put_text(text, data->status->about.fingerprint);
}

static void put_certificate_until(const struct cvg_page_data *data, struct cvg_buffer *text)
{
    cvg_text_instant(text, data->status->about.not_after_s);
}

static void put_certificate_left(const struct cvg_page_data *data, struct cvg_buffer *text)
{
    const struct cvg_status *status = data->status;
    if (status->about.not_after_s == 0)
        cvg_buffer_put_text(text, "not known");
    else
        cvg_text_count(text, (status->about.not_after_s - status->now_s) / SECONDS_PER_DAY);
}

static void put_health(const struct cvg_page_data *data, struct cvg_buffer *text)
{
    (void)cvg_status_health(data->status, text);
    if (cvg_buffer_error(text) == CVG_OK)
        text->data[--text->len] = '\0'; /* its newline */
}

/* The first word of the health: it is a class in the template's style. */
static void put_health_class(const struct cvg_page_data *data, struct cvg_buffer *text)
{
    put_health(data, text);
    const uint8_t *colon = text->len == 0 ? NULL : memchr(text->data, ':', text->len);
    if (colon != NULL)
        text->len = (size_t)(colon - text->data);
}

static void put_version(const struct cvg_page_data *data, struct cvg_buffer *text)
{
    (void)data;
    cvg_buffer_put_text(text, VERSION);
}

static void put_uptime(const struct cvg_page_data *data, struct cvg_buffer *text)
{
    cvg_text_span(text, data->status->now_s - data->status->started_s);
}

static void put_started(const struct cvg_page_data *data, struct cvg_buffer *text)
{
    cvg_text_instant(text, data->status->started_s);
}

static void put_now(const struct cvg_page_data *data, struct cvg_buffer *text)
{
    cvg_text_instant(text, data->status->now_s);
}

static void put_recent(const struct cvg_page_data *data, struct cvg_buffer *text)
{
    if (cvg_history_steps(data->history) == CVG_HISTORY_STEPS)
        cvg_buffer_put_text(text, "last hour");
    else {
        cvg_buffer_put_text(text, "last ");
        cvg_text_span(text, (int64_t)(data->recent_ms / 1000));
    }
}

static void put_hit_share(const struct cvg_page_data *data, struct cvg_buffer *text)
{
    const int64_t *value = data->recent.value;
    cvg_text_share(text, value[CVG_METRIC_TARGETS_HIT],
                   value[CVG_METRIC_TARGETS_HIT] + value[CVG_METRIC_TARGETS_STORE] +
                       value[CVG_METRIC_TARGETS_MISS]);
}

static void put_store(const struct cvg_page_data *data, struct cvg_buffer *text)
{
    cvg_buffer_put_text(text, data->status->store == NULL ? "memory only" : data->status->store);
}

static void put_store_state(const struct cvg_page_data *data, struct cvg_buffer *text)
{
    const struct cvg_status *status = data->status;
    cvg_buffer_put_text(text, status->store == NULL                         ? "none configured"
                              : status->store_full                          ? "journal full"
                              : status->sum.value[CVG_METRIC_STORE_UP] == 0 ? "away"
                                                                            : "up");
}

static void put_store_backlog(const struct cvg_page_data *data, struct cvg_buffer *text)
{
    cvg_text_octets(text, data->status->sum.value[CVG_METRIC_STORE_BACKLOG]);
}

static void put_tunnel_octets(const struct cvg_page_data *data, struct cvg_buffer *text)
{
    cvg_text_octets(text, data->status->sum.value[CVG_METRIC_TUNNEL_OCTETS]);
}

static void put_tunnel_octets_recent(const struct cvg_page_data *data, struct cvg_buffer *text)
{
    cvg_text_octets(text, data->recent.value[CVG_METRIC_TUNNEL_OCTETS]);
}

static void put_workers(const struct cvg_page_data *data, struct cvg_buffer *text)
{
    cvg_buffer_printf(text, "%u of %u", data->status->workers_answering, data->status->workers);
}

static void put_memory(const struct cvg_page_data *data, struct cvg_buffer *text)
{
    cvg_text_octets(text, data->status->process.resident_octets);
}

static void put_cpu(const struct cvg_page_data *data, struct cvg_buffer *text)
{
    if (data->status->process.cpu_s < 0)
        cvg_buffer_put_text(text, "not known");
    else
        cvg_text_span(text, (int64_t)data->status->process.cpu_s);
}

static void put_descriptors(const struct cvg_page_data *data, struct cvg_buffer *text)
{
    const struct cvg_process *process = &data->status->process;
    if (process->descriptors < 0) {
        cvg_buffer_put_text(text, "not known");
        return;
    }
    cvg_text_count(text, process->descriptors);
    if (process->descriptors_max >= 0) {
        cvg_buffer_put_text(text, " of ");
        cvg_text_count(text, process->descriptors_max);
    }
}

static void put_hidden_store(const struct cvg_page_data *data, struct cvg_buffer *text)
{
    cvg_buffer_put_text(text, data->status->store == NULL ? "hidden" : "");
}

static void put_hidden_bundle(const struct cvg_page_data *data, struct cvg_buffer *text)
{
    cvg_buffer_put_text(text, data->status->has_bundle ? "" : "hidden");
}

static void put_hidden_bundle_v1(const struct cvg_page_data *data, struct cvg_buffer *text)
{
    cvg_buffer_put_text(text, data->status->has_bundle_v1 ? "" : "hidden");
}

static const struct {
    const char *name;
    void (*put)(const struct cvg_page_data *data, struct cvg_buffer *text);
} texts[] = {
    {"name", put_name},
    {"region", put_region},
    {"operator", put_operator},
    {"fingerprint", put_fingerprint},
    {"certificate.until", put_certificate_until},
    {"certificate.left", put_certificate_left},
    {"health", put_health},
    {"health.class", put_health_class},
    {"version", put_version},
    {"uptime", put_uptime},
    {"started", put_started},
    {"now", put_now},
    {"recent", put_recent},
    {"hit.share", put_hit_share},
    {"store", put_store},
    {"store.state", put_store_state},
    {"store.backlog", put_store_backlog},
    {"tunnel_octets", put_tunnel_octets},
    {"tunnel_octets.recent", put_tunnel_octets_recent},
    {"workers", put_workers},
    {"memory", put_memory},
    {"cpu", put_cpu},
    {"descriptors", put_descriptors},
    {"hidden.store", put_hidden_store},
    {"hidden.bundle", put_hidden_bundle},
    {"hidden.bundle_v1", put_hidden_bundle_v1},
};

static enum cvg_error text_place(const struct cvg_page_data *data, const char *name, size_t len,
                                 struct cvg_buffer *ret_text)
{
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (strlen(texts[i].name) == len && memcmp(texts[i].name, name, len) == 0) {
            texts[i].put(data, ret_text);
            return CVG_OK;
        }
    return CVG_ERR_NOT_FOUND;
}

enum cvg_error cvg_page_place(const struct cvg_page_data *data, const char *name, size_t len,
                              struct cvg_buffer *ret_text)
{
    enum cvg_error err = text_place(data, name, len, ret_text);
    if (err == CVG_ERR_NOT_FOUND)
        err = cvg_page_number(data, name, len, ret_text);
    if (err == CVG_ERR_NOT_FOUND)
        err = cvg_page_chart(data, name, len, ret_text);
    return err;
}
