/* SPDX-License-Identifier: MIT */
/* Which addresses may be probed and relayed to: globally reachable ones that are not the notary's
 * own, and those that the configuration allows by name. One loop. */
#ifndef CVG_NOTARY_FILTER_H
#define CVG_NOTARY_FILTER_H

#include "notary/settings.h"

struct cvg_filter;

/* Takes the machine's addresses from its interfaces, too: once, so a machine that gets others needs
 * a SIGHUP. RANGE: there are more public ones than it can know. The caller frees. */
CVG_MUST_USE enum cvg_error cvg_filter_new(const struct cvg_settings *settings,
                                           struct cvg_filter **ret_filter);
void cvg_filter_free(struct cvg_filter *filter);
/* Makes the filter the same as another, in place: probes under way go on with it. */
void cvg_filter_copy(const struct cvg_filter *from, struct cvg_filter *ret_to);

bool cvg_filter_allows(const struct cvg_filter *filter, const struct cvg_address *address);

/* Whether special-use names (RFC 6761) may be looked up at all: only where special-purpose
 * addresses are allowed by name. */
bool cvg_filter_inside(const struct cvg_filter *filter);

#endif
