/* SPDX-License-Identifier: MIT */
/* SIGHUP: reads everything again, for all workers, all or nothing. In the control loop. Of
 * server.c. */
#ifndef CVG_NOTARY_RELOAD_H
#define CVG_NOTARY_RELOAD_H

#include "notary/server.h"

/* Throws away a reload that is under way; the threads have ended. */
void cvg_reload_abandon(struct cvg_server *server);

/* What the server itself takes from its settings. */
void cvg_server_apply(struct cvg_server *server);

#endif
