/* SPDX-License-Identifier: MIT */
/* How a running notary gives its listening sockets to the process that takes its place, without one
 * connection refused: over a unix socket that only the same user and root may speak to.
 *
 * The new process asks, gets every descriptor, makes itself ready, and says so; only then does the
 * old one stop accepting. If the new process fails before, the old one goes on as if nothing had
 * been; while one takes over, another that asks is turned away. Both hold the sockets meanwhile, so
 * no connection that waits in one is lost. */
#ifndef CVG_NOTARY_HANDOVER_H
#define CVG_NOTARY_HANDOVER_H

#include <uv.h>

#include "notary/sockets.h"

/* The old process's side; in one loop. */
struct cvg_handover;

struct cvg_handover_host {
    const struct cvg_sockets *sockets; /* what is given; borrowed */
    /* The new process accepts from now on. Called once; may free the handover. */
    void (*taken)(void *user);
    void *user;
};

/* Listens at the path, in the place of whoever did so before. */
CVG_MUST_USE enum cvg_error cvg_handover_new(uv_loop_t *loop, const char *path,
                                             const struct cvg_handover_host *host,
                                             struct cvg_handover **ret_handover,
                                             struct cvg_why *ret_why);
/* Stops listening and removes the path if it is still its own; the memory goes when the loop has
 * run once more. NULL is allowed. */
void cvg_handover_free(struct cvg_handover *handover);

/* The new process's side; blocks. NOT_FOUND: nobody is there. *ret_connection stays open until the
 * new process is ready; to close it instead is to give up. */
CVG_MUST_USE enum cvg_error cvg_handover_take(const char *path, unsigned timeout_ms,
                                              struct cvg_sockets *ret_sockets, int *ret_connection,
                                              struct cvg_why *ret_why);
/* Tells the old process that this one is ready, and closes the connection. IO: the old one has gone
 * already. */
CVG_MUST_USE enum cvg_error cvg_handover_ready(int connection);

#endif
