/* SPDX-License-Identifier: MIT */
/* The listening sockets of one loop. */
#ifndef CVG_NOTARY_LISTENER_H
#define CVG_NOTARY_LISTENER_H

#include "notary/worker.h"

/* Listens on all ports of the settings, at all their addresses. With the default addresses, a
 * machine that lacks one of the families is fine; ret_why names the address that failed. */
CVG_MUST_USE enum cvg_error cvg_listeners_open(struct cvg_worker *worker, struct cvg_why *ret_why);
void cvg_listeners_close(struct cvg_worker *worker);

#endif
