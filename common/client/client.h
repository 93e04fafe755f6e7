/* SPDX-License-Identifier: MIT */
/* The in-process part: one question, one answer, one deadline. libc only; never starts anything,
 * prints nothing, keeps no descriptor, no thread and no lock after it returns. Any thread, also
 * after fork. errno is kept. */
#ifndef CVG_CLIENT_CLIENT_H
#define CVG_CLIENT_CLIENT_H

#include <stdbool.h>

#include "common/base/config.h"
#include "common/protocol/message.h"

/* Whether this program goes without checks: it is on the shipped list (resolvers, programs that bring
 * up the network, mail servers, our own agent and notary) or on the configuration's. name is the program's own (basename). */
bool cvg_client_excluded(const struct cvg_config *config, const char *name);

/* The basename of the running program, from /proc/self/exe, else program_invocation_short_name. */
void cvg_client_program_name(char ret_name[static CVG_MESSAGE_NAME_MAX]);

/* Whether this program was started with CONVERGE=off in its environment. Read once, without
 * AT_SECURE only: what the program does to its environment later, in whatever thread, changes
 * nothing. A plug-in calls it when it is loaded, while few programs have threads. errno is kept. */
bool cvg_client_off(void);

/* Asks the agent of this installation and fills ret_answer with what to do; never fails: without an
 * agent that can be believed (or with an answer that is late, short, foreign or unknown) it applies
 * mode and on_unreachable itself (`known` becomes deny), verdict NONE, reason NO_AGENT or DEADLINE
 * (INTERNAL without memory, BAD_QUESTION for one that cannot be asked). The action is never NONE, and
 * an agent's action that cannot follow from its verdict in config's mode is not obeyed.
 * In monitor mode the question is sent and the answer is not waited for (action ACCEPT or UNCHANGED).
 * question->id and timeout_ms are filled in by this function; the agent is told nine tenths of what
 * is left, so that its last word still arrives. Total time: at most config->deadline_ms. */
void cvg_client_ask(const struct cvg_config *config, const struct cvg_paths *paths,
                    struct cvg_question *question, struct cvg_answer *ret_answer);

/* Connects to the agent's socket (non-blocking, CLOEXEC) and checks who listens there: for a system
 * installation root or the agent's user; for a user's the very same uid, in a directory 0700 of
 * that uid. OWNER if somebody else does or could, UNREACHABLE if nobody, TIMEOUT if nobody accepts in
 * time. Returns the descriptor in ret_fd (never 0, 1 or 2, which others write to); the caller closes
 * it. deadline_ms: on the monotonic clock; 0: no waiting. */
CVG_MUST_USE enum cvg_error cvg_client_connect(const struct cvg_paths *paths, uint64_t deadline_ms,
                                               int *ret_fd, struct cvg_why *ret_why);

/* Sends or receives one message before the deadline (monotonic ms; 0: only if it can be done at
 * once). TIMEOUT if it passes, UNREACHABLE if the peer hung up, PROTOCOL for a message over
 * ret_message's maximum. ret_message is initialised by the caller; what it held is dropped. */
CVG_MUST_USE enum cvg_error cvg_client_send(int fd, const void *data, size_t len,
                                            uint64_t deadline_ms);
CVG_MUST_USE enum cvg_error cvg_client_receive(int fd, struct cvg_buffer *ret_message,
                                               uint64_t deadline_ms);

#endif
