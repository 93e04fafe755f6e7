/* SPDX-License-Identifier: MIT */
/* Inside the cache: where the records of an endpoint are. A hash table from a 32-bit hash to
 * places, several per hash; the places' meaning is the caller's. One thread. */
#ifndef CVG_ENGINE_CACHE_INDEX_H
#define CVG_ENGINE_CACHE_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

struct cvg_index_slot {
    uint32_t hash;
    uint32_t place; /* 0: the slot is free */
};

struct cvg_index {
    struct cvg_index_slot *slot;
    size_t capacity; /* 0, or a power of two */
    size_t count;
};

/* All zeros is an empty index. */
void cvg_index_free(struct cvg_index *index);

/* Adds a place, which is not 0. NOMEM: the index is as it was. */
CVG_MUST_USE enum cvg_error cvg_index_add(struct cvg_index *index, uint32_t hash, uint32_t place);
void cvg_index_remove(struct cvg_index *index, uint32_t hash, uint32_t place);

/* The places of a hash, one by one: begin with *cursor = 0, end with 0. The index must not change
 * meanwhile. */
uint32_t cvg_index_next(const struct cvg_index *index, uint32_t hash, size_t *cursor);

#endif
