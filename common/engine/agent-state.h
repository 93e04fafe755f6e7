/* SPDX-License-Identifier: MIT */
/* What the parts of the agent share; for agent*.c and commands*.c only. */
#ifndef CVG_ENGINE_AGENT_STATE_H
#define CVG_ENGINE_AGENT_STATE_H

#include <uv.h>

#include "common/base/buffer.h"
#include "common/engine/agent.h"
#include "common/engine/cache.h"
#include "common/engine/check.h"
#include "common/engine/history.h"
#include "common/engine/listener.h"

#define CVG_WATCHED_MAX 4 /* directories whose changes mean a new configuration */

struct cvg_commands;
struct cvg_portal;
struct cvg_updates;

/* The software that has asked, by its release. */
#define CVG_RELEASES_MAX 8
struct cvg_releases {
    struct {
        char name[CVG_MESSAGE_RELEASE_MAX]; /* "": told none */
        uint64_t questions;
    } release[CVG_RELEASES_MAX];
    size_t count;
    uint64_t others; /* questions of releases that found no place */
    bool foreign;    /* a message of another version has come, and been told of */
};

struct cvg_agent {
    uv_loop_t loop;
    struct cvg_paths paths;
    struct cvg_world world;
    struct cvg_electorate *electorate;
    struct cvg_verdict_log *log;
    struct cvg_transport *transport;
    struct cvg_history *history; /* NULL: no memory for it */
    struct cvg_cache *cache; /* NULL: none could be opened, nothing is remembered */
    struct cvg_checks *checks;
    struct cvg_commands *commands;
    struct cvg_updates *updates;
    struct cvg_portal *portal;
    struct cvg_listener *listener;
    struct cvg_buffer out;
    uv_prepare_t prepare; /* arms pump for the checks' next deadline */
    uv_timer_t pump, flush, remember, idle, reload, tend;
    uv_signal_t hangup, terminate, interrupt;
    uv_poll_t inotify;
    int inotify_fd; /* -1: none */
    int watched[CVG_WATCHED_MAX];
    size_t watched_count;
    uint64_t pump_ms; /* when pump will fire, in the clock's ms; 0: not armed */
    uint64_t anchors_ms; /* when the public anchors were last looked at */
    uint64_t busy_ms; /* when the last message came, in the loop's ms */
    int64_t started_s;
    bool activated, stopping;
    struct cvg_releases releases;
    char config_error[CVG_WHY_MAX]; /* why the last reload was not taken; or "" */
};

/* What a connection is busy with: every connection's data begins with this. */
enum cvg_conn_kind { CVG_CONN_CHECK = 1, CVG_CONN_COMMAND };
struct cvg_conn_work {
    enum cvg_conn_kind kind;
};

/* agent-ask.c: a question, from its message to its answer. */
bool cvg_agent_ask(struct cvg_agent *agent, struct cvg_conn *conn, const void *data, size_t len,
                   uint64_t id);
/* Answers a message of another version of the protocol so that its asker fails closed. */
void cvg_agent_ask_foreign(struct cvg_agent *agent, struct cvg_conn *conn, uint64_t id);
void cvg_agent_asker_gone(struct cvg_agent *agent, struct cvg_conn *conn);

/* agent-reload.c: reads the configuration anew; on failure the old stays. */
CVG_MUST_USE enum cvg_error cvg_agent_reload(struct cvg_agent *agent, struct cvg_why *ret_why);
/* Puts agent->electorate to work: voters, budgets, warm connections. */
void cvg_agent_apply(struct cvg_agent *agent);
/* After a moment, because writers of files work in several steps. */
void cvg_agent_reload_soon(struct cvg_agent *agent);

/* agent-watch.c: begins to watch the directories that the configuration is read from; without
 * inotify nothing happens. agent->inotify_fd is closed by the caller, after the loop. */
void cvg_agent_watch_open(struct cvg_agent *agent);
/* Watches them as they are now. */
void cvg_agent_watch(struct cvg_agent *agent);

/* agent-update.c: fetches updates of the bundles, at most once a day. */
CVG_MUST_USE enum cvg_error cvg_updates_new(struct cvg_agent *agent,
                                            struct cvg_updates **ret_updates);
void cvg_updates_free(struct cvg_updates *updates);

/* What looking for an update of one bundle brought. */
enum cvg_look_result {
    CVG_LOOK_NOWHERE = 0, /* nothing to update from */
    CVG_LOOK_UNCHANGED,
    CVG_LOOK_OLDER, /* a serial, or a version, below the one in force */
    CVG_LOOK_UPDATED,
    CVG_LOOK_NOT_TAKEN, /* something came that is no update */
    CVG_LOOK_FAILED     /* nothing came */
};
struct cvg_look {
    enum cvg_look_result result;
    uint64_t serial;        /* that is in force now */
    char why[CVG_WHY_MAX]; /* of all but the first two and UPDATED */
};
typedef void cvg_look_fn(const struct cvg_bundle *bundle, const struct cvg_look *look, void *user);
typedef void cvg_looked_fn(void *user);
/* Looks now, for one notary's or all (name NULL), also where bundle_update is no: tells of each as
 * it is known and then of the end, both after this has returned. BUSY: it is being looked already,
 * nobody is told. cvg_updates_leave: the user is gone, and is told no more. */
CVG_MUST_USE enum cvg_error cvg_updates_look(struct cvg_updates *updates, const char *name,
                                             cvg_look_fn *on_look, cvg_looked_fn *on_end,
                                             void *user);
void cvg_updates_leave(struct cvg_updates *updates, const void *user);

/* agent.c: leaves the loop as soon as nobody waits for an answer. */
void cvg_agent_stop(struct cvg_agent *agent);

#endif
