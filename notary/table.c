/* SPDX-License-Identifier: MIT */
/* A chained hash table. */
#include "notary/table.h"

#include <stdlib.h>
#include <string.h>

#include "notary/hash.h"

#define FIRST_SIZE 256

struct cvg_table {
    struct cvg_hash_key key;
    struct cvg_node **bucket;
    size_t size; /* a power of two */
    size_t count;
};

enum cvg_error cvg_table_new(struct cvg_table **ret_table)
{
    struct cvg_table *table = calloc(1, sizeof(*table));
    if (table == NULL)
        return CVG_ERR_NOMEM;
    table->size = FIRST_SIZE;
    table->bucket = calloc(table->size, sizeof(struct cvg_node *));
    enum cvg_error err = table->bucket == NULL ? CVG_ERR_NOMEM : cvg_hash_key_make(&table->key);
    if (err != CVG_OK) {
        cvg_table_free(table);
        return err;
    }
    *ret_table = table;
    return CVG_OK;
}

void cvg_table_free(struct cvg_table *table)
{
    if (table == NULL)
        return;
    free(table->bucket);
    free(table);
}

struct cvg_node *cvg_table_find(const struct cvg_table *table, const void *key, size_t key_len)
{
    return cvg_table_find_hashed(table, cvg_hash(&table->key, key, key_len), key, key_len);
}

struct cvg_node *cvg_table_find_hashed(const struct cvg_table *table, uint64_t hash,
                                       const void *key, size_t key_len)
{
    struct cvg_node *node = table->bucket[hash & (table->size - 1)];
    while (node != NULL &&
           (node->hash != hash || node->key_len != key_len || memcmp(node->key, key, key_len) != 0))
        node = node->next;
    return node;
}

static void insert(struct cvg_node **bucket, size_t size, struct cvg_node *node)
{
    struct cvg_node **head = &bucket[node->hash & (size - 1)];
    node->next = *head;
    *head = node;
}

/* Doubles the table; without memory it stays as it is, with longer chains. */
static void grow(struct cvg_table *table)
{
    size_t size = table->size * 2;
    struct cvg_node **bucket = calloc(size, sizeof(struct cvg_node *));
    if (bucket == NULL)
        return;
    for (size_t i = 0; i < table->size; i++) {
        struct cvg_node *next = NULL;
        for (struct cvg_node *node = table->bucket[i]; node != NULL; node = next) {
            next = node->next;
            insert(bucket, size, node);
        }
    }
    free(table->bucket);
    table->bucket = bucket;
    table->size = size;
}

void cvg_table_add(struct cvg_table *table, struct cvg_node *node)
{
    node->hash = cvg_hash(&table->key, node->key, node->key_len);
    cvg_table_add_hashed(table, node);
}

void cvg_table_add_hashed(struct cvg_table *table, struct cvg_node *node)
{
    if (table->count >= table->size)
        grow(table);
    insert(table->bucket, table->size, node);
    table->count++;
}

void cvg_table_remove(struct cvg_table *table, struct cvg_node *node)
{
    struct cvg_node **link = &table->bucket[node->hash & (table->size - 1)];
    while (*link != node)
        link = &(*link)->next;
    *link = node->next;
    table->count--;
}

size_t cvg_table_count(const struct cvg_table *table)
{
    return table->count;
}

struct cvg_node *cvg_table_chain(const struct cvg_table *table, size_t *bucket)
{
    struct cvg_node *first = table->bucket[*bucket & (table->size - 1)];
    *bucket = (*bucket + 1) & (table->size - 1);
    return first;
}

size_t cvg_table_size(const struct cvg_table *table)
{
    return table->size;
}
