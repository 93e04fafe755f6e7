/* SPDX-License-Identifier: MIT */
/* The listening sockets of one loop: takes what comes in, a few at a time so that the connections
 * that are open already are not kept waiting. One loop. */
#ifndef CVG_NOTARY_LISTENER_H
#define CVG_NOTARY_LISTENER_H

#include "notary/sockets.h"
#include "notary/worker.h"

/* Accepts from the socket, which is the listener's from now on. A worker may have any number. */
CVG_MUST_USE enum cvg_error cvg_listener_add(struct cvg_worker *worker,
                                             const struct cvg_socket *socket);

/* Takes what is waiting already, then closes them all. */
void cvg_listeners_drain(struct cvg_worker *worker);
void cvg_listeners_close(struct cvg_worker *worker);

#endif
