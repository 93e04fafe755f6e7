/* SPDX-License-Identifier: MIT */
/* The agent: listener, checks, cache and notaries on one loop. What is about the process as such
 * (privileges, descriptors, the lock) is agent-process.h. One thread. */
#ifndef CVG_ENGINE_AGENT_H
#define CVG_ENGINE_AGENT_H

#include <stdbool.h>

#include "common/base/config.h"
#include "common/engine/electorate.h"
#include "common/engine/verdict-log.h"

struct cvg_agent;

struct cvg_agent_setup {
    struct cvg_paths paths;
    struct cvg_electorate *electorate; /* taken over */
    struct cvg_verdict_log *log;       /* borrowed */
    int listen_fd;                     /* taken over */
    bool activated;                    /* the socket is not ours: never unlink it */
};

/* All of setup's things are taken over also on failure. */
CVG_MUST_USE enum cvg_error cvg_agent_new(struct cvg_agent_setup *setup,
                                          struct cvg_agent **ret_agent, struct cvg_why *ret_why);
/* Serves until SIGTERM, SIGINT or idle exit. */
void cvg_agent_run(struct cvg_agent *agent);
void cvg_agent_free(struct cvg_agent *agent);

#endif
