/* SPDX-License-Identifier: MIT */
/* Verifiers: each has an opinion about the certificates that were seen at a target, or stands
 * aside. The network perspective is one of them (it says yes to what is current, and is never asked
 * here); the others are units with this interface, chosen by `verifiers` in notary.conf
 * (verifiers.h). One loop each: every worker has its own. */
#ifndef CVG_NOTARY_VERIFIER_H
#define CVG_NOTARY_VERIFIER_H

#include "common/protocol/v2.h"
#include "notary/metrics.h"
#include "notary/probe.h"

struct cvg_evidence {
    struct cvg_endpoint endpoint;
    struct cvg_sighting sighting[CVG_SIGHTINGS_MAX]; /* with their chains */
    size_t count;
};

/* What one verifier says of each sighting; all NONE: it stands aside. */
struct cvg_judgements {
    enum cvg_verifier_id verifier;
    uint8_t opinion[CVG_SIGHTINGS_MAX]; /* enum cvg_v2_opinion */
};

struct cvg_verification; /* one under way */

/* Called once, from the loop, unless the verification is cancelled. */
typedef void cvg_verifier_done(const struct cvg_judgements *judgements, void *user);

struct cvg_verifier {
    enum cvg_verifier_id id;
    /* evidence is the caller's until done. Either the judgements are known at once (the result is
     * NULL, and *ret_judgements, which is all NONE before, has the opinions) or done comes later,
     * never inside start. A verifier that fails stands aside. */
    struct cvg_verification *(*start)(struct cvg_verifier *verifier,
                                      const struct cvg_evidence *evidence, cvg_verifier_done *done,
                                      void *user, struct cvg_judgements *ret_judgements);
    void (*cancel)(struct cvg_verification *verification); /* NULL: it always speaks at once */
    void (*free)(struct cvg_verifier *verifier);
};

/* TLSA records under DNSSEC. resolver and metrics are borrowed. */
CVG_MUST_USE enum cvg_error cvg_verifier_dane_new(struct cvg_resolver *resolver,
                                                  struct cvg_metrics *metrics,
                                                  struct cvg_verifier **ret_verifier);
/* Embedded SCTs of at least min of the logs that the file lists. CONFIG: the file is no list. */
CVG_MUST_USE enum cvg_error cvg_verifier_ct_new(const char *logs, unsigned min,
                                                struct cvg_verifier **ret_verifier,
                                                struct cvg_why *ret_why);
/* What the operator knows, from a file (pins.h). */
CVG_MUST_USE enum cvg_error cvg_verifier_pins_new(const char *file,
                                                  struct cvg_verifier **ret_verifier,
                                                  struct cvg_why *ret_why);

#endif
