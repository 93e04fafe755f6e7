/* SPDX-License-Identifier: MIT */
/* A connection for each check: the question goes out as soon as it stands, and one answer comes
 * back. What both ways of asking (ask.c waits, pending.c comes back) share. */
#ifndef CVG_CLIENT_DIALOGUE_H
#define CVG_CLIENT_DIALOGUE_H

#include <stdbool.h>

#include "common/base/config.h"
#include "common/protocol/message.h"

/* Gives the question a random id of its own, which it keeps if it must be sent more than once, and
 * our release. */
CVG_MUST_USE enum cvg_error cvg_dialogue_name(struct cvg_question *question);

/* Connects and sends. Fills in the question's timeout_ms from deadline_ms (monotonic clock; 0:
 * nobody will wait for the answer). TIMEOUT if the agent is too busy: by the deadline, or
 * at once if not wait. The caller closes *ret_fd, which is never 0, 1 or 2. */
CVG_MUST_USE enum cvg_error cvg_dialogue_ask(const struct cvg_paths *paths,
                                             struct cvg_question *question, uint64_t deadline_ms,
                                             bool wait, int *ret_fd, struct cvg_why *ret_why);

/* Takes the answer with this id, waiting until deadline_ms (0: not at all). TIMEOUT if it is not
 * there by then. */
CVG_MUST_USE enum cvg_error cvg_dialogue_answer(int fd, uint64_t id, uint64_t deadline_ms,
                                                struct cvg_answer *ret_answer,
                                                struct cvg_why *ret_why);

/* Whether this is how an agent answers that takes no fields appended since the first release: the
 * question is without them now, and must be asked again. At most once true for a question. */
bool cvg_dialogue_reduce(struct cvg_question *question, const struct cvg_answer *answer);

#endif
