/* SPDX-License-Identifier: MIT */
/* The verifiers that are configured, asked together about what a probe has seen. One loop. */
#ifndef CVG_NOTARY_VERIFIERS_H
#define CVG_NOTARY_VERIFIERS_H

#include "notary/observations.h"
#include "notary/verifier.h"

struct cvg_verifiers;
struct cvg_examination; /* all verifiers over some evidence, under way */

/* What they have said of the certificates that one probe has seen. */
struct cvg_examined {
    unsigned verifiers; /* who was asked: a set of 1 << enum cvg_verifier_id */
    struct cvg_examined_leaf {
        uint8_t sha256[CVG_SHA256_LEN];
        uint8_t opinion[CVG_OPINIONS]; /* enum cvg_v2_opinion, by cvg_opinion_index */
    } leaf[2 * CVG_SIGHTINGS_MAX];     /* of two rounds */
    size_t count;
};

/* Called once, from the loop, unless the examination is cancelled. */
typedef void cvg_examination_done(void *user);

/* Reads the files that the settings name. resolver and metrics are borrowed. CONFIG and the errors
 * of cvg_file_read: a file cannot be used. */
CVG_MUST_USE enum cvg_error cvg_verifiers_new(uv_loop_t *loop, const struct cvg_settings *settings,
                                              struct cvg_resolver *resolver,
                                              struct cvg_metrics *metrics,
                                              struct cvg_verifiers **ret_verifiers,
                                              struct cvg_why *ret_why);
/* Examinations under way go on, and what they need of the verifiers lives that long. NULL is
 * allowed. */
void cvg_verifiers_free(struct cvg_verifiers *verifiers);

/* Asks all of them about what the probe has seen and is not in *examined yet, and adds that to it.
 * seen is only read in this call. The result is NULL if all have spoken; else done comes later,
 * never inside this call, after timeout_ms at the latest, and *examined is to be left alone until
 * then. Who fails or is late stands aside. */
struct cvg_examination *cvg_examination_start(struct cvg_verifiers *verifiers,
                                              const struct cvg_endpoint *endpoint,
                                              const struct cvg_probe_result *seen,
                                              uint64_t timeout_ms, cvg_examination_done *done,
                                              void *user, struct cvg_examined *examined);
void cvg_examination_cancel(struct cvg_examination *examination); /* NULL is allowed */

/* Keeps what was said with those of the certificates that are among the observations. */
void cvg_examined_keep(const struct cvg_examined *examined, int64_t now_s,
                       struct cvg_observations *observations);

#endif
