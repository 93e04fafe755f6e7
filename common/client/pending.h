/* SPDX-License-Identifier: MIT */
/* A question that is asked and not answered yet, for hosts that must not block: an event loop's
 * thread starts it, comes back, and looks. It follows the same rules as cvg_client_ask() and ends
 * in the same answers.
 *
 * The host may close descriptors that it does not know and may fork. Before each use the descriptor
 * is compared with the socket that was opened; if it is another one now, or this is another
 * process, the question is asked again by the process that looks, within the same deadline, and a
 * descriptor that is not ours is left alone. Any thread, one at a time for each question; errno is
 * kept. */
#ifndef CVG_CLIENT_PENDING_H
#define CVG_CLIENT_PENDING_H

#include <stdbool.h>

#include "common/base/config.h"
#include "common/protocol/message.h"

struct cvg_pending;

/* Asks without waiting. NULL: the answer is there already (monitor mode, no agent, a question that
 * cannot be asked, no memory), in ret_answer, as cvg_client_ask() gives it. Else the caller frees
 * what is returned with cvg_pending_drop(). The question is copied, with its leaf; its id,
 * timeout_ms are filled in. An agent too busy to be connected to is tried again at each look. */
struct cvg_pending *cvg_pending_start(const struct cvg_config *config,
                                      const struct cvg_paths *paths, struct cvg_question *question,
                                      struct cvg_answer *ret_answer);

/* Whether there is an answer now, which is then in ret_answer (once the deadline has passed without
 * one, that of a check that nobody answered). Never waits. After true the question may only be
 * dropped. */
bool cvg_pending_look(struct cvg_pending *pending, struct cvg_answer *ret_answer);

/* What to poll for POLLIN before the next look; -1 if there is nothing to poll (the agent is too
 * busy, or the host closed it): then look again after a while. In a forked child look first. */
int cvg_pending_fd(const struct cvg_pending *pending);

/* Milliseconds until the deadline; 0 once it has passed. */
int cvg_pending_left_ms(const struct cvg_pending *pending);

/* Closes and frees it; NULL is nothing. */
void cvg_pending_drop(struct cvg_pending *pending);

#endif
