/* SPDX-License-Identifier: MIT */
/* All targets in memory, in shards. */
#include "notary/memory.h"

#include <pthread.h>
#include <stdlib.h>

#include "notary/hash.h"

#define WALK_STEP 256 /* buckets that are shown before others have a turn with the lock */

struct cvg_shard {
    pthread_mutex_t lock;
    struct cvg_table *table;
    struct cvg_link used; /* least recently used first */
    /* So that one loop's lock is not in the cache line of another's. */
    char apart[128 - (sizeof(pthread_mutex_t) + 3 * sizeof(void *)) % 64];
};

struct cvg_memory {
    struct cvg_hash_key key;
    atomic_size_t count;
    atomic_size_t max_targets;
    size_t shards; /* a power of two */
    struct cvg_shard shard[];
};

enum cvg_error cvg_memory_new(size_t max_targets, size_t shards, struct cvg_memory **ret_memory)
{
    struct cvg_memory *memory = calloc(1, sizeof(*memory) + shards * sizeof(struct cvg_shard));
    if (memory == NULL)
        return CVG_ERR_NOMEM;
    atomic_init(&memory->count, 0);
    atomic_init(&memory->max_targets, max_targets);
    enum cvg_error err = cvg_hash_key_make(&memory->key);
    for (; err == CVG_OK && memory->shards < shards; memory->shards++) {
        struct cvg_shard *shard = &memory->shard[memory->shards];
        err = cvg_table_new(&shard->table);
        if (err != CVG_OK)
            break;
        pthread_mutex_init(&shard->lock, NULL);
        cvg_list_init(&shard->used);
    }
    if (err != CVG_OK) {
        cvg_memory_free(memory);
        return err;
    }
    *ret_memory = memory;
    return CVG_OK;
}

void cvg_memory_drop(struct cvg_memory *memory, struct cvg_target *target)
{
    cvg_table_remove(target->shard->table, &target->node);
    cvg_list_remove(&target->used);
    cvg_target_free(target);
    atomic_fetch_sub_explicit(&memory->count, 1, memory_order_relaxed);
}

void cvg_memory_drop_unknown(struct cvg_memory *memory, struct cvg_target *target)
{
    if (target->flight == NULL && target->pins == 0 && !target->looked &&
        target->observations.count == 0)
        cvg_memory_drop(memory, target);
}

void cvg_memory_free(struct cvg_memory *memory)
{
    if (memory == NULL)
        return;
    for (size_t i = 0; i < memory->shards; i++) {
        struct cvg_shard *shard = &memory->shard[i];
        while (!cvg_list_empty(&shard->used))
            cvg_memory_drop(memory, CVG_CONTAINER_OF(shard->used.next, struct cvg_target, used));
        cvg_table_free(shard->table);
        pthread_mutex_destroy(&shard->lock);
    }
    free(memory);
}

void cvg_memory_set_max(struct cvg_memory *memory, size_t max_targets)
{
    atomic_store_explicit(&memory->max_targets, max_targets, memory_order_relaxed);
}

size_t cvg_memory_count(const struct cvg_memory *memory)
{
    return atomic_load_explicit(&memory->count, memory_order_relaxed);
}

void cvg_shard_lock(struct cvg_shard *shard)
{
    pthread_mutex_lock(&shard->lock);
}

void cvg_shard_unlock(struct cvg_shard *shard)
{
    pthread_mutex_unlock(&shard->lock);
}

void cvg_memory_lock(struct cvg_target *target)
{
    cvg_shard_lock(target->shard);
}

void cvg_memory_release(struct cvg_target *target)
{
    cvg_shard_unlock(target->shard);
}

static bool is_full(const struct cvg_memory *memory)
{
    return cvg_memory_count(memory) >=
           atomic_load_explicit(&memory->max_targets, memory_order_relaxed);
}

/* Makes room: the least recently used target that nothing is being done about. Those that are busy
 * go to the end of the order as they are met. */
static void make_room(struct cvg_memory *memory, struct cvg_shard *shard)
{
    size_t count = cvg_table_count(shard->table);
    for (size_t i = 0; i < count && is_full(memory); i++) {
        struct cvg_target *target = CVG_CONTAINER_OF(shard->used.next, struct cvg_target, used);
        if (target->flight != NULL || target->pins > 0) {
            cvg_list_remove(&target->used);
            cvg_list_push(&shard->used, &target->used);
            continue;
        }
        cvg_memory_drop(memory, target);
    }
}

static enum cvg_error add(struct cvg_memory *memory, struct cvg_shard *shard, const uint8_t *key,
                          size_t key_len, uint64_t hash, struct cvg_target **ret_target)
{
    make_room(memory, shard);
    enum cvg_error err = cvg_target_new(key, key_len, ret_target);
    if (err != CVG_OK)
        return err;
    (*ret_target)->shard = shard;
    (*ret_target)->node.hash = hash;
    cvg_table_add_hashed(shard->table, &(*ret_target)->node);
    atomic_fetch_add_explicit(&memory->count, 1, memory_order_relaxed);
    return CVG_OK;
}

static enum cvg_error get(struct cvg_memory *memory, const struct cvg_endpoint *endpoint,
                          uint8_t hint, uint64_t now_ms, bool make, struct cvg_target **ret_target)
{
    uint8_t key[CVG_TARGET_KEY_MAX];
    size_t key_len = cvg_target_key(endpoint, hint, key);
    uint64_t hash = cvg_hash(&memory->key, key, key_len);
    struct cvg_shard *shard = &memory->shard[(hash >> 32) & (memory->shards - 1)];
    struct cvg_target *target = NULL;
    enum cvg_error err = CVG_OK;
    cvg_shard_lock(shard);
    struct cvg_node *node = cvg_table_find_hashed(shard->table, hash, key, key_len);
    if (node != NULL)
        target = CVG_CONTAINER_OF(node, struct cvg_target, node);
    else
        err = make ? add(memory, shard, key, key_len, hash, &target) : CVG_ERR_NOT_FOUND;
    if (err != CVG_OK) {
        cvg_shard_unlock(shard);
        return err;
    }
    cvg_list_remove(&target->used);
    cvg_list_push(&shard->used, &target->used);
    target->used_ms = now_ms;
    *ret_target = target;
    return CVG_OK;
}

enum cvg_error cvg_memory_acquire(struct cvg_memory *memory, const struct cvg_endpoint *endpoint,
                                  uint8_t hint, uint64_t now_ms, struct cvg_target **ret_target)
{
    return get(memory, endpoint, hint, now_ms, true, ret_target);
}

struct cvg_target *cvg_memory_find(struct cvg_memory *memory, const struct cvg_endpoint *endpoint,
                                   uint8_t hint, uint64_t now_ms)
{
    struct cvg_target *target = NULL;
    return get(memory, endpoint, hint, now_ms, false, &target) == CVG_OK ? target : NULL;
}

size_t cvg_memory_shards(const struct cvg_memory *memory)
{
    return memory->shards;
}

/* With the lock. */
static void show(struct cvg_shard *shard, size_t *bucket, size_t buckets, cvg_memory_visit *visit,
                 void *user)
{
    for (size_t i = 0; i < buckets; i++) {
        struct cvg_node *next = NULL;
        for (struct cvg_node *node = cvg_table_chain(shard->table, bucket); node != NULL;
             node = next) {
            next = node->next;
            visit(CVG_CONTAINER_OF(node, struct cvg_target, node), user);
        }
        if (*bucket == 0)
            break;
    }
}

void cvg_memory_walk(struct cvg_memory *memory, size_t number, size_t *bucket, size_t parts,
                     cvg_memory_visit *visit, void *user)
{
    struct cvg_shard *shard = &memory->shard[number];
    size_t left = SIZE_MAX;
    do {
        cvg_shard_lock(shard);
        if (left == SIZE_MAX)
            left = (cvg_table_size(shard->table) - 1) / parts + 1;
        size_t step = left < WALK_STEP ? left : WALK_STEP;
        show(shard, bucket, step, visit, user);
        left -= step;
        cvg_shard_unlock(shard);
    } while (left > 0 && *bucket != 0);
}
