/* SPDX-License-Identifier: MIT */
/* Brings a segment's records into Redis: each by compare-and-set, merged with what is there, a
 * bounded number under way, and done only when every one is confirmed. One thread. */
#ifndef CVG_NOTARY_REDIS_ABSORB_H
#define CVG_NOTARY_REDIS_ABSORB_H

#include "common/protocol/message.h"
#include "notary/backend.h"
#include "notary/metrics.h"
#include "notary/redis-cluster.h"
#include "notary/redis-record.h"

struct cvg_redis_absorb;

/* What it works with; all borrowed. */
struct cvg_redis_absorb_parts {
    struct cvg_redis *redis;
    struct cvg_record_keys *keys;
    struct cvg_metrics *metrics;
    const char *prefix;
    int64_t forget_after_s;
    unsigned wait_replicas; /* of each master, that have every record before it is done */
};

/* done comes once, perhaps before this returns; *ret_absorb is NULL then and whenever it is done.
 */
void cvg_redis_absorb_start(const struct cvg_redis_absorb_parts *parts,
                            const struct cvg_segment *segment, cvg_backend_absorbed *done,
                            void *user, struct cvg_redis_absorb **ret_absorb);
/* Once the calls to Redis are ended; done is not called. NULL is allowed. */
void cvg_redis_absorb_free(struct cvg_redis_absorb *absorb);

/* The prefix and the key, as one word; the buffer is initialised here, and the caller frees it. */
CVG_MUST_USE enum cvg_error cvg_redis_key(const char *prefix, const void *key, size_t key_len,
                                          struct cvg_buffer *ret_word);

#endif
