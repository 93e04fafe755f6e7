/* SPDX-License-Identifier: MIT */
/* The vote as a pure function (doc/architecture.md, "The vote"). No I/O, no state. Any thread.
 *
 * Slots are filled with distinct logical notaries; a silent notary is replaced in its slot while
 * there are others and time allows, but the slot stays: whoever can drop packets cannot choose the
 * electorate. */
#ifndef CVG_ENGINE_POLICY_H
#define CVG_ENGINE_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/config.h"
#include "common/base/verdict.h"

struct cvg_policy {
    enum cvg_threshold threshold;
    unsigned count; /* the K of CVG_THRESHOLD_COUNT */
    unsigned min_votes;
};

/* The state of the slots: their number is the sum of all six. not_public counts those that ended
 * with a signed "this name is not public": as many of these as an agreement needs exempt the
 * endpoint; they do not shrink the electorate. */
struct cvg_tally {
    unsigned yes, no, aside, silent, not_public; /* slots that have ended */
    unsigned open;                               /* slots still waiting for an answer */
};

/* min_votes and K as they apply with that many notaries configured; CONFIG if K < min_votes, or K
 * or min_votes is above the quorum. */
CVG_MUST_USE enum cvg_error cvg_policy_of(const struct cvg_config *config, unsigned notaries,
                                          struct cvg_policy *ret_policy, struct cvg_why *ret_why);

/* How many yes votes agreement needs, given the asides so far; at least 1. */
unsigned cvg_policy_need(const struct cvg_policy *policy, const struct cvg_tally *tally);

/* How many slots count: all but the asides. */
unsigned cvg_tally_electorate(const struct cvg_tally *tally);

/* The verdict if all open slots were silent: AGREE, EXEMPT (not public), DISAGREE or UNDECIDED. */
enum cvg_verdict cvg_policy_verdict(const struct cvg_policy *policy, const struct cvg_tally *tally);

/* Whether no outcome of the open slots can change that verdict: the early decision. */
bool cvg_policy_decided(const struct cvg_policy *policy, const struct cvg_tally *tally);

#endif
