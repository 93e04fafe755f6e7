/* SPDX-License-Identifier: MIT */
/* What is told about a target, in both versions' forms: the whole body of the answer to a query for
 * that target alone, signed; made once and kept with the target until something changes. Each loop
 * has an answerer of its own; targets are locked. */
#ifndef CVG_NOTARY_ANSWER_H
#define CVG_NOTARY_ANSWER_H

#include "common/base/clock.h"
#include "common/protocol/v1.h"
#include "notary/identity.h"
#include "notary/target.h"

struct cvg_answerer {
    const struct cvg_identity *identity;
    unsigned generation; /* of the identity: what others have signed is not handed out */
    const struct cvg_clock *clock;
    uint64_t max_age_s;
    unsigned verifiers; /* whose opinions are told: a set of 1 << enum cvg_verifier_id */
};

/* Where the target's item begins in a version 2 body of one target. */
#define CVG_ANSWER_V2_ITEM 2

/* Version 2: a statement with that status. ret_body is a reference for the caller. */
CVG_MUST_USE enum cvg_error cvg_answer_v2(const struct cvg_answerer *answerer,
                                          struct cvg_target *target, enum cvg_v2_status status,
                                          struct cvg_blob **ret_body);

/* Version 2: this notary has no opinion about the endpoint. */
CVG_MUST_USE enum cvg_error cvg_answer_aside(const struct cvg_answerer *answerer,
                                             const struct cvg_endpoint *endpoint, uint8_t hint,
                                             struct cvg_blob **ret_body);

/* Version 1's JSON: all that was seen of the target, newest first. Signing may take a while, so the
 * lock is let go of meanwhile; the target stays. */
CVG_MUST_USE enum cvg_error cvg_answer_v1(const struct cvg_answerer *answerer,
                                          struct cvg_target *target, struct cvg_blob **ret_body);

#endif
