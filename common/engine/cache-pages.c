/* SPDX-License-Identifier: MIT */
/* The set of pages. Records are only ever added to the newest page and marked dead where they are;
 * pages that are mostly dead are emptied into the newest one when the file is written. */
#include "common/engine/cache-pages.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/base/log.h"

#define OFFSET_BITS 13 /* 8,192 octets in a page */
#define OFFSET_MASK ((1U << OFFSET_BITS) - 1)

static uint32_t place_of(size_t slot, size_t at)
{
    return (uint32_t)(slot << OFFSET_BITS | at);
}

/* Keyed, so that nobody can choose names that all fall into one place. */
static uint32_t hash_of(uint32_t seed, const uint8_t *host, size_t len, uint16_t port)
{
    uint64_t hash = (uint64_t)seed << 16 | port;

    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ host[i]) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
    hash *= 0xbf58476d1ce4e5b9u;
    return (uint32_t)(hash >> 32);
}

static uint32_t hash_at(const struct cvg_pages *pages, const struct cvg_page *page, size_t at)
{
    struct cvg_page_view view;

    cvg_page_view(page, at, &view);
    return hash_of(pages->seed, view.host, view.host_len, view.port);
}

const struct cvg_page *cvg_pages_at(const struct cvg_pages *pages, uint32_t place,
                                    struct cvg_page_view *ret_view)
{
    const struct cvg_page *page = pages->page[place >> OFFSET_BITS];

    cvg_page_view(page, place & OFFSET_MASK, ret_view);
    return page;
}

bool cvg_pages_read(const struct cvg_pages *pages, uint32_t place,
                    struct cvg_cache_record *ret_record)
{
    return cvg_page_read(pages->page[place >> OFFSET_BITS], place & OFFSET_MASK, ret_record);
}

uint32_t cvg_pages_find(const struct cvg_pages *pages, const struct cvg_page_key *key,
                        size_t *cursor)
{
    uint32_t hash = hash_of(pages->seed, key->host, key->host_len, key->port), place;
    struct cvg_page_view view;

    do {
        place = cvg_index_next(&pages->index, hash, cursor);
        if (place != 0)
            cvg_pages_at(pages, place, &view);
    } while (place != 0 && !cvg_page_key_is(key, &view));
    return place;
}

uint32_t cvg_pages_next(const struct cvg_pages *pages, uint32_t place)
{
    size_t at = place & OFFSET_MASK;

    for (size_t slot = place >> OFFSET_BITS; slot < CVG_PAGES_MAX; slot++) {
        if (pages->page[slot] != NULL)
            at = cvg_page_next(pages->page[slot], at);
        if (pages->page[slot] != NULL && at != 0)
            return place_of(slot, at);
        at = 0;
    }
    return 0;
}

void cvg_pages_kill(struct cvg_pages *pages, uint32_t place)
{
    struct cvg_page *page = pages->page[place >> OFFSET_BITS];
    size_t at = place & OFFSET_MASK;

    cvg_index_remove(&pages->index, hash_at(pages, page, at), place);
    cvg_page_kill(page, at);
    pages->records--;
}

/* Takes a page out of the set; its records are no longer found. The caller frees it. */
static struct cvg_page *take_out(struct cvg_pages *pages, size_t slot)
{
    struct cvg_page *page = pages->page[slot];

    for (size_t at = cvg_page_next(page, 0); at != 0; at = cvg_page_next(page, at)) {
        cvg_index_remove(&pages->index, hash_at(pages, page, at), place_of(slot, at));
        pages->records--;
    }
    /* More pages can be gone than there is room to note only if no flush ever came between; what
     * the file then keeps is found again at the next start, aged as it is. */
    if (pages->gone_count < CVG_PAGES_MAX)
        pages->gone[pages->gone_count++] = page->id;
    pages->page[slot] = NULL;
    if (pages->filling == slot)
        pages->filling = CVG_PAGES_MAX;
    return page;
}

static size_t oldest(const struct cvg_pages *pages)
{
    size_t found = 0;

    for (size_t slot = 0; slot < CVG_PAGES_MAX; slot++)
        if (pages->page[slot]->id < pages->page[found]->id)
            found = slot;
    return found;
}

/* A slot for a new page; where there is none, the oldest page's. */
static size_t free_slot(struct cvg_pages *pages)
{
    size_t slot = 0;

    while (slot < CVG_PAGES_MAX && pages->page[slot] != NULL)
        slot++;
    if (slot == CVG_PAGES_MAX) {
        slot = oldest(pages);
        free(take_out(pages, slot));
    }
    return slot;
}

static bool new_page(struct cvg_pages *pages)
{
    struct cvg_page *page = malloc(sizeof *page);
    size_t slot;

    if (page == NULL)
        return false;
    slot = free_slot(pages);
    cvg_page_init(page, pages->next_id++);
    pages->page[slot] = page;
    pages->filling = slot;
    return true;
}

void cvg_pages_add(struct cvg_pages *pages, const struct cvg_cache_record *record)
{
    size_t at = 0;
    bool added =
        pages->filling < CVG_PAGES_MAX && cvg_page_add(pages->page[pages->filling], record, &at);

    if (!added)
        added = new_page(pages) && cvg_page_add(pages->page[pages->filling], record, &at);
    if (!added)
        return;
    if (cvg_index_add(&pages->index, hash_at(pages, pages->page[pages->filling], at),
                      place_of(pages->filling, at)) != CVG_OK) {
        cvg_page_kill(pages->page[pages->filling], at);
        return;
    }
    pages->records++;
    pages->unwritten++;
}

/* Adds what is alive in a page that is mostly dead to the newest page. It is taken out first, so
 * making room for its records cannot take it away. */
static void gather(struct cvg_pages *pages, size_t slot)
{
    struct cvg_page *page = take_out(pages, slot);
    struct cvg_cache_record record;

    for (size_t at = cvg_page_next(page, 0); at != 0; at = cvg_page_next(page, at))
        if (cvg_page_read(page, at, &record))
            cvg_pages_add(pages, &record);
    free(page);
}

static void gather_all(struct cvg_pages *pages)
{
    for (size_t slot = 0; slot < CVG_PAGES_MAX; slot++) {
        const struct cvg_page *page = pages->page[slot];

        if (page != NULL && slot != pages->filling && page->dead > page->used / 2)
            gather(pages, slot);
    }
}

static void give_up(struct cvg_pages *pages, const struct cvg_why *why)
{
    cvg_log(CVG_LOG_WARNING, "cache %s: %s; going on without writing it", pages->path, why->text);
    cvg_cache_file_close(pages->file);
    pages->file = NULL;
    if (pages->must_not_last && unlink(pages->path) != 0)
        cvg_log(CVG_LOG_WARNING, "cache %s: cannot be removed: %s", pages->path,
                strerrordesc_np(errno));
}

static enum cvg_error write_page(struct cvg_pages *pages, struct cvg_page *page,
                                 struct cvg_why *why)
{
    enum cvg_error err;

    cvg_page_seal(page);
    err = cvg_cache_file_put(pages->file, page->id, page->octets, sizeof page->octets, why);
    if (err == CVG_OK)
        page->dirty = false;
    return err;
}

/* New pages first: a record that moved is rather twice in the file than not at all. */
static enum cvg_error write_all(struct cvg_pages *pages, struct cvg_why *why)
{
    enum cvg_error err = CVG_OK;

    for (size_t slot = 0; slot < CVG_PAGES_MAX && err == CVG_OK; slot++)
        if (pages->page[slot] != NULL && pages->page[slot]->dirty)
            err = write_page(pages, pages->page[slot], why);
    while (pages->gone_count > 0 && err == CVG_OK)
        err = cvg_cache_file_remove(pages->file, pages->gone[--pages->gone_count], why);
    return err;
}

void cvg_pages_flush(struct cvg_pages *pages)
{
    struct cvg_why why = {""};

    gather_all(pages);
    pages->unwritten = 0;
    if (pages->file == NULL)
        pages->gone_count = 0;
    else if (write_all(pages, &why) != CVG_OK)
        give_up(pages, &why);
    pages->must_not_last = false;
}

static void clear(struct cvg_pages *pages)
{
    for (size_t slot = 0; slot < CVG_PAGES_MAX; slot++) {
        free(pages->page[slot]);
        pages->page[slot] = NULL;
    }
    cvg_index_free(&pages->index);
    pages->records = 0;
    pages->gone_count = 0;
    pages->filling = CVG_PAGES_MAX;
    pages->next_id = 1;
}

static enum cvg_error index_page(struct cvg_pages *pages, size_t slot)
{
    const struct cvg_page *page = pages->page[slot];
    enum cvg_error err = CVG_OK;

    for (size_t at = cvg_page_next(page, 0); at != 0 && err == CVG_OK;
         at = cvg_page_next(page, at)) {
        err = cvg_index_add(&pages->index, hash_at(pages, page, at), place_of(slot, at));
        if (err == CVG_OK)
            pages->records++;
    }
    return err;
}

/* A page of the file; the same id twice means that its directory is damaged. */
static enum cvg_error load_page(uint32_t id, const void *data, size_t len, void *user)
{
    struct cvg_pages *pages = user;
    struct cvg_page *page;
    enum cvg_error err;
    size_t slot = 0;

    while (slot < CVG_PAGES_MAX && pages->page[slot] != NULL && pages->page[slot]->id != id)
        slot++;
    if (slot == CVG_PAGES_MAX || pages->page[slot] != NULL || id == UINT32_MAX)
        return CVG_ERR_CORRUPT;
    page = malloc(sizeof *page);
    if (page == NULL)
        return CVG_ERR_NOMEM;
    pages->page[slot] = page;
    err = cvg_page_parse(page, id, data, len);
    if (err != CVG_OK)
        return err;
    if (id >= pages->next_id) {
        pages->next_id = id + 1;
        pages->filling = slot;
    }
    return index_page(pages, slot);
}

static enum cvg_error load(struct cvg_pages *pages, struct cvg_why *why)
{
    enum cvg_error err = cvg_cache_file_open(pages->path, &pages->file, why);

    if (err == CVG_OK)
        err = cvg_cache_file_each(pages->file, load_page, pages, why);
    if (err != CVG_OK) {
        cvg_cache_file_close(pages->file);
        pages->file = NULL;
        clear(pages);
    }
    return err;
}

/* Whether the file is out of the way. */
static bool move_aside(const struct cvg_pages *pages, const struct cvg_why *why)
{
    char *aside = NULL;
    bool moved;

    if (asprintf(&aside, "%s.damaged", pages->path) < 0)
        return false;
    moved = rename(pages->path, aside) == 0;
    if (moved)
        cvg_log(CVG_LOG_WARNING, "%s; moved to %s, a new cache is begun", why->text, aside);
    else
        cvg_log(CVG_LOG_WARNING, "%s; it cannot be moved away: %s", why->text, strerror(errno));
    free(aside);
    return moved;
}

static bool is_damage(enum cvg_error err)
{
    return err == CVG_ERR_CORRUPT || err == CVG_ERR_VERSION || err == CVG_ERR_OWNER;
}

enum cvg_error cvg_pages_open(struct cvg_pages *pages, const char *path)
{
    struct cvg_why why = {""};
    enum cvg_error err;

    memset(pages, 0, sizeof *pages);
    clear(pages);
    if (getrandom(&pages->seed, sizeof pages->seed, GRND_NONBLOCK) != sizeof pages->seed)
        pages->seed = (uint32_t)(uintptr_t)pages;
    if (path == NULL)
        return CVG_OK;
    pages->path = strdup(path);
    if (pages->path == NULL)
        return CVG_ERR_NOMEM;
    err = load(pages, &why);
    if (is_damage(err) && move_aside(pages, &why))
        err = load(pages, &why);
    if (err != CVG_OK)
        cvg_log(CVG_LOG_WARNING, "%s; the cache is in memory only", why.text);
    return CVG_OK;
}

void cvg_pages_close(struct cvg_pages *pages)
{
    clear(pages);
    cvg_cache_file_close(pages->file);
    pages->file = NULL;
    free(pages->path);
    pages->path = NULL;
}
