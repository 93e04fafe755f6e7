/* SPDX-License-Identifier: MIT */
/* The cache's rules: which record is found (certificate, age, voters), who may see it, and when it
 * is forgotten. How records are kept is cache-pages.c's business. */
#include "common/engine/cache.h"

#include <stdlib.h>
#include <string.h>

#include "common/engine/cache-pages.h"

#define UNWRITTEN_MAX    256   /* records; then the file is written without being asked */
#define CERTIFICATES_MAX 64    /* of one endpoint; then its oldest goes */
#define SWEEP_S          86400 /* how often records past their time are looked for */
#define NOBODY           UINT32_MAX

struct cvg_cache {
    const struct cvg_clock *clock;
    uint64_t ttl_s;
    struct cvg_policy policy;
    bool keys_count;
    struct cvg_voter *notary; /* configured now */
    size_t notary_count;
    int64_t swept_s; /* when the last sweep was */
    struct cvg_pages pages;
};

static const struct cvg_policy one_is_enough = {.threshold = CVG_THRESHOLD_COUNT, .count = 1};

enum cvg_error cvg_cache_open(const char *path, uint64_t ttl_s, const struct cvg_clock *clock,
                              struct cvg_cache **ret_cache, struct cvg_why *ret_why)
{
    struct cvg_cache *cache = calloc(1, sizeof *cache);

    if (cache == NULL || cvg_pages_open(&cache->pages, path) != CVG_OK) {
        free(cache);
        return cvg_fail(ret_why, CVG_ERR_NOMEM, "out of memory");
    }
    cache->clock = clock;
    cvg_cache_set_policy(cache, ttl_s, &one_is_enough, false);
    *ret_cache = cache;
    return CVG_OK;
}

void cvg_cache_close(struct cvg_cache *cache)
{
    if (cache == NULL)
        return;
    cvg_pages_flush(&cache->pages);
    cvg_pages_close(&cache->pages);
    free(cache->notary);
    free(cache);
}

static bool is_notary(const struct cvg_cache *cache, const struct cvg_page_voter *voter)
{
    for (size_t i = 0; i < cache->notary_count; i++)
        if (cvg_page_voter_is(voter, &cache->notary[i]))
            return true;
    return false;
}

static bool voters_configured(const struct cvg_cache *cache, const struct cvg_page *page,
                              const struct cvg_page_view *view)
{
    for (size_t i = 0; i < view->voter_count; i++) {
        const struct cvg_page_voter voter = cvg_page_voter(page, view->voters[i]);

        if (!is_notary(cache, &voter))
            return false;
    }
    return view->voter_count > 0;
}

/* A record lives for ttl_s seconds from its vote. One from the future is not found: how old it is
 * cannot be said. */
static bool alive(const struct cvg_cache *cache, const struct cvg_page_view *view)
{
    int64_t now_s = cvg_clock_wall_s(cache->clock);

    return now_s >= (int64_t)view->verified_s && (uint64_t)now_s - view->verified_s < cache->ttl_s;
}

/* Whether the vote that the record is of would agree under the policy of now: a "no" that a
 * majority overruled counts where all must agree. */
static bool agrees(const struct cvg_cache *cache, const struct cvg_page_view *view)
{
    const struct cvg_tally tally = {.yes = view->voter_count,
                                    .silent = view->electorate - view->voter_count};

    return tally.yes >= cvg_policy_need(&cache->policy, &tally);
}

static bool believed(const struct cvg_cache *cache, const struct cvg_page *page,
                     const struct cvg_page_view *view)
{
    return agrees(cache, view) && (!view->by_key || cache->keys_count) && alive(cache, view) &&
           voters_configured(cache, page, view);
}

static bool has_uid(const struct cvg_page *page, const struct cvg_page_view *view, uint32_t uid)
{
    for (size_t i = 0; i < view->uid_count; i++)
        if (page->uid[view->uids[i]] == uid)
            return true;
    return false;
}

/* What a search is for; NULL: any. */
struct wanted {
    const uint8_t *sha256, *sha1, *spki;
};

static bool is_wanted(const struct wanted *wanted, const struct cvg_page_view *view)
{
    return (wanted->sha256 == NULL || memcmp(wanted->sha256, view->sha256, CVG_SHA256_LEN) == 0) &&
           (wanted->sha1 == NULL || memcmp(wanted->sha1, view->sha1, CVG_SHA1_LEN) == 0) &&
           (wanted->spki == NULL || memcmp(wanted->spki, view->spki, CVG_CACHE_SPKI_LEN) == 0);
}

/* The place of a record that may be believed, or 0. */
static uint32_t find(const struct cvg_cache *cache, const struct cvg_endpoint *endpoint,
                     const struct wanted *wanted)
{
    struct cvg_page_key key;
    struct cvg_page_view view;
    size_t cursor = 0;
    uint32_t place;

    cvg_page_key_set(&key, endpoint);
    while ((place = cvg_pages_find(&cache->pages, &key, &cursor)) != 0) {
        const struct cvg_page *page = cvg_pages_at(&cache->pages, place, &view);

        if (is_wanted(wanted, &view) && believed(cache, page, &view))
            return place;
    }
    return 0;
}

static void note_uid(struct cvg_cache_record *record, uint32_t uid)
{
    for (size_t i = 0; i < record->uid_count; i++)
        if (record->uid[i] == uid)
            return;
    if (record->uid_count < CVG_CACHE_UIDS_MAX)
        record->uid[record->uid_count++] = uid;
    else
        record->uid[CVG_CACHE_UIDS_MAX - 1] = NOBODY;
}

static void flush_if_many(struct cvg_cache *cache)
{
    if (cache->pages.unwritten >= UNWRITTEN_MAX)
        cvg_pages_flush(&cache->pages);
}

/* Notes who asks, which for a new asker means to write the record anew. */
static enum cvg_error found(struct cvg_cache *cache, uint32_t place, uint32_t uid,
                            struct cvg_cache_record *ret_record)
{
    struct cvg_cache_record record;
    struct cvg_page_view view;
    const struct cvg_page *page;

    if (place == 0)
        return CVG_ERR_NOT_FOUND;
    page = cvg_pages_at(&cache->pages, place, &view);
    if (ret_record == NULL && has_uid(page, &view, uid))
        return CVG_OK;
    if (!cvg_pages_read(&cache->pages, place, &record))
        return CVG_ERR_NOT_FOUND;
    if (uid != NOBODY && !has_uid(page, &view, uid) && !has_uid(page, &view, NOBODY)) {
        note_uid(&record, uid);
        cvg_pages_kill(&cache->pages, place);
        cvg_pages_add(&cache->pages, &record);
        flush_if_many(cache);
    }
    if (ret_record != NULL)
        *ret_record = record;
    return CVG_OK;
}

enum cvg_error cvg_cache_find(struct cvg_cache *cache, const struct cvg_endpoint *endpoint,
                              const uint8_t leaf_sha256[static CVG_SHA256_LEN], uint32_t uid,
                              struct cvg_cache_record *ret_record)
{
    struct wanted wanted = {.sha256 = leaf_sha256};

    return found(cache, find(cache, endpoint, &wanted), uid, ret_record);
}

enum cvg_error cvg_cache_find_fingerprint(struct cvg_cache *cache,
                                          const struct cvg_endpoint *endpoint,
                                          const struct cvg_fingerprint *fingerprint, uint32_t uid,
                                          struct cvg_cache_record *ret_record)
{
    struct wanted wanted = {.sha256 = NULL};

    if (fingerprint->len == CVG_SHA256_LEN)
        wanted.sha256 = fingerprint->bytes;
    else if (fingerprint->len == CVG_SHA1_LEN)
        wanted.sha1 = fingerprint->bytes;
    else
        return CVG_ERR_NOT_FOUND;
    return found(cache, find(cache, endpoint, &wanted), uid, ret_record);
}

bool cvg_cache_knows_key(struct cvg_cache *cache, const struct cvg_endpoint *endpoint,
                         const uint8_t spki_sha256[static CVG_SHA256_LEN])
{
    struct wanted wanted = {.spki = spki_sha256};

    return find(cache, endpoint, &wanted) != 0;
}

static bool may_be_stored(const struct cvg_cache *cache, const struct cvg_cache_record *record)
{
    if (record->voter_count == 0 || record->electorate < record->voter_count ||
        record->electorate > CVG_CACHE_VOTERS_MAX || record->uid_count > CVG_CACHE_UIDS_MAX ||
        record->verified_s < 0 || record->verified_s > UINT32_MAX)
        return false;
    for (size_t i = 0; i < record->voter_count; i++) {
        const struct cvg_page_voter voter = cvg_page_voter_view(&record->voter[i]);

        if (!is_notary(cache, &voter))
            return false;
    }
    return true;
}

/* Kills the endpoint's records of the same certificate, whose users the new record takes over, and
 * its oldest one if there are too many. */
static void make_way(struct cvg_cache *cache, struct cvg_cache_record *record)
{
    struct cvg_page_key key;
    struct cvg_page_view view;
    size_t cursor = 0, count = 0;
    uint32_t place, same = 0, oldest = 0, oldest_s = UINT32_MAX;

    cvg_page_key_set(&key, &record->endpoint);
    while ((place = cvg_pages_find(&cache->pages, &key, &cursor)) != 0) {
        cvg_pages_at(&cache->pages, place, &view);
        count++;
        if (memcmp(view.sha256, record->leaf_sha256, CVG_SHA256_LEN) == 0)
            same = place;
        if (view.verified_s <= oldest_s) {
            oldest_s = view.verified_s;
            oldest = place;
        }
    }
    if (same != 0) {
        const struct cvg_page *page = cvg_pages_at(&cache->pages, same, &view);

        for (size_t i = 0; i < view.uid_count; i++)
            note_uid(record, page->uid[view.uids[i]]);
        cvg_pages_kill(&cache->pages, same);
    } else if (count >= CERTIFICATES_MAX) {
        cvg_pages_kill(&cache->pages, oldest);
    }
}

void cvg_cache_put(struct cvg_cache *cache, const struct cvg_cache_record *record)
{
    struct cvg_cache_record mine = *record;

    if (!may_be_stored(cache, record))
        return;
    make_way(cache, &mine);
    cvg_pages_add(&cache->pages, &mine);
    flush_if_many(cache);
}

/* Kills what can no longer be found: records past their time, or with a voter that is gone. */
static void sweep(struct cvg_cache *cache)
{
    struct cvg_page_view view;
    uint32_t place;

    cache->swept_s = cvg_clock_wall_s(cache->clock);
    for (place = cvg_pages_next(&cache->pages, 0); place != 0;
         place = cvg_pages_next(&cache->pages, place)) {
        const struct cvg_page *page = cvg_pages_at(&cache->pages, place, &view);
        bool too_old = cache->swept_s >= (int64_t)view.verified_s && !alive(cache, &view);

        if (too_old || !voters_configured(cache, page, &view))
            cvg_pages_kill(&cache->pages, place);
    }
}

void cvg_cache_set_policy(struct cvg_cache *cache, uint64_t ttl_s, const struct cvg_policy *policy,
                          bool keys_count)
{
    cache->ttl_s = ttl_s;
    cache->keys_count = keys_count;
    cache->policy = *policy;
}

void cvg_cache_set_notaries(struct cvg_cache *cache, const struct cvg_voter *notary, size_t count)
{
    free(cache->notary);
    cache->notary_count = 0;
    cache->notary = calloc(count > 0 ? count : 1, sizeof *cache->notary);
    /* Without memory no notary is known, so nothing is found; but nothing is thrown away either. */
    if (cache->notary == NULL)
        return;
    if (count > 0)
        memcpy(cache->notary, notary, count * sizeof *cache->notary);
    cache->notary_count = count;
    sweep(cache);
    cvg_pages_flush(&cache->pages);
}

/* Whether this uid alone asked for the record. */
static bool is_only(const struct cvg_page *page, const struct cvg_page_view *view, uint32_t uid)
{
    return view->uid_count == 1 && page->uid[view->uids[0]] == uid;
}

static bool is_host(const struct cvg_page_view *view, const struct cvg_page_key *key, uint16_t port)
{
    struct cvg_page_key of_port = *key;

    of_port.port = port == 0 ? view->port : port;
    return cvg_page_key_is(&of_port, view);
}

size_t cvg_cache_forget(struct cvg_cache *cache, const char *host, uint16_t port, uint32_t uid)
{
    struct cvg_endpoint endpoint;
    struct cvg_page_key key;
    struct cvg_page_view view;
    size_t forgotten = 0;
    uint32_t place;

    if (host != NULL &&
        cvg_endpoint_set(host, strlen(host), port == 0 ? 443 : port, &endpoint, NULL) != CVG_OK)
        return 0;
    if (host != NULL)
        cvg_page_key_set(&key, &endpoint);
    for (place = cvg_pages_next(&cache->pages, 0); place != 0;
         place = cvg_pages_next(&cache->pages, place)) {
        const struct cvg_page *page = cvg_pages_at(&cache->pages, place, &view);

        if ((host != NULL && !is_host(&view, &key, port)) ||
            (uid != NOBODY && !is_only(page, &view, uid)))
            continue;
        cvg_pages_kill(&cache->pages, place);
        cache->pages.must_not_last = true;
        forgotten++;
    }
    cvg_pages_flush(&cache->pages);
    return forgotten;
}

void cvg_cache_each(struct cvg_cache *cache, uint32_t uid,
                    bool (*each)(const struct cvg_cache_record *record, void *user), void *user)
{
    struct cvg_cache_record record;
    struct cvg_page_view view;
    uint32_t place;

    for (place = cvg_pages_next(&cache->pages, 0); place != 0;
         place = cvg_pages_next(&cache->pages, place)) {
        const struct cvg_page *page = cvg_pages_at(&cache->pages, place, &view);

        if (!believed(cache, page, &view) || (uid != NOBODY && !has_uid(page, &view, uid)) ||
            !cvg_pages_read(&cache->pages, place, &record))
            continue;
        if (!each(&record, user))
            return;
    }
}

void cvg_cache_status(struct cvg_cache *cache, struct cvg_cache_status *ret_status)
{
    const struct cvg_pages *pages = &cache->pages;

    ret_status->records = pages->records;
    ret_status->writing = pages->file != NULL;
    ret_status->file_octets = pages->file != NULL ? cvg_cache_file_octets(pages->file) : 0;
}

void cvg_cache_flush(struct cvg_cache *cache)
{
    int64_t since_s = cvg_clock_wall_s(cache->clock) - cache->swept_s;

    if (cache->notary != NULL && (since_s < 0 || since_s >= SWEEP_S))
        sweep(cache);
    cvg_pages_flush(&cache->pages);
}
