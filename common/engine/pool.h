/* SPDX-License-Identifier: MIT */
/* The notaries that a vote has not asked yet, in the order in which it will. */
#ifndef CVG_ENGINE_POOL_H
#define CVG_ENGINE_POOL_H

#include "common/engine/answer.h"
#include "common/engine/electorate.h"
#include "common/engine/world.h"

struct cvg_pool {
    size_t notary[CVG_BUNDLES_MAX]; /* indexes of the electorate's bundles */
    size_t count;
};

/* All notaries that can answer, in random order; those that failed lately come last, so that they
 * are asked only where there are too few others. */
void cvg_pool_fill(const struct cvg_world *world, const struct cvg_electorate *electorate,
                   const struct cvg_subject *subject, struct cvg_pool *ret_pool);

/* The next one, taken out; CVG_NO_NOTARY if there is none. */
size_t cvg_pool_next(struct cvg_pool *pool);
/* Puts one that has not heard anything at the end of the queue. */
void cvg_pool_return(struct cvg_pool *pool, size_t notary);

/* Takes a relay out: the electorate's present one, whose tunnels are warm, else the first that can.
 * The electorate keeps to it. CVG_NO_NOTARY if there is none. */
size_t cvg_pool_take_relay(struct cvg_pool *pool, struct cvg_electorate *electorate);

#endif
