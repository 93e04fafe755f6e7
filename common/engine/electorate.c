/* SPDX-License-Identifier: MIT */
/* Configuration and notaries, read together and kept together. */
#include "common/engine/electorate.h"

#include <stdlib.h>

#define BOUNCE_FROM 4 /* notaries from which on bounce = auto means on */

bool cvg_notary_can_relay(const struct cvg_bundle *notary)
{
    for (size_t i = 0; i < notary->host_count; i++)
        if (notary->host[i].relay_port != 0)
            return true;
    return false;
}

static bool any_can_relay(const struct cvg_bundles *bundles)
{
    for (size_t i = 0; i < bundles->count; i++)
        if (cvg_notary_can_relay(bundles->bundle[i]))
            return true;
    return false;
}

bool cvg_electorate_bounces(const struct cvg_electorate *electorate)
{
    switch (electorate->config.bounce) {
    case CVG_BOUNCE_ON:
        return true;
    case CVG_BOUNCE_OFF:
        return false;
    case CVG_BOUNCE_AUTO:
        break;
    }
    return electorate->bundles.count >= BOUNCE_FROM && any_can_relay(&electorate->bundles);
}

/* A relay casts no vote, so that bouncing among too few can never reach an agreement. */
static enum cvg_error check_bounce(const struct cvg_electorate *electorate, struct cvg_why *ret_why)
{
    size_t voters = electorate->bundles.count;

    if (voters == 0 || !cvg_electorate_bounces(electorate))
        return CVG_OK;
    if (!any_can_relay(&electorate->bundles))
        return cvg_fail(ret_why, CVG_ERR_CONFIG,
                        "bounce = on, but no notary's bundle names a relay port");
    if (voters - 1 < electorate->policy.min_votes || voters < 2)
        return cvg_fail(ret_why, CVG_ERR_CONFIG,
                        "bounce = on with %zu notaries leaves too few to vote: configure at least "
                        "%u, or set bounce = auto",
                        voters, electorate->policy.min_votes + 1);
    return CVG_OK;
}

static enum cvg_error name_voters(struct cvg_electorate *electorate, struct cvg_why *ret_why)
{
    for (size_t i = 0; i < electorate->bundles.count; i++) {
        enum cvg_error err = cvg_voter_of(electorate->bundles.bundle[i], &electorate->voter[i]);

        if (err != CVG_OK)
            return cvg_fail(ret_why, err, "notary %s: %s", electorate->bundles.bundle[i]->name,
                            cvg_strerror(err));
    }
    return CVG_OK;
}

enum cvg_error cvg_electorate_new(const struct cvg_config *config, struct cvg_bundles *bundles,
                                  struct cvg_electorate **ret_electorate, struct cvg_why *ret_why)
{
    struct cvg_electorate *electorate = calloc(1, sizeof *electorate);
    enum cvg_error err;

    if (electorate == NULL) {
        cvg_bundles_free(bundles);
        return cvg_fail(ret_why, CVG_ERR_NOMEM, "out of memory");
    }
    electorate->refs = 1;
    electorate->relay = CVG_NO_NOTARY;
    electorate->bundles = *bundles;
    *bundles = (struct cvg_bundles){0};
    cvg_config_copy(config, &electorate->config);
    err = cvg_policy_of(config, (unsigned)electorate->bundles.count, &electorate->policy, ret_why);
    if (err == CVG_OK)
        err = check_bounce(electorate, ret_why);
    if (err == CVG_OK)
        err = name_voters(electorate, ret_why);
    if (err != CVG_OK) {
        cvg_electorate_unref(electorate);
        return err;
    }
    *ret_electorate = electorate;
    return CVG_OK;
}

enum cvg_error cvg_electorate_load(struct cvg_paths *ret_paths,
                                   struct cvg_electorate **ret_electorate, struct cvg_why *ret_why)
{
    struct cvg_config *config = malloc(sizeof *config);
    struct cvg_electorate *electorate = NULL;
    struct cvg_bundles bundles = {0};
    struct cvg_paths paths;
    enum cvg_error err;

    if (config == NULL)
        return cvg_fail(ret_why, CVG_ERR_NOMEM, "out of memory");
    err = cvg_config_load(config, &paths, ret_why);
    if (err == CVG_OK)
        err = cvg_bundles_load(&paths, &bundles, ret_why);
    if (err == CVG_OK)
        err = cvg_electorate_new(config, &bundles, &electorate, ret_why);
    if (err == CVG_OK)
        err = cvg_anchors_new(config->public_anchors, paths.owner, &electorate->anchors);
    free(config);
    if (err != CVG_OK) {
        cvg_electorate_unref(electorate);
        return err;
    }
    *ret_paths = paths;
    *ret_electorate = electorate;
    return CVG_OK;
}

struct cvg_electorate *cvg_electorate_ref(struct cvg_electorate *electorate)
{
    electorate->refs++;
    return electorate;
}

void cvg_electorate_unref(struct cvg_electorate *electorate)
{
    if (electorate == NULL || --electorate->refs > 0)
        return;
    cvg_bundles_free(&electorate->bundles);
    cvg_anchors_free(electorate->anchors);
    free(electorate);
}
