/* SPDX-License-Identifier: MIT */
/* What a ballot says, at its end or so far. */
#include "common/engine/ballot-state.h"

enum cvg_verdict cvg_ballot_verdict(const struct cvg_ballot *ballot)
{
    return cvg_policy_verdict(&ballot->electorate->policy, &ballot->tally);
}

struct cvg_tally cvg_ballot_tally(const struct cvg_ballot *ballot)
{
    return ballot->tally;
}

bool cvg_ballot_leaf(const struct cvg_ballot *ballot, struct cvg_leaf *ret_leaf)
{
    if (ballot->subject.have_leaf) {
        *ret_leaf = ballot->subject.leaf;
        return true;
    }
    if (ballot->contradicted ||
        ballot->witnesses < cvg_policy_need(&ballot->electorate->policy, &ballot->tally))
        return false;
    *ret_leaf = ballot->witnessed;
    return true;
}

size_t cvg_ballot_yes(const struct cvg_ballot *ballot,
                      struct cvg_voter ret_voter[static CVG_QUORUM_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < ballot->attempts && count < CVG_QUORUM_MAX; i++)
        if (ballot->attempt[i].vote.kind == CVG_VOTE_YES)
            ret_voter[count++] = ballot->electorate->voter[ballot->attempt[i].notary];
    return count;
}

size_t cvg_ballot_votes(const struct cvg_ballot *ballot, struct cvg_vote *ret_votes, size_t max)
{
    size_t count = 0;

    for (size_t i = 0; i < ballot->attempts && count < max; i++) {
        const struct attempt *attempt = &ballot->attempt[i];

        if (!attempt->counts && attempt->exchange == NULL)
            continue;
        ret_votes[count] = attempt->vote;
        if (attempt->exchange != NULL) {
            ret_votes[count].error = CVG_ERR_TIMEOUT;
            ret_votes[count].elapsed_ms =
                (uint32_t)(cvg_clock_ms(ballot->world->clock) - attempt->started_ms);
        }
        count++;
    }
    return count;
}
