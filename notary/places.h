/* SPDX-License-Identifier: MIT */
/* Where in which segment the newest record of a key lies: sixteen octets a key, the key itself not
 * among them. A hash stands for it, so whoever finds a place reads the key there and compares. One
 * thread changes it; nobody reads meanwhile. */
#ifndef CVG_NOTARY_PLACES_H
#define CVG_NOTARY_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

struct cvg_places;

struct cvg_place {
    uint32_t segment; /* its number, from 1 */
    uint32_t at;
};

CVG_MUST_USE enum cvg_error cvg_places_new(struct cvg_places **ret_places);
void cvg_places_free(struct cvg_places *places);

/* Sets or replaces. NOMEM: nothing is changed. */
CVG_MUST_USE enum cvg_error cvg_places_put(struct cvg_places *places, const void *key,
                                           size_t key_len, struct cvg_place place);
bool cvg_places_find(const struct cvg_places *places, const void *key, size_t key_len,
                     struct cvg_place *ret_place);
/* Forgets all places in that segment, and gives back memory that is not needed any more. */
void cvg_places_drop(struct cvg_places *places, uint32_t segment);
size_t cvg_places_count(const struct cvg_places *places);

#endif
