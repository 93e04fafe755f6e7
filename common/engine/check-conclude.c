/* SPDX-License-Identifier: MIT */
/* The end of a check: verdict and reason become the answer. */
#include "common/engine/check-state.h"
#include "common/engine/check-text.h"

static void count(struct cvg_check_counts *counts, const struct cvg_answer *answer)
{
    switch (answer->verdict) {
    case CVG_VERDICT_AGREE:
        counts->agree++;
        break;
    case CVG_VERDICT_DISAGREE:
        counts->disagree++;
        break;
    case CVG_VERDICT_EXEMPT:
        counts->exempt++;
        break;
    case CVG_VERDICT_UNDECIDED:
    case CVG_VERDICT_NONE:
        counts->undecided++;
        break;
    }
    if (answer->reason == CVG_REASON_CACHE)
        counts->cached++;
}

static void give(struct cvg_check *check)
{
    struct cvg_answer *answer = &check->answer;

    answer->id = check->question.id;
    answer->elapsed_ms = (uint32_t)(cvg_clock_ms(check->owner->world->clock) - check->started_ms);
    cvg_answer_describe(answer);
    cvg_check_blame_portal(check);
    count(&check->owner->counts, answer);
    check->done(&check->question, answer, check->user);
}

bool cvg_check_knows_key(struct cvg_check *check)
{
    const struct cvg_question *question = &check->question;

    if (check->owner->cache == NULL || !check->subject.have_leaf)
        return false;
    for (size_t i = 0; i < question->port_count; i++) {
        check->subject.endpoint.port = question->port[i];
        if (cvg_cache_knows_key(check->owner->cache, &check->subject.endpoint,
                                check->subject.leaf.spki_sha256))
            return true;
    }
    return false;
}

bool cvg_check_known_key(struct cvg_check *check)
{
    return check->electorate->config.on_unreachable == CVG_UNREACHABLE_KNOWN &&
           check->question.pki == CVG_PKI_OK && cvg_check_knows_key(check);
}

void cvg_check_conclude(struct cvg_check *check, enum cvg_verdict verdict, enum cvg_reason reason)
{
    const struct cvg_config *config = &check->electorate->config;
    bool pki_ok = check->question.pki == CVG_PKI_OK;
    bool known = verdict == CVG_VERDICT_UNDECIDED && cvg_check_known_key(check);

    check->answer.verdict = verdict;
    check->answer.reason = known ? CVG_REASON_KNOWN_KEY : reason;
    check->answer.action = cvg_action_of(config->mode, verdict, config->on_unreachable, pki_ok,
                                         check->question.pki == CVG_PKI_TRUST_ERROR, known);
    give(check);
}

void cvg_check_refuse(struct cvg_check *check, enum cvg_reason reason)
{
    check->answer.verdict = CVG_VERDICT_UNDECIDED;
    check->answer.action = CVG_ACTION_REFUSE;
    check->answer.reason = reason;
    give(check);
}
