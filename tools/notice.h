/* SPDX-License-Identifier: MIT */
/* Which verdicts become a notification on somebody's desktop, and its words. Pure. */
#ifndef CVG_TOOLS_NOTICE_H
#define CVG_TOOLS_NOTICE_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/entry.h"

#define CVG_NOTICE_HOSTS    64 /* that are remembered: so many in a minute at most */
#define CVG_NOTICE_EVERY_MS 60000
#define CVG_NOTICE_TEXT_MAX 512

struct cvg_notices {
    struct {
        char host[CVG_HOST_MAX];
        uint64_t at_ms;
    } told[CVG_NOTICE_HOSTS];
    bool portal_told; /* until the notaries are reached again */
};

/* A notification, its body in the markup of the Desktop Notifications Specification: what comes
 * from outside is escaped. Both are ASCII without control characters. */
struct cvg_notice {
    char summary[CVG_NOTICE_TEXT_MAX], body[CVG_NOTICE_TEXT_MAX * 3];
};

/* Whether to tell of the entry: it was refused, and its host was not told of within a minute; or a
 * captive portal is in the way, which is told once. */
bool cvg_notice_due(struct cvg_notices *notices, const struct cvg_entry *entry, uint64_t now_ms,
                    struct cvg_notice *ret_notice);

#endif
