/* SPDX-License-Identifier: MIT */
/* This notary as a relay for queries to others: plain HTTP CONNECT to the permitted ports, then
 * octets both ways. It sees who asks, but not what. One loop. */
#ifndef CVG_NOTARY_RELAY_H
#define CVG_NOTARY_RELAY_H

#include "notary/worker.h"

/* Takes an accepted socket. */
void cvg_relay_accept(struct cvg_worker *worker, int fd);

/* Closes all tunnels. A draining notary leaves them open until its time is up. */
void cvg_tunnels_close(struct cvg_worker *worker);

#endif
