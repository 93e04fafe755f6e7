/* SPDX-License-Identifier: MIT */
/* What the connections of one loop share: TLS buffers, the order of their turns, who is idle, and a
 * parser for whoever is in a request. One loop. */
#ifndef CVG_NOTARY_FRONT_H
#define CVG_NOTARY_FRONT_H

#include "notary/http-date.h"
#include "notary/http.h"
#include "notary/tls-stream.h"
#include "notary/turns.h"

struct cvg_front {
    struct cvg_tls_shared *tls;
    struct cvg_turns *handshakes; /* dear: a few at a time, after the requests that are ready */
    struct cvg_turns *requests;   /* of those who sent very many at once */
    struct cvg_link idle;         /* connections between requests, the longest idle first */
    struct cvg_link shaking;      /* ... whose handshake is not complete, the oldest first */
    struct cvg_link busy;
    struct cvg_link guests;             /* over a limit, and told so: none of the others */
    struct cvg_turns *guest_handshakes; /* after those of all others */
    struct cvg_http *spare;             /* a parser nobody uses now, or NULL */
    struct cvg_buffer text;             /* an answer's first record is put together here */
    struct cvg_http_date date;
};

/* The functions get a connection's link in its turn. */
CVG_MUST_USE enum cvg_error cvg_front_new(uv_loop_t *loop,
                                          void (*on_handshake)(struct cvg_link *link),
                                          void (*on_request)(struct cvg_link *link),
                                          struct cvg_front **ret_front);
/* All connections must be closed. NULL is allowed. */
void cvg_front_free(struct cvg_front *front);

/* A parser for the next request, and back. NULL: there is no memory. */
struct cvg_http *cvg_front_take_http(struct cvg_front *front);
void cvg_front_give_http(struct cvg_front *front, struct cvg_http *http);

#endif
