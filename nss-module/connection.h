/* SPDX-License-Identifier: MIT */
/* What is known of each TCP connection that carries, or may carry, TLS. Kept by fd->secret, which
 * stays when layers are pushed and popped and descriptors swap their contents. Entries end at
 * close. Any thread, also after fork; no call into NSS or the agent is made while the table is
 * locked. */
#ifndef CVG_NSS_MODULE_CONNECTION_H
#define CVG_NSS_MODULE_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nspr.h>

#include "common/base/endpoint.h"
#include "common/client/pending.h"

/* What went through this connection before our eyes. */
struct cvg_spoken {
    uint64_t sent, received;         /* octets, all of them */
    char connect_host[CVG_HOST_MAX]; /* of the CONNECT request that was sent; empty if none */
    uint16_t connect_port;
};

/* Whether TLS's first handshake message went out or came in as a client's. */
enum cvg_role { CVG_ROLE_UNKNOWN = 0, CVG_ROLE_CLIENT, CVG_ROLE_SERVER };

/* What was decided about a connection and the leaf that it shows. A refusal is about all of it, for
 * ever. */
enum cvg_decision {
    CVG_DECISION_NONE = 0,
    CVG_DECISION_OPEN,
    CVG_DECISION_REFUSED,
    CVG_DECISION_DENIED /* a refusal during the handshake, which may still say so in an alert */
};

/* A connection for as long as it is open. Another one that NSPR gives the same secret later, has
 * another serial. */
struct cvg_connection {
    const PRFilePrivate *secret;
    uint64_t serial; /* 0: nothing is kept (no memory) */
};

struct cvg_leaf {
    const uint8_t *der; /* the caller's */
    size_t len;
};

/* What is kept of the connection; begins an entry for one that is new. owner: its NSS, or whoever
 * will close_all(). */
struct cvg_connection cvg_connection_open(const void *owner, const PRFilePrivate *secret);

/* The entry that there is; serial 0 if there is none. */
struct cvg_connection cvg_connection_find(const PRFilePrivate *secret);
bool cvg_connection_alive(struct cvg_connection connection);

/* After these octets went out (data NULL: so many that nobody saw), or len came in. */
void cvg_connection_sent(struct cvg_connection connection, const void *data, size_t len);
void cvg_connection_received(struct cvg_connection connection, size_t len);

struct cvg_known {
    enum cvg_role role;
    enum cvg_decision decision; /* about this leaf; without one: NONE or a refusal */
    bool waiting;               /* a question about it is not answered yet */
};

/* All zero for a connection that is not kept. leaf may be NULL. */
struct cvg_known cvg_connection_known(const PRFilePrivate *secret, const struct cvg_leaf *leaf);
void cvg_connection_decide(struct cvg_connection connection, const struct cvg_leaf *leaf,
                           enum cvg_decision decision);

/* The question about this leaf that waits for its answer. While one thread has taken it, or is
 * about to ask it (ABSENT), it is BUSY for others; give() ends that, with the question or NULL. One
 * about another leaf is dropped. */
enum cvg_turn { CVG_TURN_BUSY = 0, CVG_TURN_ABSENT, CVG_TURN_TAKEN };
enum cvg_turn cvg_connection_take(struct cvg_connection connection, const struct cvg_leaf *leaf,
                                  struct cvg_pending **ret_pending);
void cvg_connection_give(struct cvg_connection connection, const struct cvg_leaf *leaf,
                         struct cvg_pending *pending);

void cvg_connection_spoken(struct cvg_connection connection, struct cvg_spoken *ret_spoken);

/* The connection is closed; also all of this owner's, or their end will not be seen. */
void cvg_connection_close(const PRFilePrivate *secret);
void cvg_connection_close_all(const void *owner);

#endif
