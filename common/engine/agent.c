/* SPDX-License-Identifier: MIT */
/* The parts of the agent, put together on one loop, and its end. */
#include "common/engine/agent.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/engine/agent-state.h"
#include "common/engine/commands.h"
#include "common/engine/notary-client.h"
#include "common/engine/portal.h"

#define DESCRIPTORS_RESERVED 256 /* for notaries, the cache, the log */
#define CONNECTIONS_MIN      64
#define UIDS_SHARE           4 /* one user may have this part of all connections */
#define SILENCE_MS           5000
#define ANCHORS_MS           60000
#define PATIENCE_MS          5000 /* for those who wait for an answer when the agent is to end */

/* Uniform below n: a plain remainder would favour small numbers. */
static uint32_t below(void *user, uint32_t n)
{
    uint32_t value, limit;

    (void)user;
    if (n <= 1)
        return 0;
    limit = UINT32_MAX - UINT32_MAX % n;
    do {
        /* A guess must not choose who votes. */
        if (getrandom(&value, sizeof value, 0) != (ssize_t)sizeof value)
            abort();
    } while (value >= limit);
    return value % n;
}

/* New roots come with system updates. */
static void refresh_anchors(struct cvg_agent *agent)
{
    if (agent->busy_ms - agent->anchors_ms < ANCHORS_MS)
        return;
    agent->anchors_ms = agent->busy_ms;
    cvg_anchors_refresh(agent->electorate->anchors);
}

static bool on_message(struct cvg_conn *conn, const void *data, size_t len, void *user)
{
    struct cvg_agent *agent = user;
    enum cvg_message_type type;
    enum cvg_error err;
    uint64_t id = 0;

    agent->busy_ms = uv_now(&agent->loop);
    refresh_anchors(agent);
    err = cvg_message_peek(data, len, &type, &id);
    if (err == CVG_ERR_VERSION) {
        cvg_agent_ask_foreign(agent, conn, id);
        return false;
    }
    if (err == CVG_OK) {
        if (type == CVG_MESSAGE_CHECK)
            return cvg_agent_ask(agent, conn, data, len, id);
        if (type == CVG_MESSAGE_COMMAND)
            return cvg_commands_message(agent->commands, conn, data, len);
    }
    cvg_conn_close(conn);
    return false;
}

static void on_gone(struct cvg_conn *conn, void *user)
{
    struct cvg_agent *agent = user;
    struct cvg_conn_work *work = cvg_conn_data(conn);

    if (work->kind == CVG_CONN_CHECK)
        cvg_agent_asker_gone(agent, conn);
    else
        cvg_commands_gone(agent->commands, conn);
}

static void on_drained(struct cvg_conn *conn, void *user)
{
    struct cvg_agent *agent = user;

    cvg_commands_drained(agent->commands, conn);
}

static void on_pump(uv_timer_t *timer)
{
    struct cvg_agent *agent = timer->data;

    agent->pump_ms = 0;
    cvg_checks_tick(agent->checks);
}

/* Before the loop waits: not longer than until the next deadline. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct cvg_agent *agent = prepare->data;
    uint64_t next = cvg_checks_next_ms(agent->checks);
    uint64_t now;

    if (agent->stopping)
        cvg_agent_stop(agent);
    if (next == UINT64_MAX || next == agent->pump_ms)
        return;
    now = cvg_clock_ms(agent->world.clock);
    agent->pump_ms = next;
    uv_update_time(&agent->loop);
    uv_timer_start(&agent->pump, on_pump, next > now ? next - now : 0, 0);
}

static bool is_idle(const struct cvg_agent *agent)
{
    return cvg_listener_connections(agent->listener) == 0 && cvg_checks_pending(agent->checks) == 0;
}

static void on_patience_over(uv_timer_t *timer)
{
    struct cvg_agent *agent = timer->data;

    uv_stop(&agent->loop);
}

/* The name goes first, so that nobody new finds the socket; who is in its queue is still served. */
static void begin_stop(struct cvg_agent *agent)
{
    char path[CVG_PATH_MAX + 16];

    agent->stopping = true;
    if (!agent->activated) {
        snprintf(path, sizeof path, "%s/agent.sock", agent->paths.runtime_dir);
        unlink(path);
    }
    cvg_listener_drain(agent->listener);
    cvg_commands_dismiss(agent->commands);
    cvg_listener_dismiss(agent->listener);
    uv_timer_start(&agent->idle, on_patience_over, PATIENCE_MS, 0);
}

void cvg_agent_stop(struct cvg_agent *agent)
{
    if (!agent->stopping)
        begin_stop(agent);
    if (is_idle(agent))
        uv_stop(&agent->loop);
}

/* How soon to look again: soon if somebody is still there, rarely if idle exit is off. */
static uint64_t idle_pause(uint64_t limit)
{
    return limit != 0 ? 1000 : 60000;
}

static void on_idle(uv_timer_t *timer)
{
    struct cvg_agent *agent = timer->data;
    uint64_t limit = (uint64_t)agent->electorate->config.idle_exit_s * 1000;
    uint64_t quiet = uv_now(&agent->loop) - agent->busy_ms;

    if (limit != 0 && quiet >= limit && is_idle(agent)) {
        cvg_log(CVG_LOG_INFO, "idle: ending");
        cvg_agent_stop(agent);
        return;
    }
    uv_timer_start(timer, on_idle, limit > quiet ? limit - quiet : idle_pause(limit), 0);
}

static void on_terminate(uv_signal_t *handle, int number)
{
    struct cvg_agent *agent = handle->data;

    (void)number;
    cvg_agent_stop(agent);
}

static void on_hangup(uv_signal_t *handle, int number)
{
    struct cvg_agent *agent = handle->data;

    (void)number;
    if (cvg_agent_reload(agent, NULL) != CVG_OK)
        return;
}

static void init_handles(struct cvg_agent *agent)
{
    uv_loop_t *loop = &agent->loop;

    uv_prepare_init(loop, &agent->prepare);
    uv_timer_init(loop, &agent->pump);
    uv_timer_init(loop, &agent->flush);
    uv_timer_init(loop, &agent->remember);
    uv_timer_init(loop, &agent->idle);
    uv_timer_init(loop, &agent->reload);
    uv_timer_init(loop, &agent->tend);
    uv_signal_init(loop, &agent->hangup);
    uv_signal_init(loop, &agent->terminate);
    uv_signal_init(loop, &agent->interrupt);
    agent->prepare.data = agent;
    agent->pump.data = agent->flush.data = agent->idle.data = agent->reload.data = agent;
    agent->tend.data = agent->remember.data = agent;
    agent->hangup.data = agent->terminate.data = agent->interrupt.data = agent;
}

static enum cvg_error start_handles(struct cvg_agent *agent)
{
    uint64_t idle_ms = (uint64_t)agent->electorate->config.idle_exit_s * 1000;

    if (uv_prepare_start(&agent->prepare, on_prepare) != 0 ||
        uv_timer_start(&agent->idle, on_idle, idle_ms != 0 ? idle_ms : idle_pause(idle_ms), 0) !=
            0 ||
        uv_signal_start(&agent->hangup, on_hangup, SIGHUP) != 0 ||
        uv_signal_start(&agent->terminate, on_terminate, SIGTERM) != 0 ||
        uv_signal_start(&agent->interrupt, on_terminate, SIGINT) != 0)
        return CVG_ERR_IO;
    cvg_agent_watch_open(agent);
    return CVG_OK;
}

static struct cvg_listener_limits limits(void)
{
    struct rlimit descriptors;
    size_t most = CONNECTIONS_MIN;

    if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0 &&
        descriptors.rlim_cur > DESCRIPTORS_RESERVED + CONNECTIONS_MIN)
        most = (size_t)descriptors.rlim_cur - DESCRIPTORS_RESERVED;
    return (struct cvg_listener_limits){
        .connections = most, .connections_per_uid = most / UIDS_SHARE, .silence_ms = SILENCE_MS};
}

/* A cache that cannot be had costs speed, not safety. */
static void open_cache(struct cvg_agent *agent)
{
    char path[CVG_PATH_MAX + 16];
    struct cvg_why why;

    snprintf(path, sizeof path, "%s/cache.gdbm", agent->paths.cache_dir);
    if (cvg_cache_open(path, agent->electorate->config.cache_ttl_s, agent->world.clock,
                       &agent->cache, &why) == CVG_OK)
        return;
    cvg_log(CVG_LOG_ERROR, "no cache on disk: %s", why.text);
    if (cvg_cache_open(NULL, agent->electorate->config.cache_ttl_s, agent->world.clock,
                       &agent->cache, &why) != CVG_OK)
        agent->cache = NULL;
}

/* Without a history checks go on all the same. */
static void open_history(struct cvg_agent *agent)
{
    char path[CVG_PATH_MAX + 16];

    snprintf(path, sizeof path, "%s/history", agent->paths.state_dir);
    if (cvg_history_new(path, agent->electorate->config.history, &agent->history) != CVG_OK)
        agent->history = NULL;
}

static const char *portal_url(void *user)
{
    return cvg_portal_url(user);
}

static bool portal_look(void *user)
{
    return cvg_portal_look(user);
}

static void watch_portal(struct cvg_agent *agent)
{
    const struct cvg_portal_watch watch = {
        .url = portal_url, .look = portal_look, .user = agent->portal};

    cvg_checks_set_portal(agent->checks, &watch);
}

static enum cvg_error assemble(struct cvg_agent *agent, int listen_fd)
{
    const struct cvg_listener_events events = {
        .message = on_message, .drained = on_drained, .gone = on_gone, .user = agent};
    const struct cvg_listener_limits most = limits();
    enum cvg_error err;

    agent->world = (struct cvg_world){.clock = cvg_clock_system(), .below = below};
    agent->started_s = cvg_clock_wall_s(agent->world.clock);
    agent->busy_ms = uv_now(&agent->loop);
    open_cache(agent);
    open_history(agent);
    err = cvg_listener_new(&agent->loop, listen_fd, &most, &events, &agent->listener);
    if (err == CVG_OK)
        err = cvg_notary_client_new(&agent->loop, agent->world.clock, &agent->transport);
    agent->world.transport = agent->transport;
    if (err == CVG_OK)
        err = cvg_breaker_new(agent->world.clock, &agent->world.breaker);
    if (err == CVG_OK)
        err = cvg_checks_new(&agent->world, agent->cache, &agent->checks);
    if (err == CVG_OK)
        err = cvg_commands_new(agent, &agent->commands);
    if (err == CVG_OK)
        err = cvg_updates_new(agent, &agent->updates);
    if (err == CVG_OK)
        err = cvg_portal_new(agent, &agent->portal);
    if (err == CVG_OK)
        watch_portal(agent);
    return err == CVG_OK ? start_handles(agent) : err;
}

enum cvg_error cvg_agent_new(struct cvg_agent_setup *setup, struct cvg_agent **ret_agent,
                             struct cvg_why *ret_why)
{
    struct cvg_agent *agent = calloc(1, sizeof *agent);
    enum cvg_error err;

    if (agent == NULL || uv_loop_init(&agent->loop) != 0) {
        free(agent);
        close(setup->listen_fd);
        cvg_electorate_unref(setup->electorate);
        return cvg_fail(ret_why, CVG_ERR_NOMEM, "out of memory");
    }
    agent->paths = setup->paths;
    agent->electorate = setup->electorate;
    agent->log = setup->log;
    agent->activated = setup->activated;
    agent->inotify_fd = -1;
    cvg_buffer_init(&agent->out, CVG_MESSAGE_MAX);
    init_handles(agent);
    err = assemble(agent, setup->listen_fd);
    if (err != CVG_OK) {
        cvg_agent_free(agent);
        return cvg_fail(ret_why, err, "cannot start: %s", cvg_strerror(err));
    }
    cvg_agent_apply(agent);
    *ret_agent = agent;
    return CVG_OK;
}

void cvg_agent_run(struct cvg_agent *agent)
{
    uv_run(&agent->loop, UV_RUN_DEFAULT);
}

static void close_handle(uv_handle_t *handle, void *user)
{
    (void)user;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void cvg_agent_free(struct cvg_agent *agent)
{
    if (agent == NULL)
        return;
    cvg_listener_free(agent->listener);
    cvg_updates_free(agent->updates);
    agent->updates = NULL; /* the commands, which may wait for it, end later */
    cvg_portal_free(agent->portal);
    cvg_commands_free(agent->commands);
    cvg_checks_free(agent->checks);
    if (agent->transport != NULL)
        agent->transport->free(agent->transport);
    if (agent->cache != NULL)
        cvg_cache_close(agent->cache);
    cvg_history_free(agent->history);
    cvg_breaker_free(agent->world.breaker);
    cvg_electorate_unref(agent->electorate);
    cvg_buffer_free(&agent->out);
    uv_walk(&agent->loop, close_handle, NULL);
    uv_run(&agent->loop, UV_RUN_DEFAULT);
    uv_loop_close(&agent->loop);
    if (agent->inotify_fd >= 0)
        close(agent->inotify_fd);
    free(agent);
}
