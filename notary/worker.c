/* SPDX-License-Identifier: MIT */
/* One loop with everything it serves with: making it, running it, changing its settings, ending. */
#include "notary/worker.h"

#include <stdlib.h>

#include "common/base/log.h"
#include "notary/connection.h"
#include "notary/dns.h"
#include "notary/identity-check.h"
#include "notary/listener.h"
#include "notary/relay.h"

/* Background probes may use one in so many of all, so that they never keep clients waiting. */
#define REFRESH_SHARE 4

static void set_refresher(struct cvg_worker *worker)
{
    const struct cvg_settings *settings = &worker->settings;
    const struct cvg_refresh_limits limits = {
        .max_age_s = settings->max_observation_age_s,
        .idle_s = settings->refresh_idle_s,
        .forget_after_s = settings->forget_after_s,
        .max_flights = settings->max_probes / REFRESH_SHARE / worker->shared->workers + 1,
    };
    cvg_refresher_set(worker->refresher, &limits);
}

/* Spreads the settings to all who have a copy. */
static void apply(struct cvg_worker *worker)
{
    const struct cvg_settings *settings = &worker->settings;
    const struct cvg_inquiry_limits limits = {
        .max_age_s = settings->max_observation_age_s,
        .interval_ms = settings->probe_interval_ms,
        .max_flights = settings->max_probes,
    };
    worker->prober = (struct cvg_prober){
        .loop = &worker->loop,
        .looker = worker->looker,
        .resolver = worker->resolver,
        .filter = worker->filter,
        .budget = worker->budget,
        .metrics = worker->metrics,
        .timeout_ms = settings->probe_timeout_ms,
    };
    cvg_tickets_use(worker->shared->tickets, worker->identity->tls);
    worker->answerer.identity = worker->identity;
    worker->answerer.clock = worker->clock;
    worker->answerer.max_age_s = settings->max_observation_age_s;
    worker->answerer.verifiers = settings->verifiers;
    cvg_inquirer_set(worker->inquirer, &limits);
    set_refresher(worker);
}

/* None where only the network perspective is chosen, which nobody has to ask. */
static enum cvg_error load_verifiers(struct cvg_change *change)
{
    struct cvg_worker *worker = change->worker;
    if (change->settings.verifiers == 1U << CVG_VERIFIER_NETWORK)
        return CVG_OK;
    return cvg_verifiers_new(&worker->loop, &change->settings, worker->resolver, worker->metrics,
                             &change->verifiers, &change->why);
}

/* The parts that settings alone make. */
static enum cvg_error load_parts(struct cvg_change *change)
{
    struct cvg_why *why = &change->why;
    enum cvg_error err = CVG_OK;
    if (change->identity != NULL && change->identity->tls == NULL)
        err = cvg_identity_check_kept(change->worker->identity, change->identity, why);
    if (err != CVG_OK)
        return err;
    err = cvg_filter_new(&change->settings, &change->filter);
    if (err != CVG_OK)
        return cvg_fail(why, err, "the interfaces' addresses cannot be read, or are too many");
    err = cvg_hosts_load(change->settings.hosts, &change->hosts, why);
    if (err == CVG_OK)
        err = cvg_dns_new(&change->worker->loop, &change->settings, &change->dns, why);
    if (err == CVG_OK)
        err = load_verifiers(change);
    return err;
}

/* Whatever has not been taken. */
static void free_parts(struct cvg_change *change)
{
    cvg_filter_free(change->filter);
    cvg_hosts_free(change->hosts);
    cvg_dns_free(change->dns);
    cvg_verifiers_free(change->verifiers);
}

static void take_parts(struct cvg_change *change)
{
    struct cvg_worker *worker = change->worker;
    if (worker->filter == NULL) {
        worker->filter = change->filter;
        change->filter = NULL;
    } else {
        cvg_filter_copy(change->filter, worker->filter);
    }
    struct cvg_verifiers *verifiers = worker->verifiers;
    worker->verifiers = change->verifiers;
    change->verifiers = verifiers;
    cvg_resolver_set_hosts(worker->resolver, change->hosts);
    cvg_resolver_set_dns(worker->resolver, change->dns);
    change->hosts = NULL;
    change->dns = NULL;
}

static enum cvg_error load_first_parts(struct cvg_worker *worker, struct cvg_why *why)
{
    struct cvg_change *change = calloc(1, sizeof(*change));
    if (change == NULL)
        return CVG_ERR_NOMEM;
    change->worker = worker;
    change->settings = worker->settings;
    enum cvg_error err = load_parts(change);
    if (err == CVG_OK)
        take_parts(change);
    else if (why != NULL)
        *why = change->why;
    free_parts(change);
    free(change);
    return err;
}

static enum cvg_error make_inquirer(struct cvg_worker *worker)
{
    struct cvg_shared *shared = worker->shared;
    const struct cvg_inquirer_parts parts = {
        .prober = &worker->prober,
        .answerer = &worker->answerer,
        .clock = worker->clock,
        .mailbox = worker->mailbox,
        .metrics = worker->metrics,
        .memory = shared->memory,
        .budget = shared->budget,
        .keeper = &shared->keeper,
        .verifiers = &worker->verifiers,
        .flights = &shared->flights,
    };
    enum cvg_error err = cvg_inquirer_new(&parts, &worker->inquirer);
    if (err == CVG_OK)
        err = cvg_refresher_new(worker->inquirer, shared->memory, worker->clock, worker->number,
                                shared->workers, &worker->refresher);
    return err;
}

static enum cvg_error make_parts(struct cvg_worker *worker, struct cvg_why *why)
{
    worker->metrics = calloc(1, sizeof(*worker->metrics));
    enum cvg_error err =
        worker->metrics == NULL ? CVG_ERR_NOMEM : cvg_mailbox_new(&worker->loop, &worker->mailbox);
    if (err == CVG_OK)
        err = cvg_resolver_new(&worker->loop, &worker->resolver);
    if (err == CVG_OK)
        err = load_first_parts(worker, why);
    if (err == CVG_OK)
        err = cvg_looker_new(&worker->loop, &worker->looker);
    if (err == CVG_OK)
        err = cvg_connections_init(worker);
    if (err == CVG_OK)
        err = make_inquirer(worker);
    return err;
}

static void close_all(struct cvg_worker *worker)
{
    cvg_listeners_close(worker);
    cvg_connections_close(worker);
    cvg_tunnels_close(worker);
}

static void opened_stop(struct cvg_letter *letter)
{
    struct cvg_worker *worker = CVG_CONTAINER_OF(letter, struct cvg_worker, stop);
    close_all(worker);
    uv_stop(&worker->loop);
}

static void opened_drain(struct cvg_letter *letter)
{
    struct cvg_worker *worker = CVG_CONTAINER_OF(letter, struct cvg_worker, drain);
    worker->draining = true;
    cvg_listeners_drain(worker);
    cvg_connections_drain(worker);
    atomic_fetch_add(&worker->shared->drained, 1);
    uv_async_send(worker->shared->left);
}

void cvg_worker_drain(struct cvg_worker *worker)
{
    cvg_mailbox_post(worker->mailbox, &worker->drain);
}

void cvg_worker_stop(struct cvg_worker *worker)
{
    cvg_mailbox_post(worker->mailbox, &worker->stop);
}

static void went(struct cvg_worker *worker, size_t *own, atomic_size_t *shared)
{
    (*own)--;
    atomic_fetch_sub(shared, 1);
    if (worker->draining)
        uv_async_send(worker->shared->left);
}

void cvg_worker_connection_came(struct cvg_worker *worker)
{
    worker->connection_count++;
    atomic_fetch_add(&worker->shared->connections, 1);
}

void cvg_worker_connection_went(struct cvg_worker *worker)
{
    went(worker, &worker->connection_count, &worker->shared->connections);
}

void cvg_worker_tunnel_came(struct cvg_worker *worker)
{
    worker->tunnel_count++;
    atomic_fetch_add(&worker->shared->tunnels, 1);
}

void cvg_worker_tunnel_went(struct cvg_worker *worker)
{
    went(worker, &worker->tunnel_count, &worker->shared->tunnels);
}

static void on_refresh_timer(uv_timer_t *timer)
{
    struct cvg_worker *worker = timer->data;
    if (!worker->draining)
        cvg_refresher_tick(worker->refresher);
}

static void start_handles(struct cvg_worker *worker)
{
    cvg_list_init(&worker->tunnels);
    cvg_list_init(&worker->listeners);
    cvg_list_init(&worker->drain.link);
    cvg_list_init(&worker->stop.link);
    worker->drain.open = opened_drain;
    worker->stop.open = opened_stop;
    uv_timer_init(&worker->loop, &worker->refresh_timer);
    worker->refresh_timer.data = worker;
    uv_timer_start(&worker->refresh_timer, on_refresh_timer, CVG_REFRESH_TICK_MS,
                   CVG_REFRESH_TICK_MS);
}

enum cvg_error cvg_worker_new(struct cvg_shared *shared, size_t number,
                              const struct cvg_settings *settings, struct cvg_identity *identity,
                              struct cvg_worker **ret_worker, struct cvg_why *ret_why)
{
    struct cvg_worker *worker = calloc(1, sizeof(*worker));
    if (worker == NULL || uv_loop_init(&worker->loop) != 0) {
        free(worker);
        return CVG_ERR_NOMEM;
    }
    worker->shared = shared;
    worker->number = number;
    worker->settings = *settings;
    worker->clock = shared->clock;
    worker->budget = shared->budget;
    start_handles(worker);
    enum cvg_error err = make_parts(worker, ret_why);
    if (err != CVG_OK) {
        cvg_worker_close(worker);
        cvg_worker_free(worker);
        return err;
    }
    worker->identity = identity;
    apply(worker);
    *ret_worker = worker;
    return CVG_OK;
}

void cvg_worker_close(struct cvg_worker *worker)
{
    if (worker == NULL)
        return;
    close_all(worker);
    if (worker->inquirer != NULL)
        cvg_inquirer_stop(worker->inquirer);
}

void cvg_worker_free(struct cvg_worker *worker)
{
    if (worker == NULL)
        return;
    cvg_mailbox_free(worker->mailbox);
    cvg_front_free(worker->front);
    cvg_refresher_free(worker->refresher);
    cvg_inquirer_free(worker->inquirer);
    cvg_verifiers_free(worker->verifiers);
    cvg_resolver_free(worker->resolver);
    uv_close((uv_handle_t *)&worker->refresh_timer, NULL);
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&worker->loop);
    cvg_looker_free(worker->looker);
    cvg_filter_free(worker->filter);
    cvg_identity_free(worker->identity);
    free(worker->metrics);
    free(worker);
}

void cvg_worker_run(struct cvg_worker *worker)
{
    uv_run(&worker->loop, UV_RUN_DEFAULT);
}

static void opened_prepared(struct cvg_letter *letter)
{
    struct cvg_change *change = CVG_CONTAINER_OF(letter, struct cvg_change, letter);
    change->prepared(change);
}

static void opened_prepare(struct cvg_letter *letter)
{
    struct cvg_change *change = CVG_CONTAINER_OF(letter, struct cvg_change, letter);
    change->err = load_parts(change);
    change->letter.open = opened_prepared;
    cvg_mailbox_post(change->control, &change->letter);
}

void cvg_change_prepare(struct cvg_change *change)
{
    cvg_list_init(&change->letter.link);
    change->letter.open = opened_prepare;
    cvg_mailbox_post(change->worker->mailbox, &change->letter);
}

void cvg_change_free(struct cvg_change *change)
{
    if (change == NULL)
        return;
    free_parts(change);
    cvg_identity_free(change->identity);
    free(change);
}

static void drop(struct cvg_letter *letter)
{
    cvg_change_free(CVG_CONTAINER_OF(letter, struct cvg_change, letter));
}

static void take(struct cvg_letter *letter)
{
    struct cvg_change *change = CVG_CONTAINER_OF(letter, struct cvg_change, letter);
    struct cvg_worker *worker = change->worker;
    take_parts(change);
    if (change->identity->tls == NULL)
        cvg_identity_move_keys(worker->identity, change->identity);
    cvg_identity_free(worker->identity);
    worker->identity = change->identity;
    worker->answerer.generation = change->generation;
    worker->settings = change->settings;
    change->identity = NULL;
    apply(worker);
    drop(letter);
}

void cvg_change_end(struct cvg_change *change, bool take_it)
{
    change->letter.open = take_it ? take : drop;
    cvg_mailbox_post(change->worker->mailbox, &change->letter);
}
