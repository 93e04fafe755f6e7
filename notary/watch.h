/* SPDX-License-Identifier: MIT */
/* Watches over the whole process for its operator, in the control loop: asks every worker now and
 * then whether it still answers, adds up what all count, and has it told at the status port. */
#ifndef CVG_NOTARY_WATCH_H
#define CVG_NOTARY_WATCH_H

#include "notary/server.h"

struct cvg_watch;

/* server is borrowed; its workers are made, and do not run yet. */
CVG_MUST_USE enum cvg_error cvg_watch_new(struct cvg_server *server, struct cvg_watch **ret_watch);
/* Begins to ask the workers, who run now. */
void cvg_watch_start(struct cvg_watch *watch);
/* close: before the workers' mailboxes go; nothing is served or asked any more. free: after the
 * control loop's mailbox has gone. NULL is allowed. */
void cvg_watch_close(struct cvg_watch *watch);
void cvg_watch_free(struct cvg_watch *watch);

/* Serves what comes to the listening socket, which is the watch's from now on if all is well. */
CVG_MUST_USE enum cvg_error cvg_watch_listen(struct cvg_watch *watch, int fd);
/* Takes no more there: another process does. */
void cvg_watch_stop_listening(struct cvg_watch *watch);

/* Takes in the name and what an identity tells, before it becomes a worker's. NOMEM: all stays as
 * it was. */
CVG_MUST_USE enum cvg_error cvg_watch_take(struct cvg_watch *watch, const char *name,
                                           const struct cvg_identity *identity);

#endif
