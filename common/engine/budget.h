/* SPDX-License-Identifier: MIT */
/* How many questions that need notaries each user may ask: a token bucket per uid, in a table of
 * bounded size. One thread. */
#ifndef CVG_ENGINE_BUDGET_H
#define CVG_ENGINE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/base/error.h"

struct cvg_budget;

/* per_minute: the rate, and the most that can be asked at once; 0: nothing. The clock must outlive
 * the budget. The caller frees it. */
CVG_MUST_USE enum cvg_error cvg_budget_new(unsigned per_minute, const struct cvg_clock *clock,
                                           struct cvg_budget **ret_budget);
void cvg_budget_free(struct cvg_budget *budget);

/* Another rate from now on; what is left of a user's minute is kept, up to the new limit. */
void cvg_budget_set(struct cvg_budget *budget, unsigned per_minute);

/* Takes one question from the user's budget; false if it is used up. */
CVG_MUST_USE bool cvg_budget_take(struct cvg_budget *budget, uint32_t uid);

#endif
