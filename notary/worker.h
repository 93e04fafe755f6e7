/* SPDX-License-Identifier: MIT */
/* One loop, in a thread of its own, with everything it serves with: keys, probes and the open
 * connections. What it has in common with the others is in shared.h; everything else here is used
 * by its own thread alone, once that runs. */
#ifndef CVG_NOTARY_WORKER_H
#define CVG_NOTARY_WORKER_H

#include "notary/answer.h"
#include "notary/front.h"
#include "notary/list.h"
#include "notary/mailbox.h"
#include "notary/refresh.h"
#include "notary/shared.h"

struct cvg_dns;
struct cvg_hosts;

struct cvg_worker {
    uv_loop_t loop;
    size_t number;
    struct cvg_shared *shared;
    struct cvg_mailbox *mailbox; /* how other threads reach it */
    struct cvg_metrics *metrics; /* what this one counts */
    struct cvg_settings settings;
    struct cvg_identity *identity;
    const struct cvg_clock *clock;
    struct cvg_filter *filter;
    struct cvg_resolver *resolver;
    struct cvg_verifiers *verifiers; /* NULL: there are none to be heard */
    struct cvg_looker *looker;
    struct cvg_prober prober;
    struct cvg_budget *budget; /* the shared one */
    struct cvg_inquirer *inquirer;
    struct cvg_refresher *refresher;
    struct cvg_answerer answerer;
    struct cvg_front *front; /* what the connections share */
    size_t connection_count;
    struct cvg_link tunnels;
    size_t tunnel_count;
    struct cvg_link listeners;
    uv_timer_t refresh_timer;
    bool draining;
    struct cvg_letter drain, stop;
};

/* Takes the identity (owned from now on, on success). Before the thread runs. The caller frees. */
CVG_MUST_USE enum cvg_error cvg_worker_new(struct cvg_shared *shared, size_t number,
                                           const struct cvg_settings *settings,
                                           struct cvg_identity *identity,
                                           struct cvg_worker **ret_worker, struct cvg_why *ret_why);
/* After the thread has ended. close lets go of everything that others could wait for; free comes
 * when that is done for all workers. NULL is allowed. */
void cvg_worker_close(struct cvg_worker *worker);
void cvg_worker_free(struct cvg_worker *worker);

/* The thread: serves until it is stopped. */
void cvg_worker_run(struct cvg_worker *worker);

/* Any thread, once. drain: nothing new is taken, what is under way may end. stop: now. */
void cvg_worker_drain(struct cvg_worker *worker);
void cvg_worker_stop(struct cvg_worker *worker);

/* Other settings and another identity, for what comes from now on. Ports, database and user stay as
 * they are until the next start. */
struct cvg_change {
    struct cvg_letter letter;
    struct cvg_worker *worker;
    struct cvg_settings settings;
    struct cvg_identity *identity; /* without keys: those it has stay */
    unsigned generation;           /* of the identity */
    struct cvg_mailbox *control;   /* where prepared is opened */
    void (*prepared)(struct cvg_change *change);
    void *user;
    enum cvg_error err; /* of prepare */
    struct cvg_why why;
    struct cvg_filter *filter;
    struct cvg_hosts *hosts;
    struct cvg_dns *dns;
    struct cvg_verifiers *verifiers;
};

/* From the control loop. prepare loads what the settings name, in the worker's thread, and has
 * prepared called in the control loop's; end then takes it all, or throws it away, and frees it. */
void cvg_change_prepare(struct cvg_change *change);
void cvg_change_end(struct cvg_change *change, bool take);
/* The same as "end" without taking it, from the worker's thread or when that has ended; also for
 * one that was never prepared. NULL is allowed. */
void cvg_change_free(struct cvg_change *change);

/* A connection or tunnel has come, or gone: a draining notary may now be done. */
void cvg_worker_connection_came(struct cvg_worker *worker);
void cvg_worker_connection_went(struct cvg_worker *worker);
void cvg_worker_tunnel_came(struct cvg_worker *worker);
void cvg_worker_tunnel_went(struct cvg_worker *worker);

#endif
