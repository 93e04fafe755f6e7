/* SPDX-License-Identifier: MIT */
/* One client's TLS connection: handshake, requests in, answers out, and the time each may take.
 * What a request means is query.h's business. One loop. */
#ifndef CVG_NOTARY_CONNECTION_H
#define CVG_NOTARY_CONNECTION_H

#include "notary/blob.h"
#include "notary/http.h"
#include "notary/worker.h"

struct cvg_connection;

/* Makes what the worker's connections share: worker->front, which the worker frees. */
CVG_MUST_USE enum cvg_error cvg_connections_init(struct cvg_worker *worker);

/* Takes an accepted socket. Where there are too many it is a guest, or closed at once. */
void cvg_connection_accept(struct cvg_worker *worker, int fd);

/* Answers the request that is being worked on, exactly once. body is copied. */
void cvg_connection_answer(struct cvg_connection *connection, unsigned status,
                           const char *content_type, const void *body, size_t body_len);
/* The same with a body that is not copied where it is long; the caller keeps its reference. */
void cvg_connection_answer_blob(struct cvg_connection *connection, unsigned status,
                                const char *content_type, struct cvg_blob *body);
/* Declines with a short text: 429 or 503, and in how many seconds to come again (0: not said). */
void cvg_connection_decline(struct cvg_connection *connection, unsigned status,
                            unsigned retry_after_s);

/* The resource takes these methods alone: 405. */
void cvg_connection_refuse_method(struct cvg_connection *connection, const char *allow);

struct cvg_budget_client *cvg_connection_client(const struct cvg_connection *connection);

/* Closes those that are waiting for another request; the others close after their answer, or if
 * they do not ask in a moment. The worker drains already. */
void cvg_connections_drain(struct cvg_worker *worker);
/* Closes all. */
void cvg_connections_close(struct cvg_worker *worker);

#endif
