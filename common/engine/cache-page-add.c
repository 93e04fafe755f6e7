/* SPDX-License-Identifier: MIT */
/* Adding a record to a page of the cache, with the voters and users that it names first. */
#include "common/engine/cache-page.h"

#include <string.h>

#include "common/engine/cache-page-layout.h"

static size_t find_voter(const struct cvg_page *page, const struct cvg_voter *voter)
{
    size_t i;

    for (i = 0; i < page->voter_count; i++) {
        const struct cvg_page_voter view = cvg_page_voter(page, (uint8_t)i);

        if (cvg_page_voter_is(&view, voter))
            break;
    }
    return i;
}

static size_t find_uid(const struct cvg_page *page, uint32_t uid)
{
    size_t i = 0;

    while (i < page->uid_count && page->uid[i] != uid)
        i++;
    return i;
}

/* How many of the record's users are stored, the last perhaps as "more than fit". */
static size_t uids_stored(const struct cvg_cache_record *record, uint32_t ret_uid[static UIDS_MAX])
{
    size_t count = record->uid_count < UIDS_MAX ? record->uid_count : UIDS_MAX;

    memcpy(ret_uid, record->uid, count * sizeof ret_uid[0]);
    if (record->uid_count > UIDS_MAX)
        ret_uid[UIDS_MAX - 1] = UINT32_MAX;
    return count;
}

/* The octets that the voters and users need which the page does not name yet; SIZE_MAX if it cannot
 * name so many. */
static size_t names_len(const struct cvg_page *page, const struct cvg_cache_record *record,
                        const uint32_t *uid, size_t uid_count)
{
    size_t voters = page->voter_count, uids = page->uid_count, len = 0;

    for (size_t i = 0; i < record->voter_count; i++)
        if (find_voter(page, &record->voter[i]) == page->voter_count) {
            len += VOTER_HEAD + strlen(record->voter[i].name);
            voters++;
        }
    for (size_t i = 0; i < uid_count; i++)
        if (find_uid(page, uid[i]) == page->uid_count) {
            len += 5;
            uids++;
        }
    return voters <= CVG_PAGE_NAMES_MAX && uids <= CVG_PAGE_NAMES_MAX ? len : SIZE_MAX;
}

static void name_voter(struct cvg_page *page, const struct cvg_voter *voter)
{
    uint8_t *at = page->octets + page->used;
    size_t len = strlen(voter->name);

    if (find_voter(page, voter) < page->voter_count)
        return;
    page->voter_at[page->voter_count++] = page->used;
    *at++ = ITEM_VOTER;
    *at++ = (uint8_t)len;
    at = cvg_put(at, voter->identity, sizeof voter->identity);
    cvg_put(at, voter->name, len);
    page->used = (uint16_t)(page->used + VOTER_HEAD + len);
}

static void name_uid(struct cvg_page *page, uint32_t uid)
{
    uint8_t *at = page->octets + page->used;

    if (find_uid(page, uid) < page->uid_count)
        return;
    page->uid[page->uid_count++] = uid;
    *at++ = ITEM_UID;
    cvg_put_u32(at, uid);
    page->used = (uint16_t)(page->used + 5);
}

static void put_record(struct cvg_page *page, const struct cvg_cache_record *record,
                       const struct cvg_page_key *key, const uint32_t *uid, size_t uid_count)
{
    uint8_t *at = page->octets + page->used;

    *at++ =
        (uint8_t)(RECORD | (key->port == 443 ? RECORD_443 : 0) | (key->packed ? 0 : RECORD_RAW) |
                  (record->by_key ? RECORD_KEY : 0) | uid_count);
    *at++ = (uint8_t)((record->electorate - record->voter_count) << 4 | (record->voter_count - 1));
    *at++ = key->host_len;
    at = cvg_put(at, key->host, key->host_len);
    if (key->port != 443)
        at = cvg_put_u16(at, key->port);
    at = cvg_put_u32(at, (uint32_t)record->verified_s);
    at = cvg_put(at, record->leaf_sha256, CVG_SHA256_LEN);
    at = cvg_put(at, record->leaf_sha1, CVG_SHA1_LEN);
    at = cvg_put(at, record->spki_sha256, SPKI_LEN);
    for (size_t i = 0; i < record->voter_count; i++)
        *at++ = (uint8_t)find_voter(page, &record->voter[i]);
    for (size_t i = 0; i < uid_count; i++)
        *at++ = (uint8_t)find_uid(page, uid[i]);
    page->used = (uint16_t)(at - page->octets);
    page->dirty = true;
}

bool cvg_page_add(struct cvg_page *page, const struct cvg_cache_record *record, size_t *ret_at)
{
    uint32_t uid[UIDS_MAX];
    size_t uid_count = uids_stored(record, uid);
    size_t names = names_len(page, record, uid, uid_count), len;
    struct cvg_page_key key;

    cvg_page_key_set(&key, &record->endpoint);
    len = 3 + (size_t)key.host_len + (key.port == 443 ? 0 : 2) + 4 + HASHES_LEN +
          record->voter_count + uid_count;
    if (names == SIZE_MAX || names + len > (size_t)CVG_PAGE_LEN - page->used)
        return false;
    for (size_t i = 0; i < record->voter_count; i++)
        name_voter(page, &record->voter[i]);
    for (size_t i = 0; i < uid_count; i++)
        name_uid(page, uid[i]);
    *ret_at = page->used;
    put_record(page, record, &key, uid, uid_count);
    return true;
}
