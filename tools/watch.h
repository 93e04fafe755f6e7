/* SPDX-License-Identifier: MIT */
/* The agent's verdicts as they happen, given to a view: lines, a screen, or notifications. */
#ifndef CVG_TOOLS_WATCH_H
#define CVG_TOOLS_WATCH_H

#include <stdbool.h>

#include "tools/entry.h"
#include "tools/installation.h"

/* How it went on, from a view. */
enum cvg_watch_go { CVG_WATCH_ON = 0, CVG_WATCH_QUIT, CVG_WATCH_FAILED };

struct cvg_view {
    void *user;
    enum cvg_watch_go (*entry)(void *user, const struct cvg_entry *entry, const json_t *object);
    /* That the agent ended, or that there is one again. */
    enum cvg_watch_go (*connected)(void *user, bool is_connected);
    /* Further descriptors to wait for, -1 for none, and what to do when one is readable. */
    int fd[2];
    enum cvg_watch_go (*readable)(void *user, int index);
};

/* Watches until the view ends it or, without `follow`, the agent does. With it, waits for the next
 * agent; none is started. Returns the exit code: OK for QUIT, FAULT for FAILED, UNDECIDED without
 * an agent, after saying so. */
int cvg_watch(const struct cvg_installation *installation, bool follow, struct cvg_view *view);

/* Verdicts on a terminal, with keys. Only where standard input and output are one. */
int cvg_watch_screen(const struct cvg_installation *installation,
                     const struct cvg_entry_filter *filter);

/* Nothing but notifications on the desktop, until the session's bus is gone. */
int cvg_watch_notify(const struct cvg_installation *installation,
                     const struct cvg_entry_filter *filter);

#endif
