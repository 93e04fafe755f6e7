/* SPDX-License-Identifier: MIT */
/* One connection to a Redis server, which nobody here trusts: it is made again when it is lost, at
 * growing intervals, and whatever the server does ends in an answer or in "away". One thread.
 *
 * Commands are written and replies read by hiredis; the connection itself is libuv's, because
 * hiredis 0.14's own asynchronous one ends the process (assert) when a server sends a reply that
 * nobody asked for, reads without a limit, and looks names up in the loop's thread. */
#ifndef CVG_NOTARY_REDIS_LINK_H
#define CVG_NOTARY_REDIS_LINK_H

#include <uv.h>

#include "notary/redis-slots.h"

#define CVG_REDIS_COMMANDS_MAX 2048    /* under way on one connection */
#define CVG_REDIS_REPLY_MAX    4194304 /* octets of a reply */

struct cvg_redis_link;

/* What is the same for all connections of a store; outlives them. */
struct cvg_redis_login {
    const char *user;     /* "" for the default user */
    const char *password; /* "" for none */
    unsigned timeout_ms;  /* to connect and log in, and for one command */
};

/* OK: the reply, which may be an error of Redis, valid during the call. UNREACHABLE: the connection
 * was lost or timed out; whether the server did it is unknown. */
typedef void cvg_redis_done(enum cvg_error err, const struct redisReply *reply, void *user);

/* Called when the link comes up or goes away. The link may be freed in it. */
typedef void cvg_redis_changed(struct cvg_redis_link *link, void *user);

/* Begins to connect. login is borrowed. */
CVG_MUST_USE enum cvg_error cvg_redis_link_new(uv_loop_t *loop, const struct cvg_redis_node *node,
                                               const struct cvg_redis_login *login,
                                               cvg_redis_changed *changed, void *user,
                                               struct cvg_redis_link **ret_link);
/* No done is called any more, the memory goes when the loop has run. NULL is allowed. */
void cvg_redis_link_free(struct cvg_redis_link *link);

/* Sends a command in Redis' form (copied) and calls done once, later. UNREACHABLE: the server is
 * away; BUSY: too many under way; done is not called then. While the first attempt to connect goes
 * on, commands wait for it. */
CVG_MUST_USE enum cvg_error cvg_redis_link_send(struct cvg_redis_link *link, const void *command,
                                                size_t len, cvg_redis_done *done, void *user);

bool cvg_redis_link_up(const struct cvg_redis_link *link);   /* it has answered, and is connected */
bool cvg_redis_link_away(const struct cvg_redis_link *link); /* it failed, and was not up since */
size_t cvg_redis_link_busy(const struct cvg_redis_link *link); /* commands under way */
const struct cvg_redis_node *cvg_redis_link_node(const struct cvg_redis_link *link);

#endif
