/* SPDX-License-Identifier: MIT */
/* Votes that did not agree, remembered for seconds: a program that retries in a loop asks the
 * notaries once. Bounded, in memory, never written. One thread. */
#ifndef CVG_ENGINE_NEGATIVE_H
#define CVG_ENGINE_NEGATIVE_H

#include <stdbool.h>

#include "common/base/clock.h"
#include "common/base/endpoint.h"
#include "common/base/fingerprint.h"
#include "common/protocol/message.h"

struct cvg_negative;

/* ttl_s 0: nothing is remembered. The clock must outlive it. The caller frees it. */
CVG_MUST_USE enum cvg_error cvg_negative_new(unsigned ttl_s, const struct cvg_clock *clock,
                                             struct cvg_negative **ret_negative);
void cvg_negative_free(struct cvg_negative *negative);

/* Another ttl from now on, and everything is forgotten (the configuration or notaries changed). */
void cvg_negative_set(struct cvg_negative *negative, unsigned ttl_s);

/* Remembers DISAGREE and UNDECIDED; every other verdict is not taken. */
void cvg_negative_put(struct cvg_negative *negative, const struct cvg_endpoint *endpoint,
                      const struct cvg_fingerprint *fingerprint, const struct cvg_answer *answer);

/* The remembered answer, as it was put; false if there is none or it is too old. */
CVG_MUST_USE bool cvg_negative_find(const struct cvg_negative *negative,
                                    const struct cvg_endpoint *endpoint,
                                    const struct cvg_fingerprint *fingerprint,
                                    struct cvg_answer *ret_answer);

#endif
