/* SPDX-License-Identifier: MIT */
/* Which questions the policy puts to nobody (doc/architecture.md, "Exempt"). Pure; any thread. */
#ifndef CVG_ENGINE_EXEMPT_H
#define CVG_ENGINE_EXEMPT_H

#include <stdbool.h>

#include "common/base/config.h"
#include "common/protocol/message.h"

/* CVG_REASON_NONE: the notaries are asked. Otherwise why not: NOT_APPLICABLE (no host or no port),
 * EXEMPT_NAME, EXEMPT_ADDRESS, EXEMPT_PORT or EXEMPT_PRIVATE_PKI.
 * anchor_is_private: the chain, which PKI accepted, ends in an anchor that is not public
 * (anchors.h). It counts only if the question says that PKI accepted the chain.
 * The peer's address never exempts a question that has a name: an evil resolver chooses it. */
enum cvg_reason cvg_exempt(const struct cvg_config *config, const struct cvg_question *question,
                           bool anchor_is_private);

/* Whether a pattern of exempt_names covers a normal host: a name or address itself, or "*.domain":
 * every name below the domain, not the domain. Letters' case does not matter. */
bool cvg_exempt_pattern(const char *pattern, const char *host);

#endif
