/* SPDX-License-Identifier: MIT */
/* Between what a round of a probe has seen and what is made of that: the verifiers are heard. One
 * hearing goes with a probe through its rounds. One loop. */
#ifndef CVG_NOTARY_HEARING_H
#define CVG_NOTARY_HEARING_H

#include "notary/verifiers.h"

struct cvg_hearing;

/* seen: as it was given, but maybe without chains. examined: all that was said in this probe.
 * Called once per round, maybe inside cvg_hearing_round; the callee may free the hearing. */
typedef void cvg_hearing_done(const struct cvg_probe_result *seen,
                              const struct cvg_examined *examined, void *user);

/* verifiers: NULL where there are none; so is the hearing then, and nothing is said in its rounds.
 */
CVG_MUST_USE enum cvg_error cvg_hearing_new(const struct cvg_verifiers *verifiers,
                                            const struct cvg_endpoint *endpoint,
                                            struct cvg_hearing **ret_hearing);
void cvg_hearing_round(struct cvg_hearing *hearing, struct cvg_verifiers *verifiers,
                       const struct cvg_probe_result *seen, uint64_t timeout_ms,
                       cvg_hearing_done *done, void *user);
/* done of a round under way is not called. NULL is allowed. */
void cvg_hearing_free(struct cvg_hearing *hearing);

#endif
