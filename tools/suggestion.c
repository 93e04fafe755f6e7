/* SPDX-License-Identifier: MIT */
/* Orders notaries by what each adds to those before it. */
#include "tools/suggestion.h"

#include <string.h>

static struct cvg_suggestion gain_of(const struct cvg_diversity *before,
                                     const struct cvg_diversity *after, size_t candidate)
{
    struct cvg_suggestion gain = {.candidate = candidate};

    gain.network = after->network.groups > before->network.groups && after->near == before->near;
    gain.operators = after->operators.groups > before->operators.groups;
    gain.domain = after->domain.groups > before->domain.groups;
    gain.country = after->country.groups > before->country.groups;
    return gain;
}

static int weight(const struct cvg_suggestion *gain)
{
    return (gain->network ? 8 : 0) + (gain->operators ? 4 : 0) + (gain->domain ? 2 : 0) +
           (gain->country ? 1 : 0);
}

/* places[count] is free for the one that is tried. */
static struct cvg_suggestion best_of(struct cvg_diversity_place *places, size_t count,
                                     const struct cvg_diversity_place *candidates,
                                     size_t candidate_count, const bool *taken)
{
    struct cvg_suggestion best = {.candidate = candidate_count};
    struct cvg_diversity before, after;

    cvg_diversity_judge(places, count, &before);
    for (size_t i = 0; i < candidate_count; i++) {
        struct cvg_suggestion gain;

        if (taken[i])
            continue;
        places[count] = candidates[i];
        cvg_diversity_judge(places, count + 1, &after);
        gain = gain_of(&before, &after, i);
        if (best.candidate == candidate_count || weight(&gain) > weight(&best))
            best = gain;
    }
    return best;
}

size_t cvg_suggestion_rank(const struct cvg_diversity_place *have, size_t have_count,
                           const struct cvg_diversity_place *candidates, size_t candidate_count,
                           struct cvg_suggestion *ret)
{
    struct cvg_diversity_place places[CVG_DIVERSITY_MAX];
    bool taken[CVG_DIVERSITY_MAX] = {false};
    size_t ranked = 0;

    if (have_count > CVG_DIVERSITY_MAX)
        have_count = CVG_DIVERSITY_MAX;
    if (candidate_count > CVG_DIVERSITY_MAX)
        candidate_count = CVG_DIVERSITY_MAX;
    if (have_count > 0)
        memcpy(places, have, have_count * sizeof *have);
    for (; ranked < candidate_count && have_count < CVG_DIVERSITY_MAX; ranked++) {
        ret[ranked] = best_of(places, have_count, candidates, candidate_count, taken);
        taken[ret[ranked].candidate] = true;
        places[have_count++] = candidates[ret[ranked].candidate];
    }
    return ranked;
}
