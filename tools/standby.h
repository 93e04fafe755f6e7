/* SPDX-License-Identifier: MIT */
/* What a target's programs need besides the module: an agent that is ready whenever one of them
 * asks. The machine's is kept ready by systemd, where that is; elsewhere it is told how. */
#ifndef CVG_TOOLS_STANDBY_H
#define CVG_TOOLS_STANDBY_H

#include <stdbool.h>

#include "tools/targets.h"

enum cvg_standby_state {
    CVG_STANDBY_UNIT = 0, /* systemd has the socket */
    CVG_STANDBY_LEFT,     /* --no-agent */
    CVG_STANDBY_MANUAL,   /* no systemd, or not the machine's installation */
    CVG_STANDBY_ROOTS     /* only root can have systemd keep it */
};

struct cvg_standby {
    const struct cvg_installation *installation;
    enum cvg_standby_state state;
    bool machine;  /* it is the machine's installation, and root who enables */
    bool switched; /* the unit was switched on just now */
};

/* Before the programs are told of the module. CVG_GO_ON, or the exit code after saying why. */
int cvg_standby_begin(const struct cvg_installation *installation,
                      const struct cvg_target_options *options, struct cvg_standby *ret_standby);
/* After it failed: what was switched on just now is switched off again. */
void cvg_standby_undo(const struct cvg_standby *standby);
/* After it is done: remembers the target ("openssl /etc/ssl/openssl.cnf"). CVG_GO_ON or the exit
 * code. */
int cvg_standby_keep(const struct cvg_standby *standby, const char *target);

/* Says what keeps the agent ready, what the mode is and what comes next. With --json: `agent`
 * (`unit`, `left`, `manual`) and `mode`. */
void cvg_standby_report(const struct cvg_standby *standby, const char *undo);

/* Ends an agent that a command started: it would keep a unit's from beginning. */
void cvg_standby_end_agent(const struct cvg_installation *installation);

/* Forgets the target; the unit that was switched on for the last one is switched off. lingers:
 * users have the module still, from this target, and the unit stays on for good: without it they
 * would have no agent to ask. Says which. Needs neither configuration nor agent. CVG_EXIT_OK, or
 * the exit code after saying why. */
int cvg_standby_end(const char *target, bool lingers);

#endif
