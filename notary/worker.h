/* SPDX-License-Identifier: MIT */
/* One loop with everything it serves with: keys, memory, probes, budgets and the open connections.
 * A process may come to have several; nothing here is shared between them but the store. */
#ifndef CVG_NOTARY_WORKER_H
#define CVG_NOTARY_WORKER_H

#include "notary/answer.h"
#include "notary/front.h"
#include "notary/list.h"

struct cvg_worker {
    uv_loop_t loop;
    struct cvg_settings settings;
    struct cvg_identity *identity;
    const struct cvg_clock *clock;
    struct cvg_filter *filter;
    struct cvg_resolver *resolver;
    struct cvg_looker *looker;
    struct cvg_prober prober;
    struct cvg_budget *budget;
    struct cvg_memory *memory;
    struct cvg_inquirer *inquirer;
    struct cvg_answerer answerer;
    struct cvg_front *front; /* what the connections share */
    size_t connection_count;
    struct cvg_link tunnels;
    size_t tunnel_count;
    struct cvg_link listeners;
    uv_signal_t hangup, terminate, interrupt;
    uv_timer_t save_timer, sync_timer, drain_timer;
    bool draining;
    void (*reload)(struct cvg_worker *worker); /* what SIGHUP does */
};

/* Takes settings and identity (owned from now on, on success). The caller frees. */
CVG_MUST_USE enum cvg_error cvg_worker_new(const struct cvg_settings *settings,
                                           struct cvg_identity *identity,
                                           struct cvg_worker **ret_worker, struct cvg_why *ret_why);
void cvg_worker_free(struct cvg_worker *worker);

/* Opens the store that the settings name; to be called after privileges are dropped. */
CVG_MUST_USE enum cvg_error cvg_worker_open_store(struct cvg_worker *worker,
                                                  struct cvg_why *ret_why);

/* Takes other settings and another identity (without keys: keeps those it has) for what comes from
 * now on; all or nothing. Ports, database and user stay as they are until the next start. */
CVG_MUST_USE enum cvg_error cvg_worker_replace(struct cvg_worker *worker,
                                               const struct cvg_settings *settings,
                                               struct cvg_identity *identity,
                                               struct cvg_why *ret_why);

/* Serves until SIGTERM or SIGINT, then lets what is under way end, for a few seconds. */
void cvg_worker_run(struct cvg_worker *worker);

/* A connection or tunnel has gone: a draining notary may now be done. */
void cvg_worker_left(struct cvg_worker *worker);

#endif
