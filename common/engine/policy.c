/* SPDX-License-Identifier: MIT */
/* The vote: how many yes an agreement needs, what a tally says, and when it can change no more. */
#include "common/engine/policy.h"

#define MIN_VOTES_DEFAULT 2

enum cvg_error cvg_policy_of(const struct cvg_config *config, unsigned notaries,
                             struct cvg_policy *ret_policy, struct cvg_why *ret_why)
{
    struct cvg_policy policy = {.threshold = config->threshold, .count = config->threshold_count};

    policy.min_votes = config->min_votes;
    if (policy.min_votes == 0)
        policy.min_votes = notaries >= MIN_VOTES_DEFAULT ? MIN_VOTES_DEFAULT : 1;
    if (config->min_votes > config->quorum)
        return cvg_fail(ret_why, CVG_ERR_CONFIG,
                        "min_votes = %u is more than quorum = %u: no vote could ever agree",
                        config->min_votes, config->quorum);
    if (policy.threshold == CVG_THRESHOLD_COUNT &&
        (policy.count < policy.min_votes || policy.count > config->quorum))
        return cvg_fail(ret_why, CVG_ERR_CONFIG,
                        "threshold = %u is not allowed: from min_votes (%u) to quorum (%u)",
                        policy.count, policy.min_votes, config->quorum);
    *ret_policy = policy;
    return CVG_OK;
}

unsigned cvg_tally_electorate(const struct cvg_tally *tally)
{
    return tally->yes + tally->no + tally->silent + tally->not_public + tally->open;
}

/* The electorate D: never fewer than min_votes. */
static unsigned electorate(const struct cvg_policy *policy, const struct cvg_tally *tally)
{
    unsigned members = cvg_tally_electorate(tally);

    return members > policy->min_votes ? members : policy->min_votes;
}

unsigned cvg_policy_need(const struct cvg_policy *policy, const struct cvg_tally *tally)
{
    unsigned need = 0;

    switch (policy->threshold) {
    case CVG_THRESHOLD_MAJORITY:
        need = electorate(policy, tally) / 2 + 1;
        break;
    case CVG_THRESHOLD_CONSENSUS:
        need = electorate(policy, tally);
        break;
    case CVG_THRESHOLD_COUNT:
        need = policy->count;
        break;
    }
    /* Nobody's silence is an agreement, whatever the policy's numbers are. */
    return need > 0 ? need : 1;
}

enum cvg_verdict cvg_policy_verdict(const struct cvg_policy *policy, const struct cvg_tally *tally)
{
    unsigned need = cvg_policy_need(policy, tally);

    if (tally->yes >= need)
        return CVG_VERDICT_AGREE;
    if (tally->not_public >= need)
        return CVG_VERDICT_EXEMPT;
    return tally->no > 0 ? CVG_VERDICT_DISAGREE : CVG_VERDICT_UNDECIDED;
}

bool cvg_policy_decided(const struct cvg_policy *policy, const struct cvg_tally *tally)
{
    unsigned need = cvg_policy_need(policy, tally);

    /* An aside lowers the need by at most the one vote that a yes adds, so if agreement can still
     * be reached at all, it is by all open slots saying yes. The same holds for "not public". */
    switch (cvg_policy_verdict(policy, tally)) {
    case CVG_VERDICT_AGREE:
        return true;
    case CVG_VERDICT_EXEMPT:
        return tally->yes + tally->open < need;
    case CVG_VERDICT_DISAGREE:
        return tally->yes + tally->open < need && tally->not_public + tally->open < need;
    case CVG_VERDICT_UNDECIDED:
    case CVG_VERDICT_NONE:
        break;
    }
    /* Any open slot may still say no. */
    return tally->open == 0;
}
