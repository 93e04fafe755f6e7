/* SPDX-License-Identifier: MIT */
/* Inside the cache: the set of pages, all in memory, with their index, and their writing to the
 * file behind. A record's place is its page's slot and its offset there. One thread. */
#ifndef CVG_ENGINE_CACHE_PAGES_H
#define CVG_ENGINE_CACHE_PAGES_H

#include "common/engine/cache-file.h"
#include "common/engine/cache-index.h"
#include "common/engine/cache-page.h"

#define CVG_PAGES_MAX 4096 /* 32 MiB: some 350,000 records; then the oldest page goes */

struct cvg_pages {
    struct cvg_page *page[CVG_PAGES_MAX];
    size_t filling;   /* the slot whose page records are added to; CVG_PAGES_MAX: none */
    uint32_t next_id; /* rises; so the page with the lowest id is the oldest */
    struct cvg_index index;
    uint32_t seed; /* of the index's hashes */
    uint64_t records;
    size_t unwritten;   /* records added since the last flush */
    bool must_not_last; /* the file has records that somebody wants forgotten */
    char *path;
    struct cvg_cache_file *file;  /* NULL: memory only */
    uint32_t gone[CVG_PAGES_MAX]; /* ids of pages that the file still has */
    size_t gone_count;
};

/* Reads the file at path (NULL: memory only), or begins one; see cvg_cache_open. NOMEM is the only
 * failure. */
CVG_MUST_USE enum cvg_error cvg_pages_open(struct cvg_pages *pages, const char *path);
void cvg_pages_close(struct cvg_pages *pages); /* without writing */

/* The places of the records with that key, one by one: *cursor begins at 0; 0 is the end. Nothing
 * may be added or killed meanwhile. */
uint32_t cvg_pages_find(const struct cvg_pages *pages, const struct cvg_page_key *key,
                        size_t *cursor);

/* The place of the first live record behind place (0: of all); 0 is the end. Records may be killed
 * meanwhile. */
uint32_t cvg_pages_next(const struct cvg_pages *pages, uint32_t place);

const struct cvg_page *cvg_pages_at(const struct cvg_pages *pages, uint32_t place,
                                    struct cvg_page_view *ret_view);
CVG_MUST_USE bool cvg_pages_read(const struct cvg_pages *pages, uint32_t place,
                                 struct cvg_cache_record *ret_record);

/* Adds a record; without memory it is not added: this is a cache. */
void cvg_pages_add(struct cvg_pages *pages, const struct cvg_cache_record *record);
void cvg_pages_kill(struct cvg_pages *pages, uint32_t place);

/* Gathers what is left of pages that are mostly dead, and writes what the file does not have. A
 * file that cannot be written is given up, told once. */
void cvg_pages_flush(struct cvg_pages *pages);

#endif
