/* SPDX-License-Identifier: MIT */
/* Starting the agent: for the command line and libconverge only. The plug-ins never start anything,
 * and must not link this. */
#ifndef CVG_LIBCONVERGE_AGENT_START_H
#define CVG_LIBCONVERGE_AGENT_START_H

#include "common/base/config.h"
#include "common/base/error.h"

/* Returns once an agent of this installation accepts connections: at once if there is one, else
 * after starting it. The agent gets nothing of the caller: no descriptors, only the few variables
 * that say where its files are, the root directory, a session of its own, no parent to report to.
 * Any number of callers may start it at once; one agent stays.
 *
 * The program is CONVERGE_AGENT (an absolute path; ignored in AT_SECURE programs), else the
 * installed one. OWNER: somebody else listens; CONFIG: this user must not start it, or the path is
 * wrong; NOT_FOUND: no such program; REFUSED: it gave up, ret_why says why; TIMEOUT: not ready
 * within timeout_ms. Forks: SIGCHLD may reach the caller, for a child that is already waited for.
 */
CVG_MUST_USE enum cvg_error cvg_agent_start(const struct cvg_paths *paths, unsigned timeout_ms,
                                            struct cvg_why *ret_why);

#endif
