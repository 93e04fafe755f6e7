/* SPDX-License-Identifier: MIT */
/* Verifiers: each has an opinion about the certificates that were seen at a target, or stands
 * aside. The network perspective is one of them (it says yes to what is current, and is never asked
 * here); the others are units with this interface, chosen by `verifiers` in notary.conf. One loop
 * each: every worker has its own. */
#ifndef CVG_NOTARY_VERIFIER_H
#define CVG_NOTARY_VERIFIER_H

#include <uv.h>

#include "common/protocol/v2.h"
#include "notary/probe.h"
#include "notary/settings.h"

/* What one verifier says of one certificate. */
struct cvg_judgement {
    uint8_t sha256[CVG_SHA256_LEN];
    enum cvg_v2_opinion opinion; /* yes or no */
};

/* What one verifier says of a target. No judgement: it stands aside. */
struct cvg_judgements {
    enum cvg_verifier_id verifier;
    int64_t checked_s;
    struct cvg_judgement judgement[CVG_SIGHTINGS_MAX];
    size_t count;
};

struct cvg_evidence {
    struct cvg_endpoint endpoint;
    uint8_t hint;
    struct cvg_sighting sighting[CVG_SIGHTINGS_MAX]; /* with their chains */
    size_t count;
};

struct cvg_verification; /* one under way */

/* Called once, from the loop, unless the verification is cancelled. */
typedef void cvg_verifier_done(const struct cvg_judgements *judgements, void *user);

struct cvg_verifier {
    enum cvg_verifier_id id;
    const char *name; /* as the configuration has it */
    /* evidence is the caller's until done. Either the judgements are known at once
     * (*ret_verification is NULL and *ret_judgements is filled) or done comes later; a verifier
     * that fails stands aside, and counts that in the metrics. */
    void (*start)(struct cvg_verifier *verifier, const struct cvg_evidence *evidence,
                  cvg_verifier_done *done, void *user, struct cvg_judgements *ret_judgements,
                  struct cvg_verification **ret_verification);
    void (*cancel)(struct cvg_verifier *verifier, struct cvg_verification *verification);
    void (*free)(struct cvg_verifier *verifier);
};

#endif
