/* SPDX-License-Identifier: MIT */
/* Token buckets. A token is counted in MINUTE units, so that a rate per minute and a clock in
 * milliseconds need no fractions: each millisecond adds per_minute units. */
#include "common/engine/budget.h"

#include <stdlib.h>

#define USERS_MAX 1024
#define MINUTE    60000 /* milliseconds, and units of one token */

struct bucket {
    uint32_t uid;
    uint64_t units; /* at last_ms */
    uint64_t last_ms;
};

struct cvg_budget {
    const struct cvg_clock *clock;
    unsigned per_minute;
    size_t count;
    struct bucket bucket[USERS_MAX];
};

static uint64_t full(const struct cvg_budget *budget)
{
    return (uint64_t)budget->per_minute * MINUTE;
}

static void refill(const struct cvg_budget *budget, struct bucket *bucket, uint64_t now_ms)
{
    uint64_t elapsed_ms = now_ms > bucket->last_ms ? now_ms - bucket->last_ms : 0;

    /* A minute fills any bucket; more would only overflow. */
    if (elapsed_ms > MINUTE)
        elapsed_ms = MINUTE;
    bucket->units += elapsed_ms * budget->per_minute;
    if (bucket->units > full(budget))
        bucket->units = full(budget);
    bucket->last_ms = now_ms;
}

/* A new user's place: a free one, else that of the user who has used least of the budget; so who
 * has used it up is not forgotten by asking under many uids. */
static struct bucket *place(struct cvg_budget *budget, uint64_t now_ms)
{
    struct bucket *most = &budget->bucket[0];

    if (budget->count < USERS_MAX)
        return &budget->bucket[budget->count++];
    for (size_t i = 0; i < budget->count; i++) {
        refill(budget, &budget->bucket[i], now_ms);
        if (budget->bucket[i].units > most->units)
            most = &budget->bucket[i];
    }
    return most;
}

static struct bucket *bucket_of(struct cvg_budget *budget, uint32_t uid, uint64_t now_ms)
{
    struct bucket *bucket;

    for (size_t i = 0; i < budget->count; i++)
        if (budget->bucket[i].uid == uid)
            return &budget->bucket[i];
    bucket = place(budget, now_ms);
    *bucket = (struct bucket){.uid = uid, .units = full(budget), .last_ms = now_ms};
    return bucket;
}

enum cvg_error cvg_budget_new(unsigned per_minute, const struct cvg_clock *clock,
                              struct cvg_budget **ret_budget)
{
    struct cvg_budget *budget = calloc(1, sizeof *budget);

    if (budget == NULL)
        return CVG_ERR_NOMEM;
    budget->clock = clock;
    budget->per_minute = per_minute;
    *ret_budget = budget;
    return CVG_OK;
}

void cvg_budget_free(struct cvg_budget *budget)
{
    free(budget);
}

void cvg_budget_set(struct cvg_budget *budget, unsigned per_minute)
{
    uint64_t now_ms = cvg_clock_ms(budget->clock);

    for (size_t i = 0; i < budget->count; i++)
        refill(budget, &budget->bucket[i], now_ms);
    budget->per_minute = per_minute;
    for (size_t i = 0; i < budget->count; i++)
        refill(budget, &budget->bucket[i], now_ms);
}

bool cvg_budget_take(struct cvg_budget *budget, uint32_t uid)
{
    uint64_t now_ms = cvg_clock_ms(budget->clock);
    struct bucket *bucket = bucket_of(budget, uid, now_ms);

    refill(budget, bucket, now_ms);
    if (bucket->units < MINUTE)
        return false;
    bucket->units -= MINUTE;
    return true;
}
