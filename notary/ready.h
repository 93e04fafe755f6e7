/* SPDX-License-Identifier: MIT */
/* The line with which a notary that serves tells its operator what it is. */
#ifndef CVG_NOTARY_READY_H
#define CVG_NOTARY_READY_H

#include "notary/server.h"

/* Whom the process runs as, by name where there is one. To be called when privileges are dropped,
 * and before system calls are: looking a name up may take any. */
void cvg_ready_user(struct cvg_server *server);
/* Logs name, user, fingerprints and sockets. To be called before the control loop runs. */
void cvg_ready_log(const struct cvg_server *server);

#endif
