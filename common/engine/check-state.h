/* SPDX-License-Identifier: MIT */
/* What the parts of a check share; for check*.c only. */
#ifndef CVG_ENGINE_CHECK_STATE_H
#define CVG_ENGINE_CHECK_STATE_H

#include "common/engine/budget.h"
#include "common/engine/check.h"
#include "common/engine/flight.h"

/* One port candidate of a check. */
struct candidate {
    struct cvg_seat seat; /* first: the one is cast to the other */
    struct cvg_check *check;
    uint16_t port;
    enum cvg_verdict verdict; /* NONE: not known yet */
};

/* On the stack while no notary is needed, copied to the heap when one is. */
struct cvg_check {
    struct cvg_check *next, **link;
    struct cvg_checks *owner;
    struct cvg_electorate *electorate;
    uint32_t uid;
    uint64_t started_ms, deadline_ms;
    uint64_t wonder_ms; /* when to look why nobody has answered so far; UINT64_MAX: no more */
    bool looking;       /* its votes are in: nobody answered, and it is being looked why */
    cvg_check_done *done;
    void *user;
    struct cvg_subject subject; /* its endpoint's port is the candidate at hand */
    struct cvg_question question;
    struct candidate candidate[CVG_MESSAGE_PORTS_MAX];
    struct cvg_answer answer;
};

struct cvg_checks {
    const struct cvg_world *world;
    struct cvg_cache *cache;
    struct cvg_negative *negative;
    struct cvg_budget *budget;
    struct cvg_electorate *electorate;
    struct cvg_flights *flights;
    struct cvg_check *pending;
    struct cvg_check_counts counts;
    struct cvg_portal_watch portal; /* all NULL: nobody looks for portals */
};

/* check-conclude.c: give the answer. conclude derives the action from the verdict under the mode;
 * refuse is for when there is no policy to ask. */
void cvg_check_conclude(struct cvg_check *check, enum cvg_verdict verdict, enum cvg_reason reason);
void cvg_check_refuse(struct cvg_check *check, enum cvg_reason reason);
/* Whether the public key was verified before at one of the candidates; the subject then has its
 * port. */
bool cvg_check_knows_key(struct cvg_check *check);

/* Whether on_unreachable = known lets it pass. */
bool cvg_check_known_key(struct cvg_check *check);

/* check-portal.c: looks for portals if no notary answered; whether to wait for what it finds. */
bool cvg_check_looks(struct cvg_check *check);
/* Half of the time is over. */
void cvg_check_wonder(struct cvg_check *check);
void cvg_check_blame_portal(struct cvg_check *check);

/* check-vote.c: settle from votes of a few seconds ago, else ask the notaries. */
void cvg_check_vote(struct cvg_check *here, struct cvg_check **ret_check);
void cvg_check_expire(struct cvg_check *check);
void cvg_check_looked(struct cvg_check *check);

#endif
