/* SPDX-License-Identifier: MIT */
/* What one client network (an IPv4 /24, an IPv6 /56) may use: connections at once, queries and
 * probes a minute; and how often one target network may be connected to. Shared by all workers: any
 * thread, time is given. */
#ifndef CVG_NOTARY_BUDGET_H
#define CVG_NOTARY_BUDGET_H

#include <stdbool.h>

#include "notary/address.h"

struct cvg_budget;
struct cvg_budget_client; /* one client network's account */

struct cvg_budget_limits {
    uint64_t connections;              /* at once, per client network */
    uint64_t queries_per_minute;       /* targets asked about, per client network */
    uint64_t probes_per_minute;        /* per client network */
    uint64_t target_probes_per_minute; /* per target network */
};

CVG_MUST_USE enum cvg_error cvg_budget_new(struct cvg_budget **ret_budget);
void cvg_budget_free(struct cvg_budget *budget);
void cvg_budget_set(struct cvg_budget *budget, const struct cvg_budget_limits *limits);

/* A connection from the address begins: BUSY if its network has too many. The account lives at
 * least until cvg_budget_leave. */
CVG_MUST_USE enum cvg_error cvg_budget_enter(struct cvg_budget *budget,
                                             const struct cvg_address *address, uint64_t now_ms,
                                             struct cvg_budget_client **ret_client);
void cvg_budget_leave(struct cvg_budget *budget, struct cvg_budget_client *client);

/* Take one from the account; 0, or how many seconds until there is one again (Retry-After). */
unsigned cvg_budget_query(struct cvg_budget *budget, struct cvg_budget_client *client,
                          uint64_t now_ms);
unsigned cvg_budget_probe(struct cvg_budget *budget, struct cvg_budget_client *client,
                          uint64_t now_ms);

/* Takes one probe of that address from its network's account; false if there is none left. */
bool cvg_budget_target(struct cvg_budget *budget, const struct cvg_address *address,
                       uint64_t now_ms);

#endif
