/* SPDX-License-Identifier: MIT */
/* Answers requests: version 1, version 2, bundles. One loop. */
#ifndef CVG_NOTARY_QUERY_H
#define CVG_NOTARY_QUERY_H

#include "notary/connection.h"

struct cvg_query; /* a request that waits for probes */

/* Answers the connection's request, now or later. NULL: it is answered. Otherwise the connection
 * cancels the query if it goes away before the answer. */
struct cvg_query *cvg_query_start(struct cvg_worker *worker, struct cvg_connection *connection,
                                  const struct cvg_http_request *request);
void cvg_query_cancel(struct cvg_query *query); /* NULL is allowed */

#endif
