/* SPDX-License-Identifier: MIT */
/* Drawing notaries. */
#include "common/engine/pool.h"

#include <string.h>

static void shuffle(const struct cvg_world *world, size_t *member, size_t count)
{
    for (size_t left = count; left > 1; left--) {
        size_t place = world->below(world->user, (uint32_t)left);
        size_t last = member[left - 1];

        member[left - 1] = member[place];
        member[place] = last;
    }
}

void cvg_pool_fill(const struct cvg_world *world, const struct cvg_electorate *electorate,
                   const struct cvg_subject *subject, struct cvg_pool *ret_pool)
{
    const struct cvg_bundles *bundles = &electorate->bundles;
    size_t failing[CVG_BUNDLES_MAX], failing_count = 0;

    ret_pool->count = 0;
    for (size_t i = 0; i < bundles->count; i++) {
        if (!cvg_notary_can_answer(bundles->bundle[i], subject))
            continue;
        if (cvg_breaker_allows(world->breaker, bundles->bundle[i]->name))
            ret_pool->notary[ret_pool->count++] = i;
        else
            failing[failing_count++] = i;
    }
    shuffle(world, ret_pool->notary, ret_pool->count);
    shuffle(world, failing, failing_count);
    memcpy(&ret_pool->notary[ret_pool->count], failing, failing_count * sizeof failing[0]);
    ret_pool->count += failing_count;
}

static size_t take(struct cvg_pool *pool, size_t place)
{
    size_t notary = pool->notary[place];

    pool->count--;
    memmove(&pool->notary[place], &pool->notary[place + 1],
            (pool->count - place) * sizeof pool->notary[0]);
    return notary;
}

size_t cvg_pool_next(struct cvg_pool *pool)
{
    return pool->count == 0 ? CVG_NO_NOTARY : take(pool, 0);
}

void cvg_pool_return(struct cvg_pool *pool, size_t notary)
{
    pool->notary[pool->count++] = notary;
}

size_t cvg_pool_take_relay(struct cvg_pool *pool, struct cvg_electorate *electorate)
{
    size_t place = SIZE_MAX;

    for (size_t i = 0; i < pool->count; i++) {
        if (!cvg_notary_can_relay(electorate->bundles.bundle[pool->notary[i]]))
            continue;
        if (place == SIZE_MAX || pool->notary[i] == electorate->relay)
            place = i;
    }
    electorate->relay = place == SIZE_MAX ? CVG_NO_NOTARY : take(pool, place);
    return electorate->relay;
}
