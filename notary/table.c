/* SPDX-License-Identifier: MIT */
/* A chained hash table over SipHash-1-3 with a random key. */
#include "notary/table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define FIRST_SIZE 256

struct cvg_table {
    uint64_t key[2];
    struct cvg_node **bucket;
    size_t size; /* a power of two */
    size_t count;
};

static uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static void sip_round(uint64_t v[static 4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static uint64_t sip_hash(const uint64_t key[static 2], const uint8_t *data, size_t len)
{
    uint64_t v[4] = {key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d),
                     key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573)};
    uint64_t last = (uint64_t)len << 56;
    for (; len >= 8; data += 8, len -= 8) {
        uint64_t word;
        memcpy(&word, data, 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    for (size_t i = 0; i < len; i++)
        last |= (uint64_t)data[i] << (8 * i);
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

enum cvg_error cvg_table_new(struct cvg_table **ret_table)
{
    struct cvg_table *table = calloc(1, sizeof(*table));
    if (table == NULL)
        return CVG_ERR_NOMEM;
    table->size = FIRST_SIZE;
    table->bucket = calloc(table->size, sizeof(struct cvg_node *));
    if (table->bucket == NULL || getrandom(table->key, sizeof(table->key), 0) < 0) {
        enum cvg_error err = table->bucket == NULL ? CVG_ERR_NOMEM : CVG_ERR_IO;
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
    uint64_t hash = sip_hash(table->key, key, key_len);
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
    if (table->count >= table->size)
        grow(table);
    node->hash = sip_hash(table->key, node->key, node->key_len);
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
