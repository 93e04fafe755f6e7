/* SPDX-License-Identifier: MIT */
/* This notary as a relay for queries to others: plain HTTP CONNECT to the permitted ports, then
 * octets both ways. It sees who asks, but not what. One loop. */
#ifndef CVG_NOTARY_RELAY_H
#define CVG_NOTARY_RELAY_H

#include "notary/worker.h"

/* Takes the connection that waits at the listener. */
void cvg_relay_accept(struct cvg_worker *worker, uv_stream_t *listener);

/* Closes all tunnels. A draining notary leaves them open until its time is up. */
void cvg_tunnels_close(struct cvg_worker *worker);

#endif
