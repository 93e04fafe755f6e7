/* SPDX-License-Identifier: MIT */
/* Connects to one endpoint for the relay: name, address filter, its addresses one after another,
 * each within its network's budget. One loop. */
#ifndef CVG_NOTARY_DIAL_H
#define CVG_NOTARY_DIAL_H

#include "notary/budget.h"
#include "notary/filter.h"
#include "notary/resolver.h"

struct cvg_dial;

/* tcp: connected, malloc'd; the callee closes and frees it. NULL: it could not be done, and err is
 * UNREACHABLE, or BUSY where a budget was in the way. Called once, from the loop, unless the dial
 * is cancelled; the dial is gone afterwards. */
typedef void cvg_dial_done(enum cvg_error err, uv_tcp_t *tcp, void *user);

CVG_MUST_USE enum cvg_error cvg_dial_start(uv_loop_t *loop, struct cvg_resolver *resolver,
                                           const struct cvg_filter *filter,
                                           struct cvg_budget *budget,
                                           const struct cvg_endpoint *endpoint, cvg_dial_done *done,
                                           void *user, struct cvg_dial **ret_dial);
void cvg_dial_cancel(struct cvg_dial *dial); /* NULL is allowed */

#endif
