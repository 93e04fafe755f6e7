/* SPDX-License-Identifier: MIT */
/* The index: open addressing with linear probing, at most two thirds full. */
#include "common/engine/cache-index.h"

#include <stdlib.h>

#define CAPACITY_FIRST 256

void cvg_index_free(struct cvg_index *index)
{
    free(index->slot);
    *index = (struct cvg_index){.slot = NULL};
}

static void insert(struct cvg_index *index, struct cvg_index_slot slot)
{
    size_t i = slot.hash & (index->capacity - 1);

    while (index->slot[i].place != 0)
        i = (i + 1) & (index->capacity - 1);
    index->slot[i] = slot;
    index->count++;
}

static enum cvg_error grow(struct cvg_index *index)
{
    struct cvg_index larger = {.capacity = index->capacity * 2};

    if (larger.capacity == 0)
        larger.capacity = CAPACITY_FIRST;
    larger.slot = calloc(larger.capacity, sizeof *larger.slot);
    if (larger.slot == NULL)
        return CVG_ERR_NOMEM;
    for (size_t i = 0; i < index->capacity; i++)
        if (index->slot[i].place != 0)
            insert(&larger, index->slot[i]);
    free(index->slot);
    *index = larger;
    return CVG_OK;
}

enum cvg_error cvg_index_add(struct cvg_index *index, uint32_t hash, uint32_t place)
{
    if (index->count + 1 > index->capacity / 3 * 2 && grow(index) != CVG_OK)
        return CVG_ERR_NOMEM;
    insert(index, (struct cvg_index_slot){hash, place});
    return CVG_OK;
}

/* Closes the gap: a slot behind it that no longer could be reached moves into it. */
static void close_gap(struct cvg_index *index, size_t gap)
{
    size_t mask = index->capacity - 1;

    for (size_t i = (gap + 1) & mask; index->slot[i].place != 0; i = (i + 1) & mask) {
        size_t home = index->slot[i].hash & mask;

        if (((i - home) & mask) < ((i - gap) & mask))
            continue;
        index->slot[gap] = index->slot[i];
        gap = i;
    }
    index->slot[gap].place = 0;
}

void cvg_index_remove(struct cvg_index *index, uint32_t hash, uint32_t place)
{
    size_t mask = index->capacity - 1;

    if (index->capacity == 0)
        return;
    for (size_t i = hash & mask; index->slot[i].place != 0; i = (i + 1) & mask)
        if (index->slot[i].hash == hash && index->slot[i].place == place) {
            close_gap(index, i);
            index->count--;
            return;
        }
}

uint32_t cvg_index_next(const struct cvg_index *index, uint32_t hash, size_t *cursor)
{
    size_t mask = index->capacity - 1;

    if (index->capacity == 0)
        return 0;
    for (size_t i = (hash + *cursor) & mask; index->slot[i].place != 0; i = (i + 1) & mask) {
        ++*cursor;
        if (index->slot[i].hash == hash)
            return index->slot[i].place;
    }
    return 0;
}
