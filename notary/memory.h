/* SPDX-License-Identifier: MIT */
/* All targets in memory, for all loops: shards by the hash of the key, each with a lock and an
 * order of use of its own. Any thread.
 *
 * A shard's lock is held between acquire (or find, lock) and release: for looking, changing and at
 * most an elliptic curve's signature; never across I/O, a wait, or a callback. Who holds one takes
 * no other shard's. */
#ifndef CVG_NOTARY_MEMORY_H
#define CVG_NOTARY_MEMORY_H

#include "notary/target.h"

struct cvg_memory;

/* max_targets: beyond it the least recently used ones of the shard that grows make room; those that
 * have a flight or pins stay, so that there may be one more a shard. shards: a power of two. */
CVG_MUST_USE enum cvg_error cvg_memory_new(size_t max_targets, size_t shards,
                                           struct cvg_memory **ret_memory);
void cvg_memory_free(struct cvg_memory *memory); /* nobody uses it any more */
void cvg_memory_set_max(struct cvg_memory *memory, size_t max_targets);
size_t cvg_memory_count(const struct cvg_memory *memory);

/* The target, its shard locked: one that is there already, or a new one about which nothing is
 * known. It has been used now. */
CVG_MUST_USE enum cvg_error cvg_memory_acquire(struct cvg_memory *memory,
                                               const struct cvg_endpoint *endpoint, uint8_t hint,
                                               uint64_t now_ms, struct cvg_target **ret_target);
/* The same, but NULL, and nothing locked, if it is not there. */
struct cvg_target *cvg_memory_find(struct cvg_memory *memory, const struct cvg_endpoint *endpoint,
                                   uint8_t hint, uint64_t now_ms);
void cvg_memory_release(struct cvg_target *target);
/* Locks the shard of a target with a flight or a pin again. */
void cvg_memory_lock(struct cvg_target *target);
/* Forgets a locked target without flight or pins; its shard stays locked. */
void cvg_memory_drop(struct cvg_memory *memory, struct cvg_target *target);
/* The same for one about which nothing is known, so that names that nobody could look at do not
 * push out others; any other stays. */
void cvg_memory_drop_unknown(struct cvg_memory *memory, struct cvg_target *target);

/* For those who come back to a shard whose target may have gone. */
void cvg_shard_lock(struct cvg_shard *shard);
void cvg_shard_unlock(struct cvg_shard *shard);

/* Shows about one part in so many of a shard's targets, with its lock held; *bucket, at first 0,
 * says where that part begins, and is 0 again after the last. visit may drop the target. */
typedef void cvg_memory_visit(struct cvg_target *target, void *user);
size_t cvg_memory_shards(const struct cvg_memory *memory);
void cvg_memory_walk(struct cvg_memory *memory, size_t shard, size_t *bucket, size_t parts,
                     cvg_memory_visit *visit, void *user);

#endif
