/* SPDX-License-Identifier: MIT */
/* The agent as a process: what it keeps of who started it (nothing), whose rights it has (few), and
 * that there is one. */
#ifndef CVG_ENGINE_AGENT_PROCESS_H
#define CVG_ENGINE_AGENT_PROCESS_H

#include <stdbool.h>

#include "common/base/config.h"

/* Keeps of the environment only what says where the configuration is. */
CVG_MUST_USE enum cvg_error cvg_process_clean_environment(void);

/* Closes every descriptor above stderr but the two given (-1: none). */
void cvg_process_close_others(int keep_a, int keep_b);

/* No core, no dump, umask 077, root directory, no signals left blocked or ignored but SIGPIPE. */
CVG_MUST_USE enum cvg_error cvg_process_harden(struct cvg_why *ret_why);

/* Goes to the background: the child returns with *ret_report, a descriptor on which
 * cvg_process_report tells the parent how it went; the parent waits for that and exits. */
CVG_MUST_USE enum cvg_error cvg_process_detach(int *ret_report, struct cvg_why *ret_why);
/* NULL: all is well, the parent exits 0. Else it prints the text and exits 1. Closes report. */
void cvg_process_report(int report, const char *failure);

/* Standard input, output and error become /dev/null. */
void cvg_process_close_stdio(void);

/* Makes the installation's directories and hands them to paths->owner. */
CVG_MUST_USE enum cvg_error cvg_process_make_directories(const struct cvg_paths *paths,
                                                         struct cvg_why *ret_why);
/* Root becomes the agent's user for good; anybody else stays who they are. */
CVG_MUST_USE enum cvg_error cvg_process_drop(const struct cvg_paths *paths,
                                             struct cvg_why *ret_why);

/* The lock that makes the agent the only one; its descriptor is kept until the process ends. EXISTS
 * once another agent holds it and listens; BUSY if the one that holds it neither listens nor ends
 * within the time. */
CVG_MUST_USE enum cvg_error cvg_process_lock(const struct cvg_paths *paths, unsigned timeout_ms,
                                             int *ret_fd, struct cvg_why *ret_why);

/* The listening socket handed over by a service manager; NOT_FOUND if there is none. Call it before
 * cvg_process_clean_environment. */
CVG_MUST_USE enum cvg_error cvg_process_activated_socket(int *ret_fd, struct cvg_why *ret_why);
/* Our own, at runtime_dir/agent.sock. A name left by a dead agent is removed first; so hold the
 * lock. */
CVG_MUST_USE enum cvg_error cvg_process_listen(const struct cvg_paths *paths, int *ret_fd,
                                               struct cvg_why *ret_why);
#endif
