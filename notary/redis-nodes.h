/* SPDX-License-Identifier: MIT */
/* The servers of a store and which of them has which slot: found out from any server that answers,
 * at a bounded rate, and again whenever there is doubt. A single server has all slots. One thread.
 *
 * A server that lies can lead the notary to other addresses, of which there are at most as many as
 * a cluster may have; what they say is believed no more than what the others say. */
#ifndef CVG_NOTARY_REDIS_NODES_H
#define CVG_NOTARY_REDIS_NODES_H

#include "notary/redis-link.h"

struct cvg_redis_nodes;

/* Begins to connect. login is borrowed, the servers are copied. */
CVG_MUST_USE enum cvg_error cvg_redis_nodes_new(uv_loop_t *loop,
                                                const struct cvg_redis_node *server, size_t count,
                                                const struct cvg_redis_login *login,
                                                struct cvg_redis_nodes **ret_nodes);
void cvg_redis_nodes_free(struct cvg_redis_nodes *nodes); /* NULL is allowed */

/* Who has the slot, as far as is known; NULL: nobody. */
struct cvg_redis_link *cvg_redis_nodes_owner(const struct cvg_redis_nodes *nodes, unsigned slot);
/* The link to a server that a redirection names; NULL: there is no room for it. */
struct cvg_redis_link *cvg_redis_nodes_at(struct cvg_redis_nodes *nodes,
                                          const struct cvg_redis_node *node);

void cvg_redis_nodes_moved(struct cvg_redis_nodes *nodes, unsigned slot,
                           const struct cvg_redis_node *node);
/* That server takes no writes. */
void cvg_redis_nodes_replica(struct cvg_redis_nodes *nodes, const struct cvg_redis_link *link);
/* Something did not work: the map may be old. */
void cvg_redis_nodes_doubt(struct cvg_redis_nodes *nodes);

/* The masters, as far as is known, at most max of them; returns how many. */
size_t cvg_redis_nodes_masters(const struct cvg_redis_nodes *nodes,
                               struct cvg_redis_link **ret_link, size_t max);
/* Rises whenever a server that was up is lost, and whenever another becomes master of a slot: what
 * the former one had confirmed may be gone with it. */
unsigned cvg_redis_nodes_losses(const struct cvg_redis_nodes *nodes);

/* The first answer has come, or it is known that none comes now. */
bool cvg_redis_nodes_settled(const struct cvg_redis_nodes *nodes);
/* Every slot has a server, and all of those answer. */
bool cvg_redis_nodes_up(const struct cvg_redis_nodes *nodes);

#endif
