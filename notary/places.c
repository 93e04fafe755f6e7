/* SPDX-License-Identifier: MIT */
/* An open hash table with linear probing, at most three quarters full. */
#include "notary/places.h"

#include <stdlib.h>

#include "notary/hash.h"

#define FIRST_SIZE 1024

struct entry {
    uint64_t hash;
    struct cvg_place place; /* segment 0: free */
};

struct cvg_places {
    struct cvg_hash_key key;
    struct entry *entry;
    size_t size; /* a power of two */
    size_t count;
};

enum cvg_error cvg_places_new(struct cvg_places **ret_places)
{
    struct cvg_places *places = calloc(1, sizeof(*places));
    if (places == NULL)
        return CVG_ERR_NOMEM;
    places->size = FIRST_SIZE;
    places->entry = calloc(places->size, sizeof(struct entry));
    enum cvg_error err = places->entry == NULL ? CVG_ERR_NOMEM : cvg_hash_key_make(&places->key);
    if (err != CVG_OK) {
        cvg_places_free(places);
        return err;
    }
    *ret_places = places;
    return CVG_OK;
}

void cvg_places_free(struct cvg_places *places)
{
    if (places == NULL)
        return;
    free(places->entry);
    free(places);
}

/* The hash's entry, or the free one where it would go. */
static struct entry *entry_of(struct entry *entries, size_t size, uint64_t hash)
{
    size_t i = hash & (size - 1);
    while (entries[i].place.segment != 0 && entries[i].hash != hash)
        i = (i + 1) & (size - 1);
    return &entries[i];
}

/* Moves all that is not in the left-out segment to a table of that size. */
static bool resize(struct cvg_places *places, size_t size, uint32_t left_out)
{
    struct entry *entries = calloc(size, sizeof(*entries));
    if (entries == NULL)
        return false;
    size_t count = 0;
    for (size_t i = 0; i < places->size; i++) {
        const struct entry *entry = &places->entry[i];
        if (entry->place.segment == 0 || entry->place.segment == left_out)
            continue;
        *entry_of(entries, size, entry->hash) = *entry;
        count++;
    }
    free(places->entry);
    places->entry = entries;
    places->size = size;
    places->count = count;
    return true;
}

enum cvg_error cvg_places_put(struct cvg_places *places, const void *key, size_t key_len,
                              struct cvg_place place)
{
    uint64_t hash = cvg_hash(&places->key, key, key_len);
    struct entry *entry = entry_of(places->entry, places->size, hash);
    if (entry->place.segment == 0 && places->count >= places->size / 4 * 3) {
        if (!resize(places, places->size * 2, 0))
            return CVG_ERR_NOMEM;
        entry = entry_of(places->entry, places->size, hash);
    }
    if (entry->place.segment == 0)
        places->count++;
    *entry = (struct entry){.hash = hash, .place = place};
    return CVG_OK;
}

bool cvg_places_find(const struct cvg_places *places, const void *key, size_t key_len,
                     struct cvg_place *ret_place)
{
    uint64_t hash = cvg_hash(&places->key, key, key_len);
    const struct entry *entry = entry_of(places->entry, places->size, hash);
    if (entry->place.segment == 0)
        return false;
    *ret_place = entry->place;
    return true;
}

/* Without memory for a new table the places stay: whoever follows one finds no such segment. */
void cvg_places_drop(struct cvg_places *places, uint32_t segment)
{
    size_t left = 0, size = FIRST_SIZE;
    for (size_t i = 0; i < places->size; i++)
        if (places->entry[i].place.segment != 0 && places->entry[i].place.segment != segment)
            left++;
    while (left >= size / 2)
        size *= 2;
    (void)!resize(places, size, segment);
}

size_t cvg_places_count(const struct cvg_places *places)
{
    return places->count;
}
