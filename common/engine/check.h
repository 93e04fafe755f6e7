/* SPDX-License-Identifier: MIT */
/* A check: from a program's question to what its handshake should do. Decides what has to be asked
 * at all (exemptions, cache, budgets), asks for every port candidate, keeps the deadline. One
 * thread. */
#ifndef CVG_ENGINE_CHECK_H
#define CVG_ENGINE_CHECK_H

#include "common/engine/ballot.h"
#include "common/engine/cache.h"

struct cvg_checks;
struct cvg_check; /* one that is waiting for notaries */

/* What happened since the start, for `status`. */
struct cvg_check_counts {
    uint64_t agree, disagree, undecided, exempt, cached;
};

/* cache may be NULL. world and cache must outlive the checks. */
CVG_MUST_USE enum cvg_error cvg_checks_new(const struct cvg_world *world, struct cvg_cache *cache,
                                           struct cvg_checks **ret_checks);
/* Forgets the checks under way without an answer. */
void cvg_checks_free(struct cvg_checks *checks);

/* The electorate for the checks from here on; referenced. NULL: every check is refused. */
void cvg_checks_set_electorate(struct cvg_checks *checks, struct cvg_electorate *electorate);

/* Who knows whether a captive portal is in the way. Portals change what an answer says, never what
 * it does. */
struct cvg_portal_watch {
    const char *(*url)(void *user); /* its address, "" if it is not known, NULL: there is none */
    /* No notary could be reached: true if it is being looked for a portal now, whose end
     * cvg_checks_looked will tell. */
    bool (*look)(void *user);
    void *user;
};
/* Copied. Without one nobody looks for portals. */
void cvg_checks_set_portal(struct cvg_checks *checks, const struct cvg_portal_watch *watch);
/* The look is over: who waited for it, always within its own deadline, is answered. */
void cvg_checks_looked(struct cvg_checks *checks);

/* The answer; called exactly once unless forgotten. question is the one asked, with the fingerprint
 * in place of the certificate. */
typedef void cvg_check_done(const struct cvg_question *question, const struct cvg_answer *answer,
                            void *user);

/* Checks. If no notary has to be waited for, done is called before this returns, and *ret_check is
 * NULL. question is copied, its certificate is not needed after the return. */
void cvg_checks_ask(struct cvg_checks *checks, const struct cvg_question *question, uint32_t uid,
                    cvg_check_done *done, void *user, struct cvg_check **ret_check);
/* Takes one question from the user's budget, for what asks notaries without a check. */
CVG_MUST_USE bool cvg_checks_charge(struct cvg_checks *checks, uint32_t uid);

/* The asker is gone. The vote goes on, so that the next one finds it in the cache. */
void cvg_check_forget(struct cvg_check *check);

/* When cvg_checks_tick is to be called next, in monotonic ms; UINT64_MAX: need not. */
uint64_t cvg_checks_next_ms(const struct cvg_checks *checks);
void cvg_checks_tick(struct cvg_checks *checks);

/* How many checks and ballots are under way. */
size_t cvg_checks_pending(const struct cvg_checks *checks);
struct cvg_check_counts cvg_checks_counts(const struct cvg_checks *checks);

#endif
