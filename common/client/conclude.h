/* SPDX-License-Identifier: MIT */
/* What follows from an answer, or from none: the one place where the rules of mode and
 * on_unreachable are applied in a program. Pure; any thread. */
#ifndef CVG_CLIENT_CONCLUDE_H
#define CVG_CLIENT_CONCLUDE_H

#include "common/base/config.h"
#include "common/protocol/message.h"

/* What counts of the configuration. Apart from it, because that may change while a question is
 * on its way. */
struct cvg_rules {
    enum cvg_mode mode;
    enum cvg_unreachable on_unreachable;
};

static inline struct cvg_rules cvg_rules_of(const struct cvg_config *config)
{
    return (struct cvg_rules){config->mode, config->on_unreachable};
}

/* An agent may be stricter than the table of modes. But an action that the table cannot give for
 * its verdict is replaced by one that does not accept. */
void cvg_conclude_answered(struct cvg_rules rules, const struct cvg_question *question,
                           struct cvg_answer *answer);

/* Fills *ret_answer for a check that nobody answered: err says how it ended (OK: nobody waited for
 * its answer), since_ms when it began, on the monotonic clock. */
void cvg_conclude_unanswered(struct cvg_rules rules, const struct cvg_question *question,
                             enum cvg_error err, const struct cvg_why *why, uint64_t since_ms,
                             struct cvg_answer *ret_answer);

#endif
