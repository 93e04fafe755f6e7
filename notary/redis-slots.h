/* SPDX-License-Identifier: MIT */
/* Which server of a Redis Cluster has a key: hash slots, the map of slots to masters. Pure. */
#ifndef CVG_NOTARY_REDIS_SLOTS_H
#define CVG_NOTARY_REDIS_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

#define CVG_REDIS_SLOTS     16384
#define CVG_REDIS_NODES_MAX 256 /* masters of a cluster; the servers of the settings */
#define CVG_REDIS_HOST_MAX  256
#define CVG_REDIS_NO_NODE   UINT16_MAX

struct redisReply; /* hiredis */

struct cvg_redis_node {
    char host[CVG_REDIS_HOST_MAX]; /* a name or an address, without brackets */
    uint16_t port;
};

struct cvg_redis_map {
    struct cvg_redis_node node[CVG_REDIS_NODES_MAX];
    size_t count;
    uint16_t owner[CVG_REDIS_SLOTS]; /* index of the master, or CVG_REDIS_NO_NODE */
};

/* A key's slot: CRC16 (XMODEM) of it, or of what stands between its first '{' and the next '}' if
 * that is not empty. */
unsigned cvg_redis_slot(const void *key, size_t len);

/* Takes over a host as a server names it. False: it is none, or too long. An empty one, and "?"
 * (a server that does not know its own), is the one that was asked. */
bool cvg_redis_host(const char *text, size_t len, const char *asked, char ret_host[static 256]);

bool cvg_redis_node_equal(const struct cvg_redis_node *a, const struct cvg_redis_node *b);

/* The answer to CLUSTER SLOTS, given by the server at asked. PROTOCOL: it is none that makes sense;
 * RANGE: too many masters. On failure the map is of no use. */
CVG_MUST_USE enum cvg_error cvg_redis_map_parse(const struct redisReply *reply, const char *asked,
                                                struct cvg_redis_map *ret_map);

#endif
