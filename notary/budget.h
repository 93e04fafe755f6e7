/* SPDX-License-Identifier: MIT */
/* What one client network may use: connections at once, and probes a minute. Time is given; one
 * loop. */
#ifndef CVG_NOTARY_BUDGET_H
#define CVG_NOTARY_BUDGET_H

#include <stdbool.h>

#include "notary/address.h"

struct cvg_budget;
struct cvg_budget_client; /* one network's account */

CVG_MUST_USE enum cvg_error cvg_budget_new(struct cvg_budget **ret_budget);
void cvg_budget_free(struct cvg_budget *budget);
void cvg_budget_set(struct cvg_budget *budget, uint64_t connections, uint64_t probes_per_minute);

/* A connection from the address begins: BUSY if its network has too many. The account lives at
 * least until cvg_budget_leave. */
CVG_MUST_USE enum cvg_error cvg_budget_enter(struct cvg_budget *budget,
                                             const struct cvg_address *address, uint64_t now_ms,
                                             struct cvg_budget_client **ret_client);
void cvg_budget_leave(struct cvg_budget *budget, struct cvg_budget_client *client);

/* Takes one probe from the account; false if there is none left. */
bool cvg_budget_probe(struct cvg_budget *budget, struct cvg_budget_client *client, uint64_t now_ms);

#endif
