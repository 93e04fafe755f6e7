/* SPDX-License-Identifier: MIT */
/* What is told about a target, in both versions' forms, signed; made once and kept with the target
 * until something changes. One loop. */
#ifndef CVG_NOTARY_ANSWER_H
#define CVG_NOTARY_ANSWER_H

#include "common/protocol/v1.h"
#include "notary/identity.h"
#include "notary/inquiry.h"

struct cvg_answerer {
    const struct cvg_identity *identity;
    const struct cvg_clock *clock;
    uint64_t max_age_s;
};

/* Appends a version 2 item (statement and signature) for the finding. */
CVG_MUST_USE enum cvg_error cvg_answer_v2(const struct cvg_answerer *answerer,
                                          const struct cvg_finding *finding,
                                          struct cvg_buffer *ret_item);

/* Appends a version 2 item that this notary has no opinion about the endpoint. */
CVG_MUST_USE enum cvg_error cvg_answer_aside(const struct cvg_answerer *answerer,
                                             const struct cvg_endpoint *endpoint, uint8_t hint,
                                             struct cvg_buffer *ret_item);

/* Appends version 1's JSON: all that was seen of the target, newest first. */
CVG_MUST_USE enum cvg_error cvg_answer_v1(const struct cvg_answerer *answerer,
                                          struct cvg_target *target, struct cvg_buffer *ret_json);

#endif
