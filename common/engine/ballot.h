/* SPDX-License-Identifier: MIT */
/* One vote of the notaries about one certificate at one endpoint: slots, the relay, silent notaries
 * replaced, the early decision. It knows nothing of who asked. One thread. */
#ifndef CVG_ENGINE_BALLOT_H
#define CVG_ENGINE_BALLOT_H

#include <stdint.h>

#include "common/engine/answer.h"
#include "common/engine/electorate.h"
#include "common/engine/world.h"

struct cvg_ballot;

/* The vote is decided. Called once, from the transport or from cvg_ballot_tick, never from
 * cvg_ballot_new; the callee may free the ballot. */
typedef void cvg_ballot_done(struct cvg_ballot *ballot, void *user);

/* Begins to ask. world must outlive the ballot; the electorate is referenced. */
CVG_MUST_USE enum cvg_error cvg_ballot_new(const struct cvg_world *world,
                                           struct cvg_electorate *electorate,
                                           const struct cvg_subject *subject, uint64_t deadline_ms,
                                           cvg_ballot_done *done, void *user,
                                           struct cvg_ballot **ret_ballot);
/* Lets go of what is under way; answers that still come are read and forgotten. */
void cvg_ballot_free(struct cvg_ballot *ballot);

/* When cvg_ballot_tick is to be called next, in monotonic ms; UINT64_MAX: need not. */
uint64_t cvg_ballot_next_ms(const struct cvg_ballot *ballot);
void cvg_ballot_tick(struct cvg_ballot *ballot);

/* The verdict if everything still open were silent; and who said what so far, with those who have
 * not answered yet as silent (TIMEOUT). */
enum cvg_verdict cvg_ballot_verdict(const struct cvg_ballot *ballot);
struct cvg_tally cvg_ballot_tally(const struct cvg_ballot *ballot);
/* The certificate's digests: the subject's own, or, where only a fingerprint was asked about, those
 * that as many notaries as an agreement needs have stated, and none otherwise. */
bool cvg_ballot_leaf(const struct cvg_ballot *ballot, struct cvg_leaf *ret_leaf);
/* Who said yes; at most CVG_QUORUM_MAX. */
size_t cvg_ballot_yes(const struct cvg_ballot *ballot,
                      struct cvg_voter ret_voter[static CVG_QUORUM_MAX]);
size_t cvg_ballot_votes(const struct cvg_ballot *ballot, struct cvg_vote *ret_votes, size_t max);

#endif
