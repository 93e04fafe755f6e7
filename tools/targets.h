/* SPDX-License-Identifier: MIT */
/* What `enable` and `disable` can be told to work on: one entry and one file a target. */
#ifndef CVG_TOOLS_TARGETS_H
#define CVG_TOOLS_TARGETS_H

#include <stdbool.h>

#include "tools/installation.h"
#include "tools/tools.h"

/* The options of all targets; each refuses those that are not its own. */
struct cvg_target_options {
    const char *file, *mode;
    bool anyway, create, profiles, firefox, thunderbird;
    bool no_agent, dry_run, user;
};

/* The functions get what stands behind the target's name, and return the exit code. */
struct cvg_target {
    const char *name;
    int (*enable)(const struct cvg_command *command, const struct cvg_target_options *options,
                  char *const operands[], int count);
    int (*disable)(const struct cvg_command *command, const struct cvg_target_options *options,
                   char *const operands[], int count);
};

extern const struct cvg_target cvg_target_openssl, cvg_target_nss;

/* argv[*first] names the target, and *first is moved behind it; without one --user means openssl.
 * CVG_GO_ON, or the exit code after saying what there is. */
int cvg_target_find(const struct cvg_command *command, int argc, char **argv, int *first,
                    const struct cvg_target_options *options, const struct cvg_target **ret_target);

/* --mode: whether there is such a mode, and into converge.conf with it. CVG_GO_ON, or the exit code
 * after saying why. */
int cvg_target_check_mode(const struct cvg_command *command,
                          const struct cvg_target_options *options);
int cvg_target_set_mode(const struct cvg_target_options *options,
                        struct cvg_installation *installation);

/* Loads the installation that the programs will ask. Nothing is enabled with too few notaries,
 * which would refuse every connection; in a rehearsal they are not asked. CVG_GO_ON, or the exit
 * code after saying so. */
int cvg_target_check_notaries(const struct cvg_target_options *options,
                              struct cvg_installation *ret_installation);

#endif
