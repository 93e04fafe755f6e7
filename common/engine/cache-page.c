/* SPDX-License-Identifier: MIT */
/* Pages of the cache: reading items, and the check that a page from the disk is one that was
 * written there. Adding to a page is cache-page-add.c's. */
#include "common/engine/cache-page.h"

#include <string.h>

#include "common/engine/cache-host.h"
#include "common/engine/cache-page-layout.h"
#include "common/engine/crc32c.h"

static const uint8_t magic[4] = {'C', 'V', 'G', '2'};

static uint16_t get_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t get_u32(const uint8_t *at)
{
    return (uint32_t)get_u16(at) << 16 | get_u16(at + 2);
}

void cvg_page_key_set(struct cvg_page_key *ret_key, const struct cvg_endpoint *endpoint)
{
    size_t len;

    ret_key->packed = strchr(endpoint->host, ':') == NULL;
    ret_key->port = endpoint->port;
    if (ret_key->packed) {
        len = cvg_cache_host_pack(endpoint->host, ret_key->host);
    } else {
        len = strnlen(endpoint->host, CVG_PAGE_HOST_MAX);
        memcpy(ret_key->host, endpoint->host, len);
    }
    ret_key->host_len = (uint8_t)len;
}

bool cvg_page_key_is(const struct cvg_page_key *key, const struct cvg_page_view *view)
{
    return key->port == view->port && key->packed == view->packed &&
           key->host_len == view->host_len && memcmp(key->host, view->host, key->host_len) == 0;
}

void cvg_page_init(struct cvg_page *page, uint32_t id)
{
    memset(page, 0, sizeof *page);
    page->id = id;
    page->used = HEAD_LEN;
    page->dirty = true;
}

void cvg_page_seal(struct cvg_page *page)
{
    uint8_t *at = cvg_put(page->octets, magic, sizeof magic) + 4;

    cvg_put_u16(cvg_put_u32(at, page->id), page->used);
    cvg_put_u32(page->octets + sizeof magic,
                cvg_crc32c(page->octets + CRC_FROM, CVG_PAGE_LEN - CRC_FROM));
}

/* Looks at a record of which left octets are there; its length, or 0 if it is cut off. */
static size_t view_record(const uint8_t *at, size_t left, struct cvg_page_view *ret_view)
{
    const uint8_t *start = at;
    size_t len = 3;

    if (left < len)
        return 0;
    ret_view->dead = (at[0] & RECORD_DEAD) != 0;
    ret_view->packed = (at[0] & RECORD_RAW) == 0;
    ret_view->by_key = (at[0] & RECORD_KEY) != 0;
    ret_view->uid_count = at[0] & RECORD_UIDS;
    ret_view->voter_count = (uint8_t)((at[1] & 0x0f) + 1);
    ret_view->electorate = (uint8_t)(ret_view->voter_count + (at[1] >> 4));
    ret_view->host_len = at[2];
    len += (size_t)ret_view->host_len + ((at[0] & RECORD_443) != 0 ? 0 : 2) + 4 + HASHES_LEN +
           ret_view->voter_count + ret_view->uid_count;
    if (left < len)
        return 0;
    ret_view->host = at + 3;
    at = ret_view->host + ret_view->host_len;
    ret_view->port = (start[0] & RECORD_443) != 0 ? 443 : get_u16(at);
    at += (start[0] & RECORD_443) != 0 ? 0 : 2;
    ret_view->verified_s = get_u32(at);
    ret_view->sha256 = at + 4;
    ret_view->sha1 = ret_view->sha256 + CVG_SHA256_LEN;
    ret_view->spki = ret_view->sha1 + CVG_SHA1_LEN;
    ret_view->voters = ret_view->spki + SPKI_LEN;
    ret_view->uids = ret_view->voters + ret_view->voter_count;
    return len;
}

void cvg_page_view(const struct cvg_page *page, size_t at, struct cvg_page_view *ret_view)
{
    memset(ret_view, 0, sizeof *ret_view);
    view_record(page->octets + at, page->used - at, ret_view);
}

/* Its length, or 0 for what is not an item. */
static size_t item_len(const struct cvg_page *page, size_t at)
{
    const uint8_t *item = page->octets + at;
    size_t left = page->used - at, len = 0;
    struct cvg_page_view view;

    if (left > 0 && (item[0] & RECORD) != 0)
        return view_record(item, left, &view);
    if (left >= 2 && item[0] == ITEM_VOTER)
        len = VOTER_HEAD + (size_t)item[1];
    else if (left > 0 && item[0] == ITEM_UID)
        len = 5;
    return len <= left ? len : 0;
}

size_t cvg_page_next(const struct cvg_page *page, size_t at)
{
    at = at == 0 ? HEAD_LEN : at + item_len(page, at);
    while (at < page->used) {
        uint8_t kind = page->octets[at];

        if ((kind & RECORD) != 0 && (kind & RECORD_DEAD) == 0)
            return at;
        at += item_len(page, at);
    }
    return 0;
}

static bool numbers_good(const uint8_t *number, size_t count, uint8_t limit)
{
    for (size_t i = 0; i < count; i++)
        if (number[i] >= limit)
            return false;
    return true;
}

static bool record_good(const struct cvg_page *page, const struct cvg_page_view *view)
{
    size_t host_max = view->packed ? CVG_PAGE_HOST_MAX : CVG_HOST_MAX - 1;

    return view->host_len > 0 && view->host_len <= host_max &&
           (!view->packed || view->host_len % 2 == 0) && view->port > 0 &&
           view->electorate <= CVG_CACHE_VOTERS_MAX &&
           numbers_good(view->voters, view->voter_count, page->voter_count) &&
           numbers_good(view->uids, view->uid_count, page->uid_count);
}

/* Takes note of one item; false if a page could not have it. */
static bool take_item(struct cvg_page *page, size_t at, size_t len)
{
    const uint8_t *item = page->octets + at;
    struct cvg_page_view view;

    if (item[0] == ITEM_VOTER) {
        if (page->voter_count == CVG_PAGE_NAMES_MAX || item[1] == 0 || item[1] > VOTER_MAX ||
            memchr(item + VOTER_HEAD, '\0', item[1]) != NULL)
            return false;
        page->voter_at[page->voter_count++] = (uint16_t)at;
        return true;
    }
    if (item[0] == ITEM_UID) {
        if (page->uid_count == CVG_PAGE_NAMES_MAX)
            return false;
        page->uid[page->uid_count++] = get_u32(item + 1);
        return true;
    }
    cvg_page_view(page, at, &view);
    if (view.dead)
        page->dead = (uint16_t)(page->dead + len);
    return record_good(page, &view);
}

enum cvg_error cvg_page_parse(struct cvg_page *page, uint32_t id, const void *data, size_t len)
{
    cvg_page_init(page, id);
    page->dirty = false;
    if (len != CVG_PAGE_LEN)
        return CVG_ERR_CORRUPT;
    memcpy(page->octets, data, len);
    if (memcmp(page->octets, magic, sizeof magic) != 0)
        return memcmp(page->octets, magic, 3) == 0 ? CVG_ERR_VERSION : CVG_ERR_CORRUPT;
    if (get_u32(page->octets + 4) != cvg_crc32c(page->octets + CRC_FROM, len - CRC_FROM) ||
        get_u32(page->octets + CRC_FROM) != id)
        return CVG_ERR_CORRUPT;
    page->used = get_u16(page->octets + CRC_FROM + 4);
    if (page->used < HEAD_LEN || page->used > CVG_PAGE_LEN)
        return CVG_ERR_CORRUPT;
    for (size_t at = HEAD_LEN; at < page->used;) {
        size_t item = item_len(page, at);

        if (item == 0 || !take_item(page, at, item))
            return CVG_ERR_CORRUPT;
        at += item;
    }
    return CVG_OK;
}

struct cvg_page_voter cvg_page_voter(const struct cvg_page *page, uint8_t number)
{
    const uint8_t *item = page->octets + page->voter_at[number];

    return (struct cvg_page_voter){
        .identity = item + 2, .name = (const char *)item + VOTER_HEAD, .name_len = item[1]};
}

struct cvg_page_voter cvg_page_voter_view(const struct cvg_voter *voter)
{
    return (struct cvg_page_voter){.identity = voter->identity,
                                   .name = voter->name,
                                   .name_len = strnlen(voter->name, sizeof voter->name)};
}

bool cvg_page_voter_is(const struct cvg_page_voter *view, const struct cvg_voter *voter)
{
    return memcmp(view->identity, voter->identity, sizeof voter->identity) == 0 &&
           strnlen(voter->name, sizeof voter->name) == view->name_len &&
           memcmp(view->name, voter->name, view->name_len) == 0;
}

void cvg_page_kill(struct cvg_page *page, size_t at)
{
    page->octets[at] |= RECORD_DEAD;
    page->dead = (uint16_t)(page->dead + item_len(page, at));
    page->dirty = true;
}

static bool read_host(const struct cvg_page_view *view, struct cvg_endpoint *ret_endpoint)
{
    char host[CVG_PAGE_HOST_MAX / 2 * 3 + 1];
    const char *text = (const char *)view->host;
    size_t len = view->host_len;

    if (view->packed) {
        len = cvg_cache_host_unpack(view->host, view->host_len, host);
        text = host;
    }
    return cvg_endpoint_set(text, len, view->port, ret_endpoint, NULL) == CVG_OK;
}

bool cvg_page_read(const struct cvg_page *page, size_t at, struct cvg_cache_record *ret_record)
{
    struct cvg_page_view view;
    struct cvg_endpoint endpoint;

    cvg_page_view(page, at, &view);
    if (!read_host(&view, &endpoint))
        return false;
    memset(ret_record, 0, sizeof *ret_record);
    ret_record->endpoint = endpoint;
    ret_record->verified_s = view.verified_s;
    ret_record->by_key = view.by_key;
    memcpy(ret_record->leaf_sha256, view.sha256, CVG_SHA256_LEN);
    memcpy(ret_record->leaf_sha1, view.sha1, CVG_SHA1_LEN);
    memcpy(ret_record->spki_sha256, view.spki, SPKI_LEN);
    for (size_t i = 0; i < view.voter_count; i++) {
        const struct cvg_page_voter voter = cvg_page_voter(page, view.voters[i]);

        memcpy(ret_record->voter[i].name, voter.name, voter.name_len);
        memcpy(ret_record->voter[i].identity, voter.identity, CVG_VOTER_IDENTITY_LEN);
    }
    ret_record->voter_count = view.voter_count;
    ret_record->electorate = view.electorate;
    for (size_t i = 0; i < view.uid_count; i++)
        ret_record->uid[i] = page->uid[view.uids[i]];
    ret_record->uid_count = view.uid_count;
    return true;
}
