/* SPDX-License-Identifier: MIT */
/* What was counted at each of the last instants, an hour back at most, so that the status page can
 * say what happens now and not only since the start. Pure; one thread. */
#ifndef CVG_NOTARY_HISTORY_H
#define CVG_NOTARY_HISTORY_H

#include "common/base/error.h"
#include "notary/metrics.h"

#define CVG_HISTORY_STEP_S 10
#define CVG_HISTORY_STEPS  360 /* an hour */

struct cvg_history;

/* It begins with nothing counted, now. */
CVG_MUST_USE enum cvg_error cvg_history_new(uint64_t now_ms, struct cvg_history **ret_history);
void cvg_history_free(struct cvg_history *history); /* NULL is allowed */

/* To be called every CVG_HISTORY_STEP_S seconds. */
void cvg_history_add(struct cvg_history *history, const struct cvg_metrics_sum *sum,
                     uint64_t now_ms);

/* How many steps it knows, and one metric's rate a second in one of them, the oldest first. */
size_t cvg_history_steps(const struct cvg_history *history);
double cvg_history_rate(const struct cvg_history *history, size_t step, enum cvg_metric metric);

/* What has been counted since the oldest instant that it knows, and how long that is. */
void cvg_history_since(const struct cvg_history *history, const struct cvg_metrics_sum *now,
                       uint64_t now_ms, struct cvg_metrics_sum *ret_counted,
                       uint64_t *ret_elapsed_ms);

#endif
