/* SPDX-License-Identifier: MIT */
/* What connection.c (requests and answers) and connection-door.c (what comes before the first one)
 * know of a connection, and nobody else. */
#ifndef CVG_NOTARY_CONNECTION_PARTS_H
#define CVG_NOTARY_CONNECTION_PARTS_H

#include "notary/connection.h"
#include "notary/front.h"
#include "notary/guests.h"
#include "notary/reply.h"

enum cvg_connection_state {
    CVG_CONNECTION_NEW = 0, /* not known yet whom it is from */
    CVG_CONNECTION_HANDSHAKE,
    CVG_CONNECTION_READING,
    CVG_CONNECTION_WORKING,
    CVG_CONNECTION_WRITING,
    CVG_CONNECTION_LINGERING,
    CVG_CONNECTION_CLOSED
};

struct cvg_connection {
    uv_timer_t timer;     /* first: casts. Wakes at or before the deadline */
    struct cvg_link link; /* among the front's */
    struct cvg_link turn; /* in one of the front's queues, or alone */
    struct cvg_worker *worker;
    struct cvg_front *front;
    struct cvg_budget_client *client;
    struct cvg_tls_stream *stream;
    enum cvg_connection_state state;
    unsigned guest;  /* 429, 503: over a limit, and told so with its first request; or 0 */
    bool asked;      /* it has made a request */
    bool resting;    /* among the idle ones, with their deadline: only a request ends that */
    bool processing; /* on the stack: answers must not recurse into it */
    bool last;       /* close after this answer */
    bool ended;      /* TLS has said that nothing more comes */
    uint64_t begun_ms;
    uint64_t deadline_ms;
    struct cvg_http *http; /* NULL between requests */
    struct cvg_query *query;
    struct cvg_buffer plain; /* decrypted octets that belong to the next request */
    struct cvg_reply reply;
};

void cvg_connection_close(struct cvg_connection *connection);
void cvg_connection_deadline(struct cvg_connection *connection, uint64_t ms);
/* How long it may be without a request. */
uint64_t cvg_connection_idle_ms(const struct cvg_connection *connection);
/* Does what can be done with what has been received and what the peer takes. */
void cvg_connection_process(struct cvg_connection *connection);

static inline void cvg_connection_count(struct cvg_connection *connection, enum cvg_metric metric,
                                        int64_t n)
{
    cvg_metrics_add(connection->worker->metrics, metric, n);
}

#endif
