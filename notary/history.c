/* SPDX-License-Identifier: MIT */
/* The last hour's counts, in a ring. */
#include "notary/history.h"

#include <stdlib.h>

#define INSTANTS (CVG_HISTORY_STEPS + 1)

struct instant {
    uint64_t ms;
    struct cvg_metrics_sum sum;
};

struct cvg_history {
    size_t oldest;
    size_t count; /* at least 1 */
    struct instant instant[INSTANTS];
};

enum cvg_error cvg_history_new(uint64_t now_ms, struct cvg_history **ret_history)
{
    struct cvg_history *history = calloc(1, sizeof(*history));
    if (history == NULL)
        return CVG_ERR_NOMEM;
    history->count = 1;
    history->instant[0].ms = now_ms;
    *ret_history = history;
    return CVG_OK;
}

void cvg_history_free(struct cvg_history *history)
{
    free(history);
}

static const struct instant *at(const struct cvg_history *history, size_t index)
{
    return &history->instant[(history->oldest + index) % INSTANTS];
}

void cvg_history_add(struct cvg_history *history, const struct cvg_metrics_sum *sum,
                     uint64_t now_ms)
{
    if (history->count == INSTANTS)
        history->oldest = (history->oldest + 1) % INSTANTS;
    else
        history->count++;
    history->instant[(history->oldest + history->count - 1) % INSTANTS] =
        (struct instant){.ms = now_ms, .sum = *sum};
}

size_t cvg_history_steps(const struct cvg_history *history)
{
    return history->count - 1;
}

double cvg_history_rate(const struct cvg_history *history, size_t step, enum cvg_metric metric)
{
    const struct instant *begin = at(history, step), *end = at(history, step + 1);
    if (end->ms <= begin->ms)
        return 0;
    return (double)(end->sum.value[metric] - begin->sum.value[metric]) * 1000 /
           (double)(end->ms - begin->ms);
}

void cvg_history_since(const struct cvg_history *history, const struct cvg_metrics_sum *now,
                       uint64_t now_ms, struct cvg_metrics_sum *ret_counted,
                       uint64_t *ret_elapsed_ms)
{
    const struct instant *oldest = at(history, 0);
    *ret_counted = *now;
    *ret_elapsed_ms = now_ms - oldest->ms;
    for (size_t i = 0; i < CVG_METRICS_COUNT; i++)
        ret_counted->value[i] -= oldest->sum.value[i];
    for (size_t i = 0; i < CVG_TIMINGS_COUNT; i++) {
        const struct cvg_durations *before = &oldest->sum.timing[i];
        struct cvg_durations *counted = &ret_counted->timing[i];
        counted->sum_us -= before->sum_us;
        for (size_t j = 0; j < CVG_TIMING_BUCKETS; j++)
            counted->bucket[j] -= before->bucket[j];
    }
}
