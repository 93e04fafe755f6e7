/* SPDX-License-Identifier: MIT */
/* From a verdict to an action, see conclude.h. Every way in which a check can go wrong ends here,
 * where the mode and on_unreachable decide, and nobody's word is taken. */
#include "config.h"

#include "common/client/conclude.h"

#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"

/* What the table of modes says. known_key: only an agent can know one. */
static enum cvg_action action_of(struct cvg_rules rules, const struct cvg_question *question,
                                 enum cvg_verdict verdict, bool known_key)
{
    return cvg_action_of(rules.mode, verdict, rules.on_unreachable, question->pki == CVG_PKI_OK,
                         question->pki == CVG_PKI_TRUST_ERROR, known_key);
}

static enum cvg_reason reason_of(enum cvg_error err)
{
    switch ((int)err) {
    case CVG_ERR_TIMEOUT:
        return CVG_REASON_DEADLINE;
    case CVG_ERR_NOMEM:
        return CVG_REASON_INTERNAL;
    case CVG_ERR_ARGUMENT:
    case CVG_ERR_SYNTAX:
        return CVG_REASON_BAD_QUESTION;
    default:
        return CVG_REASON_NO_AGENT;
    }
}

void cvg_conclude_unanswered(struct cvg_rules rules, const struct cvg_question *question,
                             enum cvg_error err, const struct cvg_why *why, uint64_t since_ms,
                             struct cvg_answer *ret_answer)
{
    const char *text = why->text[0] != '\0' ? why->text : cvg_strerror(err);

    memset(ret_answer, 0, sizeof *ret_answer);
    ret_answer->id = question->id;
    ret_answer->verdict = CVG_VERDICT_NONE;
    ret_answer->action = action_of(rules, question, CVG_VERDICT_NONE, false);
    ret_answer->reason = reason_of(err);
    ret_answer->elapsed_ms = (uint32_t)(cvg_clock_ms(cvg_clock_system()) - since_ms);
    snprintf(ret_answer->text, sizeof ret_answer->text, "%s", text);
}

/* What the table cannot give is a fault: of memory, of the agent, or of a configuration that it has
 * not read again. Then the table may refuse for the verdict, but not accept for it: no acceptance
 * that the agent did not speak is made up here. */
void cvg_conclude_answered(struct cvg_rules rules, const struct cvg_question *question,
                           struct cvg_answer *answer)
{
    if (answer->action == CVG_ACTION_REFUSE ||
        answer->action == action_of(rules, question, answer->verdict, true))
        return;
    answer->action = action_of(rules, question, answer->verdict, false);
    if (answer->action == CVG_ACTION_ACCEPT)
        answer->action = action_of(rules, question, CVG_VERDICT_NONE, false);
}
