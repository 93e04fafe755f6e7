/* SPDX-License-Identifier: MIT */
/* One loop with everything it serves with: making it, running it, changing its settings, ending. */
#include "notary/server.h"

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
static void apply(struct cvg_server *server)
{
    const struct cvg_settings *settings = &server->settings;
    const struct cvg_inquiry_limits limits = {
        .max_age_s = settings->max_observation_age_s,
        .interval_ms = settings->probe_interval_ms,
        .max_flights = settings->max_probes,
    };
    server->prober = (struct cvg_prober){
        .loop = &server->loop,
        .looker = server->looker,
        .resolver = server->resolver,
        .filter = server->filter,
        .timeout_ms = settings->probe_timeout_ms,
    };
    server->answerer = (struct cvg_answerer){
        .identity = server->identity,
        .clock = server->clock,
        .max_age_s = settings->max_observation_age_s,
    };
    cvg_budget_set(server->budget, settings->connections_per_network, settings->probes_per_minute);
    cvg_memory_set_max(server->memory, settings->max_targets);
    cvg_inquirer_set(server->inquirer, &limits);
}

/* The parts that settings alone make: filter and hosts. */
static enum cvg_error load_parts(const struct cvg_settings *settings,
                                 struct cvg_filter **ret_filter, struct cvg_hosts **ret_hosts,
                                 struct cvg_why *why)
{
    enum cvg_error err = cvg_hosts_load(settings->hosts, ret_hosts, why);
    if (err != CVG_OK)
        return err;
    err = cvg_filter_new(settings, ret_filter);
    if (err != CVG_OK) {
        cvg_hosts_free(*ret_hosts);
        *ret_hosts = NULL;
        return cvg_fail(why, err, "the interfaces' addresses cannot be read");
    }
    return CVG_OK;
}

static enum cvg_error make_parts(struct cvg_server *server, struct cvg_why *why)
{
    struct cvg_hosts *hosts = NULL;
    enum cvg_error err = load_parts(&server->settings, &server->filter, &hosts, why);
    if (err == CVG_OK)
        err = cvg_resolver_new(&server->loop, &server->resolver);
    if (err == CVG_OK)
        cvg_resolver_set_hosts(server->resolver, hosts);
    else
        cvg_hosts_free(hosts);
    if (err == CVG_OK)
        err = cvg_looker_new(&server->loop, &server->looker);
    if (err == CVG_OK)
        err = cvg_budget_new(&server->budget);
    if (err == CVG_OK)
        err = cvg_memory_new(server->settings.max_targets, &server->memory);
    if (err == CVG_OK)
        err = cvg_inquirer_new(&server->prober, server->memory, server->budget, server->clock,
                               &server->inquirer);
    return err;
}

static void on_hangup(uv_signal_t *handle, int number)
{
    struct cvg_server *server = handle->data;
    (void)number;
    if (server->reload != NULL)
        server->reload(server);
}

static void stop(struct cvg_server *server)
{
    cvg_listeners_close(server);
    cvg_connections_close(server);
    cvg_tunnels_close(server);
    uv_stop(&server->loop);
}

static void on_drain_timer(uv_timer_t *timer)
{
    stop(timer->data);
}

void cvg_server_left(struct cvg_server *server)
{
    if (server->draining && server->connection_count == 0 && server->tunnel_count == 0)
        uv_timer_start(&server->drain_timer, on_drain_timer, 0, 0);
}

/* No new work; what is under way has a few seconds. */
static void on_terminate(uv_signal_t *handle, int number)
{
    struct cvg_server *server = handle->data;
    (void)number;
    if (server->draining)
        return;
    cvg_log(CVG_LOG_NOTICE, "ending: %zu connections and %zu tunnels are open",
            server->connection_count, server->tunnel_count);
    server->draining = true;
    cvg_listeners_close(server);
    uv_timer_start(&server->drain_timer, on_drain_timer, DRAIN_MS, 0);
    cvg_connections_drain(server);
    cvg_server_left(server);
}

static void on_save_timer(uv_timer_t *timer)
{
    struct cvg_server *server = timer->data;
    cvg_memory_save(server->memory);
}

static void on_sync_timer(uv_timer_t *timer)
{
    struct cvg_server *server = timer->data;
    cvg_memory_sync(server->memory);
}

static void start_handles(struct cvg_server *server)
{
    uv_signal_init(&server->loop, &server->hangup);
    uv_signal_init(&server->loop, &server->terminate);
    uv_signal_init(&server->loop, &server->interrupt);
    uv_timer_init(&server->loop, &server->save_timer);
    uv_timer_init(&server->loop, &server->sync_timer);
    uv_timer_init(&server->loop, &server->drain_timer);
    server->hangup.data = server->terminate.data = server->interrupt.data = server;
    server->save_timer.data = server->sync_timer.data = server->drain_timer.data = server;
    uv_signal_start(&server->hangup, on_hangup, SIGHUP);
    uv_signal_start(&server->terminate, on_terminate, SIGTERM);
    uv_signal_start(&server->interrupt, on_terminate, SIGINT);
    uv_timer_start(&server->save_timer, on_save_timer, SAVE_MS, SAVE_MS);
    uv_timer_start(&server->sync_timer, on_sync_timer, SYNC_MS, SYNC_MS);
}

enum cvg_error cvg_server_new(const struct cvg_settings *settings, struct cvg_identity *identity,
                              struct cvg_server **ret_server, struct cvg_why *ret_why)
{
    struct cvg_server *server = calloc(1, sizeof(*server));
    if (server == NULL || uv_loop_init(&server->loop) != 0) {
        free(server);
        return CVG_ERR_NOMEM;
    }
    server->settings = *settings;
    server->clock = cvg_clock_system();
    cvg_list_init(&server->connections);
    cvg_list_init(&server->tunnels);
    cvg_list_init(&server->listeners);
    start_handles(server);
    enum cvg_error err = make_parts(server, ret_why);
    if (err != CVG_OK) {
        cvg_server_free(server);
        return err;
    }
    server->identity = identity;
    apply(server);
    *ret_server = server;
    return CVG_OK;
}

void cvg_server_free(struct cvg_server *server)
{
    if (server == NULL)
        return;
    cvg_listeners_close(server);
    cvg_connections_close(server);
    cvg_tunnels_close(server);
    cvg_inquirer_free(server->inquirer);
    cvg_memory_free(server->memory);
    cvg_budget_free(server->budget);
    cvg_resolver_free(server->resolver);
    uv_close((uv_handle_t *)&server->hangup, NULL);
    uv_close((uv_handle_t *)&server->terminate, NULL);
    uv_close((uv_handle_t *)&server->interrupt, NULL);
    uv_close((uv_handle_t *)&server->save_timer, NULL);
    uv_close((uv_handle_t *)&server->sync_timer, NULL);
    uv_close((uv_handle_t *)&server->drain_timer, NULL);
    uv_run(&server->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&server->loop);
    cvg_looker_free(server->looker);
    cvg_filter_free(server->filter);
    cvg_identity_free(server->identity);
    free(server);
}

enum cvg_error cvg_server_open_store(struct cvg_server *server, struct cvg_why *ret_why)
{
    struct cvg_store *store = NULL;
    if (server->settings.database[0] == '\0')
        return CVG_OK;
    enum cvg_error err = cvg_store_gdbm_open(server->settings.database, server->settings.max_stored,
                                             &store, ret_why);
    if (err == CVG_OK)
        cvg_memory_set_store(server->memory, store);
    return err;
}

enum cvg_error cvg_server_replace(struct cvg_server *server, const struct cvg_settings *settings,
                                  struct cvg_identity *identity, struct cvg_why *ret_why)
{
    struct cvg_filter *filter = NULL;
    struct cvg_hosts *hosts = NULL;
    enum cvg_error err = load_parts(settings, &filter, &hosts, ret_why);
    if (err != CVG_OK)
        return err;
    cvg_filter_copy(filter, server->filter);
    cvg_filter_free(filter);
    cvg_resolver_set_hosts(server->resolver, hosts);
    if (identity->tls == NULL)
        cvg_identity_move_keys(server->identity, identity);
    cvg_identity_free(server->identity);
    server->identity = identity;
    server->settings = *settings;
    apply(server);
    cvg_memory_forget_answers(server->memory);
    return CVG_OK;
}

void cvg_server_run(struct cvg_server *server)
{
    uv_run(&server->loop, UV_RUN_DEFAULT);
}
