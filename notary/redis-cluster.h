/* SPDX-License-Identifier: MIT */
/* A Redis store of one server or of a cluster, behind one call: the command goes to whoever has the
 * key, redirections are followed, what is in passing is tried again. Reads and writes go to masters
 * only. One thread. */
#ifndef CVG_NOTARY_REDIS_CLUSTER_H
#define CVG_NOTARY_REDIS_CLUSTER_H

#include "notary/redis-link.h"

struct cvg_redis;

/* Borrowed: login. The servers are copied; any one that answers tells of the others. Several that
 * are no cluster: the first that answers and takes writes is used. */
CVG_MUST_USE enum cvg_error cvg_redis_new(uv_loop_t *loop, const struct cvg_redis_node *server,
                                          size_t count, const struct cvg_redis_login *login,
                                          struct cvg_redis **ret_redis);
/* No done is called any more, the memory goes when the loop has run. NULL is allowed. */
void cvg_redis_free(struct cvg_redis *redis);

/* One word of a command. */
struct cvg_redis_word {
    const void *data;
    size_t len;
};

/* Sends a command about a key. OK: the reply, which may be an error of Redis other than those that
 * are dealt with here. UNREACHABLE: nobody answered for the key, and whether the command was
 * carried out is unknown. What cannot be done now is tried again for patience_ms at most; with 0
 * only until it is known whom to ask at all. done is called once, perhaps at once. */
void cvg_redis_call(struct cvg_redis *redis, const struct cvg_redis_word *key,
                    const struct cvg_redis_word *word, size_t count, unsigned patience_ms,
                    cvg_redis_done *done, void *user);

/* Waits until so many replicas of every master have all that has been written there so far. */
struct cvg_redis_wait {
    unsigned replicas;
    void (*done)(bool held, void *user); /* called once, perhaps at once */
    void *user;
    size_t pending; /* these two are the wait's own */
    bool failed;
};

/* wait is the caller's, until done. Each master has timeout_ms for it. */
void cvg_redis_wait(struct cvg_redis *redis, unsigned timeout_ms, struct cvg_redis_wait *wait);

/* As cvg_redis_nodes_losses: if it has risen, writes that were confirmed before may be lost. */
unsigned cvg_redis_losses(const struct cvg_redis *redis);

/* Every slot has a master, and all of them answer. */
bool cvg_redis_up(const struct cvg_redis *redis);

#endif
