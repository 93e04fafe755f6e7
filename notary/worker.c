/* SPDX-License-Identifier: MIT */
/* One loop with everything it serves with: making it, running it, changing its settings, ending. */
#include "notary/worker.h"

#include <stdlib.h>

#include "common/base/log.h"
#include "notary/connection.h"
#include "notary/listener.h"
#include "notary/relay.h"
#include "notary/store-gdbm.h"

#define SAVE_MS  1000
#define SYNC_MS  30000 /* kill -9 loses nothing that is saved; this is for the machine's end */
#define DRAIN_MS 5000

/* Spreads the settings to all who have a copy. */
static void apply(struct cvg_worker *worker)
{
    const struct cvg_settings *settings = &worker->settings;
    const struct cvg_inquiry_limits limits = {
        .max_age_s = settings->max_observation_age_s,
        .interval_ms = settings->probe_interval_ms,
        .max_flights = settings->max_probes,
    };
    const struct cvg_budget_limits budgets = {
        .connections = settings->connections_per_network,
        .queries_per_minute = settings->queries_per_minute,
        .probes_per_minute = settings->probes_per_minute,
        .target_probes_per_minute = settings->target_probes_per_minute,
    };
    worker->prober = (struct cvg_prober){
        .loop = &worker->loop,
        .looker = worker->looker,
        .resolver = worker->resolver,
        .filter = worker->filter,
        .budget = worker->budget,
        .timeout_ms = settings->probe_timeout_ms,
    };
    worker->answerer = (struct cvg_answerer){
        .identity = worker->identity,
        .clock = worker->clock,
        .max_age_s = settings->max_observation_age_s,
    };
    cvg_budget_set(worker->budget, &budgets);
    cvg_memory_set_max(worker->memory, settings->max_targets);
    cvg_inquirer_set(worker->inquirer, &limits);
}

/* The parts that settings alone make. */
struct parts {
    struct cvg_filter *filter;
    struct cvg_hosts *hosts;
    struct cvg_dns *dns;
};

static enum cvg_error load_parts(struct cvg_worker *worker, const struct cvg_settings *settings,
                                 struct parts *ret_parts, struct cvg_why *why)
{
    struct parts parts = {.filter = NULL};
    enum cvg_error err = cvg_filter_new(settings, &parts.filter);
    if (err != CVG_OK)
        return cvg_fail(why, err, "the interfaces' addresses cannot be read");
    err = cvg_hosts_load(settings->hosts, &parts.hosts, why);
    if (err == CVG_OK)
        err = cvg_dns_new(&worker->loop, settings, &parts.dns, why);
    if (err != CVG_OK) {
        cvg_hosts_free(parts.hosts);
        cvg_filter_free(parts.filter);
        return err;
    }
    *ret_parts = parts;
    return CVG_OK;
}

static void take_parts(struct cvg_worker *worker, const struct parts *parts)
{
    if (worker->filter == NULL) {
        worker->filter = parts->filter;
    } else {
        cvg_filter_copy(parts->filter, worker->filter);
        cvg_filter_free(parts->filter);
    }
    cvg_resolver_set_hosts(worker->resolver, parts->hosts);
    cvg_resolver_set_dns(worker->resolver, parts->dns);
}

static enum cvg_error make_parts(struct cvg_worker *worker, struct cvg_why *why)
{
    struct parts parts;
    enum cvg_error err = cvg_resolver_new(&worker->loop, &worker->resolver);
    if (err == CVG_OK)
        err = load_parts(worker, &worker->settings, &parts, why);
    if (err == CVG_OK)
        take_parts(worker, &parts);
    if (err == CVG_OK)
        err = cvg_looker_new(&worker->loop, &worker->looker);
    if (err == CVG_OK)
        err = cvg_connections_init(worker);
    if (err == CVG_OK)
        err = cvg_budget_new(&worker->budget);
    if (err == CVG_OK)
        err = cvg_memory_new(worker->settings.max_targets, &worker->memory);
    if (err == CVG_OK)
        err = cvg_inquirer_new(&worker->prober, worker->memory, worker->budget, worker->clock,
                               &worker->inquirer);
    return err;
}

static void on_hangup(uv_signal_t *handle, int number)
{
    struct cvg_worker *worker = handle->data;
    (void)number;
    if (worker->reload != NULL)
        worker->reload(worker);
}

static void stop(struct cvg_worker *worker)
{
    cvg_listeners_close(worker);
    cvg_connections_close(worker);
    cvg_tunnels_close(worker);
    uv_stop(&worker->loop);
}

static void on_drain_timer(uv_timer_t *timer)
{
    stop(timer->data);
}

void cvg_worker_left(struct cvg_worker *worker)
{
    if (worker->draining && worker->connection_count == 0 && worker->tunnel_count == 0)
        uv_timer_start(&worker->drain_timer, on_drain_timer, 0, 0);
}

/* No new work; what is under way has a few seconds. */
static void on_terminate(uv_signal_t *handle, int number)
{
    struct cvg_worker *worker = handle->data;
    (void)number;
    if (worker->draining)
        return;
    cvg_log(CVG_LOG_NOTICE, "ending: %zu connections and %zu tunnels are open",
            worker->connection_count, worker->tunnel_count);
    worker->draining = true;
    cvg_listeners_drain(worker);
    uv_timer_start(&worker->drain_timer, on_drain_timer, DRAIN_MS, 0);
    cvg_connections_drain(worker);
    cvg_worker_left(worker);
}

static void on_save_timer(uv_timer_t *timer)
{
    struct cvg_worker *worker = timer->data;
    cvg_memory_save(worker->memory);
}

static void on_sync_timer(uv_timer_t *timer)
{
    struct cvg_worker *worker = timer->data;
    cvg_memory_sync(worker->memory);
}

static void start_handles(struct cvg_worker *worker)
{
    uv_signal_init(&worker->loop, &worker->hangup);
    uv_signal_init(&worker->loop, &worker->terminate);
    uv_signal_init(&worker->loop, &worker->interrupt);
    uv_timer_init(&worker->loop, &worker->save_timer);
    uv_timer_init(&worker->loop, &worker->sync_timer);
    uv_timer_init(&worker->loop, &worker->drain_timer);
    worker->hangup.data = worker->terminate.data = worker->interrupt.data = worker;
    worker->save_timer.data = worker->sync_timer.data = worker->drain_timer.data = worker;
    uv_signal_start(&worker->hangup, on_hangup, SIGHUP);
    uv_signal_start(&worker->terminate, on_terminate, SIGTERM);
    uv_signal_start(&worker->interrupt, on_terminate, SIGINT);
    uv_timer_start(&worker->save_timer, on_save_timer, SAVE_MS, SAVE_MS);
    uv_timer_start(&worker->sync_timer, on_sync_timer, SYNC_MS, SYNC_MS);
}

enum cvg_error cvg_worker_new(const struct cvg_settings *settings, struct cvg_identity *identity,
                              struct cvg_worker **ret_worker, struct cvg_why *ret_why)
{
    struct cvg_worker *worker = calloc(1, sizeof(*worker));
    if (worker == NULL || uv_loop_init(&worker->loop) != 0) {
        free(worker);
        return CVG_ERR_NOMEM;
    }
    worker->settings = *settings;
    worker->clock = cvg_clock_system();
    cvg_list_init(&worker->tunnels);
    cvg_list_init(&worker->listeners);
    start_handles(worker);
    enum cvg_error err = make_parts(worker, ret_why);
    if (err != CVG_OK) {
        cvg_worker_free(worker);
        return err;
    }
    worker->identity = identity;
    apply(worker);
    *ret_worker = worker;
    return CVG_OK;
}

void cvg_worker_free(struct cvg_worker *worker)
{
    if (worker == NULL)
        return;
    cvg_listeners_close(worker);
    cvg_connections_close(worker);
    cvg_front_free(worker->front);
    cvg_tunnels_close(worker);
    cvg_inquirer_free(worker->inquirer);
    cvg_memory_free(worker->memory);
    cvg_budget_free(worker->budget);
    cvg_resolver_free(worker->resolver);
    uv_close((uv_handle_t *)&worker->hangup, NULL);
    uv_close((uv_handle_t *)&worker->terminate, NULL);
    uv_close((uv_handle_t *)&worker->interrupt, NULL);
    uv_close((uv_handle_t *)&worker->save_timer, NULL);
    uv_close((uv_handle_t *)&worker->sync_timer, NULL);
    uv_close((uv_handle_t *)&worker->drain_timer, NULL);
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&worker->loop);
    cvg_looker_free(worker->looker);
    cvg_filter_free(worker->filter);
    cvg_identity_free(worker->identity);
    free(worker);
}

enum cvg_error cvg_worker_open_store(struct cvg_worker *worker, struct cvg_why *ret_why)
{
    struct cvg_store *store = NULL;
    if (worker->settings.database[0] == '\0')
        return CVG_OK;
    enum cvg_error err = cvg_store_gdbm_open(worker->settings.database, worker->settings.max_stored,
                                             &store, ret_why);
    if (err == CVG_OK)
        cvg_memory_set_store(worker->memory, store);
    return err;
}

enum cvg_error cvg_worker_replace(struct cvg_worker *worker, const struct cvg_settings *settings,
                                  struct cvg_identity *identity, struct cvg_why *ret_why)
{
    struct parts parts;
    enum cvg_error err = load_parts(worker, settings, &parts, ret_why);
    if (err != CVG_OK)
        return err;
    take_parts(worker, &parts);
    if (identity->tls == NULL)
        cvg_identity_move_keys(worker->identity, identity);
    cvg_identity_free(worker->identity);
    worker->identity = identity;
    worker->settings = *settings;
    apply(worker);
    cvg_memory_forget_answers(worker->memory);
    return CVG_OK;
}

void cvg_worker_run(struct cvg_worker *worker)
{
    uv_run(&worker->loop, UV_RUN_DEFAULT);
}
