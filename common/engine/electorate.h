/* SPDX-License-Identifier: MIT */
/* What one reading of the configuration gave: the settings, the notaries, and how they vote.
 * Checks under way keep the one they began with, so it is counted. One thread. */
#ifndef CVG_ENGINE_ELECTORATE_H
#define CVG_ENGINE_ELECTORATE_H

#include <stdint.h>

#include "common/base/config.h"
#include "common/engine/anchors.h"
#include "common/engine/bundle.h"
#include "common/engine/policy.h"
#include "common/engine/voter.h"

enum cvg_notary_health { CVG_NOTARY_UNTRIED = 0, CVG_NOTARY_OK, CVG_NOTARY_FAILING };

/* How a notary did lately, for `status`. */
struct cvg_notary_state {
    enum cvg_notary_health health;
    uint32_t last_ms;
    enum cvg_error last_error;
};

#define CVG_NO_NOTARY SIZE_MAX

struct cvg_electorate {
    unsigned refs;
    struct cvg_config config;
    struct cvg_policy policy;
    struct cvg_bundles bundles;
    struct cvg_voter voter[CVG_BUNDLES_MAX]; /* who each bundle's notary is */
    struct cvg_anchors *anchors;             /* NULL: no anchor is private */
    struct cvg_notary_state state[CVG_BUNDLES_MAX];
    size_t relay; /* the relay in use, whose tunnels are warm; CVG_NO_NOTARY: none chosen */
};

/* Takes over the bundles (also on failure). CONFIG if the settings and the number of notaries make
 * every agreement impossible. */
CVG_MUST_USE enum cvg_error cvg_electorate_new(const struct cvg_config *config,
                                               struct cvg_bundles *bundles,
                                               struct cvg_electorate **ret_electorate,
                                               struct cvg_why *ret_why);
/* Reads the installation's configuration and bundles. */
CVG_MUST_USE enum cvg_error cvg_electorate_load(struct cvg_paths *ret_paths,
                                                struct cvg_electorate **ret_electorate,
                                                struct cvg_why *ret_why);
struct cvg_electorate *cvg_electorate_ref(struct cvg_electorate *electorate);
void cvg_electorate_unref(struct cvg_electorate *electorate);

/* Whether the notary serves as a relay for others. */
bool cvg_notary_can_relay(const struct cvg_bundle *notary);

/* Whether questions go through a relay. */
bool cvg_electorate_bounces(const struct cvg_electorate *electorate);

#endif
