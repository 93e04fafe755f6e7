/* SPDX-License-Identifier: MIT */
/* What the agent remembers of its verdicts: the command `log` (doc/commands.md). */
#ifndef CVG_TOOLS_HISTORY_H
#define CVG_TOOLS_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/entry.h"
#include "tools/installation.h"

struct cvg_history_query {
    int64_t since_s;          /* 0: not limited */
    bool have_until;          /* else until_s is not looked at */
    int64_t until_s;
    const char *host;         /* NULL: all */
    uint16_t port;            /* 0: all */
};

/* Gives the entries, oldest first, with the JSON that they were read from. False ends it. */
typedef bool cvg_history_handler(const struct cvg_entry *entry, const json_t *object, void *user);

/* Starts the agent, which has the history, if it does not run. The handler must not wait for
 * anybody: the agent would not wait for it. Returns CVG_GO_ON, or the exit code after saying why;
 * entries may have been given before that. */
int cvg_history_read(const struct cvg_installation *installation,
                     const struct cvg_history_query *query, cvg_history_handler *handler,
                     void *user);

#endif
