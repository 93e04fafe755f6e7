/* SPDX-License-Identifier: MIT */
/* One TCP connection that speaks Redis' protocol: looks the name up, connects, writes commands and
 * hands out replies, within limits. It knows nothing of what the replies mean. One thread. */
#ifndef CVG_NOTARY_REDIS_WIRE_H
#define CVG_NOTARY_REDIS_WIRE_H

#include <uv.h>

#include "notary/redis-slots.h"

struct cvg_redis_wire;

struct cvg_redis_wire_calls {
    void (*connected)(void *user);
    void (*reply)(const struct redisReply *reply, void *user);
    /* It is of no use any more; the receiver frees it. reason is for a person. */
    void (*lost)(const char *reason, void *user);
};

/* Begins to connect; turn chooses among several addresses of the host. Calls come later, from the
 * loop. calls and node are borrowed. */
CVG_MUST_USE enum cvg_error cvg_redis_wire_new(uv_loop_t *loop, const struct cvg_redis_node *node,
                                               unsigned turn,
                                               const struct cvg_redis_wire_calls *calls, void *user,
                                               struct cvg_redis_wire **ret_wire);
/* No more calls, also when it is called inside one; the memory goes when the loop has run. NULL is
 * allowed. */
void cvg_redis_wire_free(struct cvg_redis_wire *wire);

/* Writes a copy of the octets; once connected. */
CVG_MUST_USE enum cvg_error cvg_redis_wire_write(struct cvg_redis_wire *wire, const void *data,
                                                 size_t len);

#endif
