/* SPDX-License-Identifier: MIT */
/* The process: the control loop on the main thread (signals, reload, ending) and the workers. */
#ifndef CVG_NOTARY_SERVER_H
#define CVG_NOTARY_SERVER_H

#include "notary/handover.h"
#include "notary/sockets.h"
#include "notary/worker.h"

struct cvg_watch;

struct cvg_server {
    uv_loop_t loop; /* the control loop */
    struct cvg_mailbox *mailbox;
    const char *config; /* the file that a reload reads */
    struct cvg_settings settings;
    struct cvg_shared shared;
    struct cvg_worker **worker; /* shared.workers of them */
    uv_thread_t *thread;
    struct cvg_watch *watch; /* what the operator looks at */
    size_t running;          /* threads */
    uv_async_t left;
    struct cvg_sockets sockets;    /* the workers have duplicates of them */
    int predecessor;               /* who waits for this process to be ready; -1: nobody */
    char control[CVG_PATH_MAX];    /* where the successor asks for the sockets */
    struct cvg_handover *handover; /* NULL: none can ask */
    uv_signal_t hangup, terminate, interrupt;
    uv_timer_t drain_timer;
    bool draining, stopped;
    char user[CVG_MESSAGE_NAME_MAX]; /* whom it runs as, for the log */
    /* A reload under way: one change a worker. */
    struct cvg_change **change;
    size_t unprepared;
    bool keys, again;
    bool told_keys;                      /* that a reload cannot read them */
    struct cvg_record_keys *record_keys; /* for the keeper, until it has them; NULL: none */
    unsigned generation;
};

/* Reads what the settings name, keys, hosts file and so on, once for every worker. The caller
 * frees. config, the settings' file, is borrowed. */
CVG_MUST_USE enum cvg_error cvg_server_new(const char *config, const struct cvg_settings *settings,
                                           struct cvg_server **ret_server, struct cvg_why *ret_why);
void cvg_server_free(struct cvg_server *server); /* NULL is allowed */

/* Binds the ports, or gets the sockets from the service manager or, with take_over, from the
 * process before, and spreads them over the workers. */
CVG_MUST_USE enum cvg_error cvg_server_listen(struct cvg_server *server, bool take_over,
                                              struct cvg_why *ret_why);
/* Opens what the settings keep observations in; to be called after privileges are dropped. */
CVG_MUST_USE enum cvg_error cvg_server_open_keeper(struct cvg_server *server,
                                                   struct cvg_why *ret_why);
/* The last that may go wrong has not: has the process before end, if there is one, waits for what
 * it kept, and lets the one after ask. Nobody accepts in the meantime; who connects waits. */
CVG_MUST_USE enum cvg_error cvg_server_succeed(struct cvg_server *server, struct cvg_why *ret_why);
/* Starts the workers' threads. */
CVG_MUST_USE enum cvg_error cvg_server_start(struct cvg_server *server, struct cvg_why *ret_why);
/* Serves until SIGTERM or SIGINT, then lets what is under way end, for a few seconds. */
void cvg_server_run(struct cvg_server *server);

/* What the settings' store is signed with; NULL where it is not signed. An identity without keys
 * brings its bundle only. To be called while former keys can be read, too. */
CVG_MUST_USE enum cvg_error cvg_server_record_keys(const struct cvg_settings *settings,
                                                   const struct cvg_identity *identity,
                                                   struct cvg_record_keys **ret_keys,
                                                   struct cvg_why *ret_why);
/* In the control loop: begins to end. */
void cvg_server_drain(struct cvg_server *server);
/* In the control loop: reads everything again; on any error all stays as it is. Keys that the
 * process, no longer root, cannot read any more are kept. */
void cvg_server_reload(struct cvg_server *server);

#endif
