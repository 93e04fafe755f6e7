/* SPDX-License-Identifier: MIT */
/* The installation a command works on: its configuration and directories. */
#ifndef CVG_TOOLS_INSTALLATION_H
#define CVG_TOOLS_INSTALLATION_H

#include <jansson.h>

#include "common/base/config.h"

struct cvg_installation {
    struct cvg_config config;
    struct cvg_paths paths;
};

/* CVG_GO_ON, or the exit code after saying why. */
int cvg_installation_load(struct cvg_installation *ret_installation);

/* Asks its agent one thing. CVG_GO_ON with the caller's *ret_reply, or the exit code after saying
 * why: UNDECIDED without an agent or an answer in time. command is released. */
int cvg_installation_ask(const struct cvg_installation *installation, json_t *command,
                         unsigned timeout_ms, json_t **ret_reply);

/* Says what a failed exchange with the agent means and returns the exit code. */
int cvg_installation_fault(const struct cvg_installation *installation, enum cvg_error err,
                           const struct cvg_why *why);

/* Makes a running agent read its configuration and bundles again; without an agent there is nothing
 * to do. Returns CVG_EXIT_OK or the fault's code after saying why. */
int cvg_installation_reload(const struct cvg_installation *installation);

#endif
