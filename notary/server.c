/* SPDX-License-Identifier: MIT */
/* The process: its parts, its threads, and how they begin and end. */
#include "notary/server.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/log.h"
#include "notary/activation.h"
#include "notary/identity-check.h"
#include "notary/listener.h"
#include "notary/reload.h"
#include "notary/succession.h"
#include "notary/watch.h"

#define DRAIN_MS     5000
#define SUCCEEDED_MS 60000 /* the same, when another process serves already */
#define KEEPER_MS    10000 /* how long what the process before kept is waited for */
#define PAUSE_MS     5
#define WORKERS_MAX  256
#define SHARDS_MAX   1024
#define SHARD_LEAST  64 /* targets that make a shard worth while */

/* One per CPU that the process may use. */
static size_t count_cpus(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    return count < 1 ? 1 : count > WORKERS_MAX ? WORKERS_MAX : (size_t)count;
}

/* Enough shards that two workers seldom want the same, a power of two. */
static size_t count_shards(size_t workers, size_t max_targets)
{
    size_t shards = 1;
    while (shards < 16 * workers && shards < SHARDS_MAX && shards * SHARD_LEAST < max_targets)
        shards *= 2;
    return shards;
}

void cvg_server_apply(struct cvg_server *server)
{
    const struct cvg_settings *settings = &server->settings;
    const struct cvg_budget_limits budgets = {
        .connections = settings->connections_per_network,
        .queries_per_minute = settings->queries_per_minute,
        .probes_per_minute = settings->probes_per_minute,
        .target_probes_per_minute = settings->target_probes_per_minute,
    };
    cvg_budget_set(server->shared.budget, &budgets);
    cvg_memory_set_max(server->shared.memory, settings->max_targets);
}

static enum cvg_error make_shared(struct cvg_server *server)
{
    struct cvg_shared *shared = &server->shared;
    size_t wanted = server->settings.workers;
    shared->workers = wanted == 0 ? count_cpus() : wanted;
    shared->clock = cvg_clock_system();
    shared->left = &server->left;
    enum cvg_error err = cvg_tickets_new(shared->clock, &shared->tickets);
    if (err == CVG_OK)
        err = cvg_budget_new(&shared->budget);
    if (err == CVG_OK)
        err = cvg_memory_new(server->settings.max_targets,
                             count_shards(shared->workers, server->settings.max_targets),
                             &shared->memory);
    if (err == CVG_OK)
        cvg_server_apply(server);
    return err;
}

static enum cvg_error make_workers(struct cvg_server *server, struct cvg_why *why)
{
    size_t count = server->shared.workers;
    server->worker = calloc(count, sizeof(struct cvg_worker *));
    server->thread = calloc(count, sizeof(*server->thread));
    server->change = calloc(count, sizeof(struct cvg_change *));
    if (server->worker == NULL || server->thread == NULL || server->change == NULL)
        return CVG_ERR_NOMEM;
    for (size_t i = 0; i < count; i++) {
        struct cvg_identity *identity = NULL;
        enum cvg_error err = cvg_identity_load(&server->settings, true, &identity, why);
        if (err == CVG_OK && i == 0)
            cvg_identity_warn(identity, cvg_clock_wall_s(server->shared.clock));
        if (err == CVG_OK)
            err = cvg_worker_new(&server->shared, i, &server->settings, identity,
                                 &server->worker[i], why);
        if (err != CVG_OK) {
            cvg_identity_free(identity);
            return err;
        }
    }
    return CVG_OK;
}

enum cvg_error cvg_server_record_keys(const struct cvg_settings *settings,
                                      const struct cvg_identity *identity,
                                      struct cvg_record_keys **ret_keys, struct cvg_why *ret_why)
{
    const struct cvg_record_sources sources = {
        .key = identity->signing_key,
        .path = settings->signing_key,
        .bundle = identity->bundle.data,
        .bundle_len = identity->bundle.len,
    };
    return settings->redis.count == 0 ? CVG_OK : cvg_record_keys_new(&sources, ret_keys, ret_why);
}

static void stop(struct cvg_server *server)
{
    if (server->stopped)
        return;
    server->stopped = true;
    for (size_t i = 0; i < server->running; i++)
        cvg_worker_stop(server->worker[i]);
    uv_stop(&server->loop);
}

static void on_drain_timer(uv_timer_t *timer)
{
    stop(timer->data);
}

static void on_left(uv_async_t *left)
{
    struct cvg_server *server = left->data;
    const struct cvg_shared *shared = &server->shared;
    if (server->draining && atomic_load(&shared->drained) == server->running &&
        atomic_load(&shared->connections) == 0 && atomic_load(&shared->tunnels) == 0)
        stop(server);
}

/* Nobody is given the sockets any more, and nothing waits in them unseen. */
static void close_sockets(struct cvg_server *server)
{
    cvg_handover_free(server->handover);
    server->handover = NULL;
    cvg_sockets_close(&server->sockets);
}

/* Who is replaced takes its time until somebody tells it to end. */
static void drain(struct cvg_server *server, uint64_t limit_ms)
{
    if (server->draining) {
        if (uv_timer_get_due_in(&server->drain_timer) > limit_ms)
            uv_timer_start(&server->drain_timer, on_drain_timer, limit_ms, 0);
        return;
    }
    cvg_activation_notify("STOPPING=1");
    close_sockets(server);
    cvg_log(CVG_LOG_NOTICE, "ending: %zu connections and %zu tunnels are open",
            atomic_load(&server->shared.connections), atomic_load(&server->shared.tunnels));
    server->draining = true;
    uv_timer_start(&server->drain_timer, on_drain_timer, limit_ms, 0);
    for (size_t i = 0; i < server->running; i++)
        cvg_worker_drain(server->worker[i]);
}

void cvg_server_drain(struct cvg_server *server)
{
    drain(server, DRAIN_MS);
}

static void on_hangup(uv_signal_t *handle, int number)
{
    (void)number;
    cvg_server_reload(handle->data);
}

static void on_terminate(uv_signal_t *handle, int number)
{
    (void)number;
    cvg_server_drain(handle->data);
}

static void start_handles(struct cvg_server *server)
{
    uv_async_init(&server->loop, &server->left, on_left);
    uv_signal_init(&server->loop, &server->hangup);
    uv_signal_init(&server->loop, &server->terminate);
    uv_signal_init(&server->loop, &server->interrupt);
    uv_timer_init(&server->loop, &server->drain_timer);
    server->left.data = server->drain_timer.data = server;
    server->hangup.data = server->terminate.data = server->interrupt.data = server;
    uv_signal_start(&server->hangup, on_hangup, SIGHUP);
    uv_signal_start(&server->terminate, on_terminate, SIGTERM);
    uv_signal_start(&server->interrupt, on_terminate, SIGINT);
}

enum cvg_error cvg_server_new(const char *config, const struct cvg_settings *settings,
                              struct cvg_server **ret_server, struct cvg_why *ret_why)
{
    struct cvg_server *server = calloc(1, sizeof(*server));
    if (server == NULL || uv_loop_init(&server->loop) != 0) {
        free(server);
        return CVG_ERR_NOMEM;
    }
    server->config = config;
    server->settings = *settings;
    server->predecessor = -1;
    cvg_control_path(settings, config, server->control);
    start_handles(server);
    enum cvg_error err = cvg_mailbox_new(&server->loop, &server->mailbox);
    if (err == CVG_OK)
        err = make_shared(server);
    if (err == CVG_OK)
        err = make_workers(server, ret_why);
    if (err == CVG_OK)
        err = cvg_server_record_keys(settings, server->worker[0]->identity, &server->record_keys,
                                     ret_why);
    if (err == CVG_OK)
        err = cvg_watch_new(server, &server->watch);
    if (err != CVG_OK) {
        cvg_server_free(server);
        return err;
    }
    *ret_server = server;
    return CVG_OK;
}

static void free_workers(struct cvg_server *server)
{
    for (size_t i = 0; server->worker != NULL && i < server->shared.workers; i++)
        cvg_worker_close(server->worker[i]);
    /* Its last letters come before the mailboxes go. */
    cvg_keeper_free(server->shared.keeper);
    for (size_t i = 0; server->worker != NULL && i < server->shared.workers; i++)
        cvg_worker_free(server->worker[i]);
    free(server->worker);
    free(server->thread);
    free(server->change);
}

void cvg_server_free(struct cvg_server *server)
{
    if (server == NULL)
        return;
    if (server->mailbox != NULL)
        cvg_reload_abandon(server);
    cvg_watch_close(server->watch);
    free_workers(server);
    close_sockets(server);
    if (server->predecessor >= 0)
        close(server->predecessor);
    cvg_mailbox_free(server->mailbox);
    uv_close((uv_handle_t *)&server->left, NULL);
    uv_close((uv_handle_t *)&server->hangup, NULL);
    uv_close((uv_handle_t *)&server->terminate, NULL);
    uv_close((uv_handle_t *)&server->interrupt, NULL);
    uv_close((uv_handle_t *)&server->drain_timer, NULL);
    uv_run(&server->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&server->loop);
    cvg_tickets_free(server->shared.tickets);
    cvg_watch_free(server->watch);
    cvg_memory_free(server->shared.memory);
    cvg_record_keys_free(server->record_keys);
    cvg_budget_free(server->shared.budget);
    free(server);
}

/* Each worker gets one of them where those of one address and port are neighbours. What it, or the
 * watch, closes is its own; ours are for the process after this one. */
static enum cvg_error give_socket(struct cvg_server *server, size_t number,
                                  const struct cvg_socket *socket)
{
    const struct cvg_socket own = {.fd = fcntl(socket->fd, F_DUPFD_CLOEXEC, 0),
                                   .service = socket->service};
    if (own.fd < 0)
        return CVG_ERR_IO;
    enum cvg_error err =
        socket->service == CVG_SERVICE_STATUS
            ? cvg_watch_listen(server->watch, own.fd)
            : cvg_listener_add(server->worker[number % server->shared.workers], &own);
    if (err != CVG_OK)
        close(own.fd);
    return err;
}

enum cvg_error cvg_server_listen(struct cvg_server *server, bool take_over, struct cvg_why *ret_why)
{
    enum cvg_error err =
        cvg_sockets_obtain(&server->settings, server->shared.workers, server->control, take_over,
                           &server->sockets, &server->predecessor, ret_why);
    for (size_t i = 0; err == CVG_OK && i < server->sockets.count; i++)
        err = give_socket(server, i, &server->sockets.socket[i]);
    return err;
}

enum cvg_error cvg_server_open_keeper(struct cvg_server *server, struct cvg_why *ret_why)
{
    const struct cvg_keeper_place place = {
        .settings = &server->settings,
        .keys = server->record_keys,
        .metrics = &server->shared.metrics,
        .wait = server->predecessor >= 0,
    };
    enum cvg_error err = cvg_keeper_new(&place, &server->shared.keeper, ret_why);
    if (err == CVG_OK)
        server->record_keys = NULL;
    return err == CVG_ERR_NOT_FOUND ? CVG_OK : err;
}

/* Another process accepts from here on. What is kept is its business now; who is connected to us is
 * still ours, and nobody waits for us to end. */
static void succeeded(void *user)
{
    struct cvg_server *server = user;
    if (server->shared.keeper != NULL)
        cvg_keeper_let_go(server->shared.keeper);
    cvg_watch_stop_listening(server->watch);
    drain(server, SUCCEEDED_MS);
}

/* What the process before saw is history; an answer without it would have to be taken back. */
static void wait_for_keeper(const struct cvg_server *server)
{
    if (server->shared.keeper == NULL)
        return;
    for (unsigned waited = 0; !cvg_keeper_is_open(server->shared.keeper); waited += PAUSE_MS) {
        if (waited >= KEEPER_MS) {
            cvg_log(CVG_LOG_WARNING, "the notary before keeps its journal; beginning without");
            return;
        }
        (void)poll(NULL, 0, PAUSE_MS);
    }
}

enum cvg_error cvg_server_succeed(struct cvg_server *server, struct cvg_why *ret_why)
{
    const struct cvg_handover_host host = {
        .sockets = &server->sockets, .taken = succeeded, .user = server};
    struct cvg_why why = {.text = ""};
    enum cvg_error err =
        cvg_handover_new(&server->loop, server->control, &host, &server->handover, &why);
    if (err != CVG_OK && server->settings.control[0] != '\0')
        return cvg_fail(ret_why, err, "%s", why.text);
    if (err != CVG_OK)
        cvg_log(CVG_LOG_NOTICE, "no --take-over will be possible: %s", why.text);
    if (server->predecessor < 0)
        return CVG_OK;
    if (cvg_handover_ready(server->predecessor) != CVG_OK)
        cvg_log(CVG_LOG_WARNING, "the notary before had gone already");
    server->predecessor = -1;
    wait_for_keeper(server);
    return CVG_OK;
}

/* The name is for people who look at the threads. */
static void run_worker(void *user)
{
    struct cvg_worker *worker = user;
    char name[16];
    snprintf(name, sizeof(name), "worker %u", (unsigned)(worker->number % 1000));
    pthread_setname_np(pthread_self(), name);
    cvg_worker_run(worker);
}

/* Signals are the control loop's: the threads begin with all of them blocked. */
enum cvg_error cvg_server_start(struct cvg_server *server, struct cvg_why *ret_why)
{
    sigset_t all, before;
    enum cvg_error err = CVG_OK;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (; err == CVG_OK && server->running < server->shared.workers; server->running++) {
        size_t next = server->running;
        if (uv_thread_create(&server->thread[next], run_worker, server->worker[next]) != 0) {
            err = cvg_fail(ret_why, CVG_ERR_IO, "no thread for worker %zu", next + 1);
            break;
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    cvg_watch_start(server->watch);
    if (err != CVG_OK) {
        stop(server);
        cvg_server_run(server);
    }
    return err;
}

void cvg_server_run(struct cvg_server *server)
{
    if (!server->stopped)
        uv_run(&server->loop, UV_RUN_DEFAULT);
    for (size_t i = 0; i < server->running; i++)
        uv_thread_join(&server->thread[i]);
    server->running = 0;
}
