/* SPDX-License-Identifier: MIT */
/* Which of several notaries would stand apart most from those that are there. Pure. */
#ifndef CVG_TOOLS_SUGGESTION_H
#define CVG_TOOLS_SUGGESTION_H

#include "tools/diversity.h"

struct cvg_suggestion {
    size_t candidate;                 /* its index */
    bool network, operators, domain, country; /* what it adds: one that none before it has */
};

/* Orders the candidates: first the one that adds most to what is there, then the one that adds most
 * to both, and so on; a new network weighs more than a new operator, that more than a new domain
 * and that more than a new country, and equals stay in the order given. What a bundle does not tell adds nothing, nor does a place
 * that joins what was apart. ret has room for all; returns how many were ordered: as many as
 * CVG_DIVERSITY_MAX leaves room for. */
size_t cvg_suggestion_rank(const struct cvg_diversity_place *have, size_t have_count,
                           const struct cvg_diversity_place *candidates, size_t candidate_count,
                           struct cvg_suggestion *ret);

#endif
