/* SPDX-License-Identifier: MIT */
/* When targets are looked at again, and when they are forgotten. */
#include "notary/refresh.h"

#include <stdlib.h>

#define ROUNDS 32 /* walks through all of memory in one greatest age */

struct cvg_refresher {
    struct cvg_inquirer *inquirer;
    struct cvg_memory *memory;
    const struct cvg_clock *clock;
    struct cvg_refresh_limits limits;
    size_t share, shares;
    size_t shard; /* where the walk is */
    size_t bucket;
    uint64_t now_ms; /* of this tick */
    int64_t now_s;
};

/* Spreads the bits of a number that may be small. */
static uint64_t mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

uint64_t cvg_refresh_at_ms(uint64_t now_ms, int64_t age_s, uint64_t max_age_s, uint64_t draw)
{
    uint64_t max_ms = 1000 * max_age_s;
    uint64_t after_ms = max_ms / 2 + mix(draw) % (max_ms / 4 + 1);
    /* What was seen in the future says nothing: it is looked at as soon as may be. */
    uint64_t age_ms = age_s < 0 ? after_ms : 1000 * (uint64_t)age_s;
    return now_ms + (age_ms < after_ms ? after_ms - age_ms : 0);
}

uint64_t cvg_refresh_retry_ms(const struct cvg_inquiry_limits *limits)
{
    uint64_t part_ms = 1000 * limits->max_age_s / ROUNDS;
    return part_ms > limits->interval_ms ? part_ms : limits->interval_ms;
}

enum cvg_error cvg_refresher_new(struct cvg_inquirer *inquirer, struct cvg_memory *memory,
                                 const struct cvg_clock *clock, size_t share, size_t shares,
                                 struct cvg_refresher **ret_refresher)
{
    struct cvg_refresher *refresher = calloc(1, sizeof(*refresher));
    if (refresher == NULL)
        return CVG_ERR_NOMEM;
    refresher->inquirer = inquirer;
    refresher->memory = memory;
    refresher->clock = clock;
    refresher->share = refresher->shard = share;
    refresher->shares = shares;
    *ret_refresher = refresher;
    return CVG_OK;
}

void cvg_refresher_free(struct cvg_refresher *refresher)
{
    free(refresher);
}

void cvg_refresher_set(struct cvg_refresher *refresher, const struct cvg_refresh_limits *limits)
{
    refresher->limits = *limits;
}

/* Another loop may have used it since this tick began. */
static bool is_due(const struct cvg_refresher *refresher, const struct cvg_target *target)
{
    return target->refresh_ms != 0 && refresher->now_ms >= target->refresh_ms &&
           refresher->now_ms < target->used_ms + 1000 * refresher->limits.idle_s;
}

/* Whether nobody has seen anything there for so long that it says nothing any more. */
static bool is_stale(const struct cvg_refresher *refresher, const struct cvg_target *target)
{
    return target->observations.count > 0 &&
           refresher->now_s - cvg_observations_newest(&target->observations) >=
               (int64_t)refresher->limits.forget_after_s;
}

static void visit(struct cvg_target *target, void *user)
{
    struct cvg_refresher *refresher = user;
    if (target->flight != NULL || target->pins > 0)
        return;
    if (is_stale(refresher, target))
        cvg_memory_drop(refresher->memory, target);
    else if (is_due(refresher, target) &&
             cvg_inquirer_flights(refresher->inquirer) < refresher->limits.max_flights)
        (void)cvg_inquiry_refresh(refresher->inquirer, target);
}

/* On to the next of the shards of this share; false: that was the last. */
static bool next_shard(struct cvg_refresher *refresher)
{
    refresher->shard += refresher->shares;
    if (refresher->shard < cvg_memory_shards(refresher->memory))
        return true;
    refresher->shard = refresher->share;
    return false;
}

/* One tick of a round: a part of a shard, or several whole ones, as many as the time asks for. */
void cvg_refresher_tick(struct cvg_refresher *refresher)
{
    size_t shards = cvg_memory_shards(refresher->memory);
    if (refresher->share >= shards)
        return;
    size_t mine = (shards - refresher->share - 1) / refresher->shares + 1;
    size_t ticks = (size_t)(1000 * refresher->limits.max_age_s / ROUNDS / CVG_REFRESH_TICK_MS) + 1;
    refresher->now_ms = cvg_clock_ms(refresher->clock);
    refresher->now_s = cvg_clock_wall_s(refresher->clock);
    for (size_t i = 0; i < (mine - 1) / ticks + 1; i++) {
        cvg_memory_walk(refresher->memory, refresher->shard, &refresher->bucket,
                        (ticks - 1) / mine + 1, visit, refresher);
        if (refresher->bucket == 0 && !next_shard(refresher))
            break;
    }
    cvg_inquirer_depart(refresher->inquirer);
}
