/* SPDX-License-Identifier: MIT */
/* What the operator looks at, over plain HTTP, on addresses and a port of its own: /healthz,
 * /metrics, the status page at / and the notary's bundles. Nothing there changes anything, and
 * nothing tells of clients or targets. Few connections, one request each, a few seconds for it. One
 * loop. */
#ifndef CVG_NOTARY_ADMIN_H
#define CVG_NOTARY_ADMIN_H

#include <uv.h>

#include "notary/admin-answer.h"

struct cvg_admin;

/* source is borrowed. */
CVG_MUST_USE enum cvg_error cvg_admin_new(uv_loop_t *loop, const struct cvg_admin_source *source,
                                          struct cvg_admin **ret_admin);
/* Closes all; the memory goes when the loop has run once more. NULL is allowed. */
void cvg_admin_free(struct cvg_admin *admin);

/* Accepts from the listening socket, which is the admin's from now on if all is well. */
CVG_MUST_USE enum cvg_error cvg_admin_listen(struct cvg_admin *admin, int fd);
/* Closes the listening sockets. */
void cvg_admin_stop(struct cvg_admin *admin);

#endif
