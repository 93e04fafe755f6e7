/* SPDX-License-Identifier: MIT */
/* A hash table of octet strings to structures that embed a node, with a random key, so that nobody
 * outside can choose keys that collide. One thread. */
#ifndef CVG_NOTARY_TABLE_H
#define CVG_NOTARY_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

struct cvg_node {
    struct cvg_node *next;
    uint64_t hash;
    const void *key; /* the owner's memory; unchanged while in the table */
    size_t key_len;
};

struct cvg_table;

CVG_MUST_USE enum cvg_error cvg_table_new(struct cvg_table **ret_table);
void cvg_table_free(struct cvg_table *table); /* the nodes are their owners' */

struct cvg_node *cvg_table_find(const struct cvg_table *table, const void *key, size_t key_len);
/* node->key and key_len are set; the key is not in the table. Growing may fail without harm. */
void cvg_table_add(struct cvg_table *table, struct cvg_node *node);
void cvg_table_remove(struct cvg_table *table, struct cvg_node *node);
size_t cvg_table_count(const struct cvg_table *table);
size_t cvg_table_size(const struct cvg_table *table); /* buckets */

/* The same for those who hash themselves, always with one key: hash is the node's. */
struct cvg_node *cvg_table_find_hashed(const struct cvg_table *table, uint64_t hash,
                                       const void *key, size_t key_len);
void cvg_table_add_hashed(struct cvg_table *table, struct cvg_node *node);

/* The chain of bucket number *bucket, which moves on to the next, and from the last back to 0. A
 * table that grows meanwhile shows some nodes twice, and leaves none out. */
struct cvg_node *cvg_table_chain(const struct cvg_table *table, size_t *bucket);

#define CVG_CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
