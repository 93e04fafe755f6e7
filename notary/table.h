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

#define CVG_CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
