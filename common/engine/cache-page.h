/* SPDX-License-Identifier: MIT */
/* Inside the cache: records packed into pages of one size, each checksummed and whole in itself.
 *
 * A page names its voters and users once and its records refer to them by number, so a page needs
 * nothing from another one; and as all pages have one size, GDBM rewrites them in place. Pure.
 *
 *   u32 "CVG2"  u32 CRC-32C of all that follows  u32 page's id  u16 used octets  items  zeros
 *
 * An item begins with an octet:
 *   01  voter: u8 length, 16 identity, name; the first in the page is number 0
 *   02  user: u32 uid; likewise
 *   1xxxxxxx  record: 40 dead, 20 port is 443 and left out, 10 host is not packed, 08 vote
 *     was about the key alone, 07 users' count
 *       u8 voters' count less 1, and in its high half how many more slots the electorate had,
 *       u8 host's length, host, u16 port, u32 time of the vote, 32 SHA-256 of the
 *       leaf, 20 SHA-1 of it, 16 the first of the key's SHA-256, voters' numbers, users' numbers
 * All integers big-endian. A host is packed three characters to two octets. */
#ifndef CVG_ENGINE_CACHE_PAGE_H
#define CVG_ENGINE_CACHE_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/engine/cache.h"

#define CVG_PAGE_LEN       8188 /* with its key two blocks of GDBM's, none of them cut */
#define CVG_PAGE_NAMES_MAX 64   /* voters, and users, that a page can name */
#define CVG_PAGE_HOST_MAX  170  /* octets of a packed host */

struct cvg_page {
    uint32_t id;
    uint16_t used;
    uint16_t dead; /* octets of dead records */
    bool dirty;    /* differs from what is on the disk */
    uint8_t voter_count;
    uint8_t uid_count;
    uint16_t voter_at[CVG_PAGE_NAMES_MAX]; /* offsets of the voters' items */
    uint32_t uid[CVG_PAGE_NAMES_MAX];
    uint8_t octets[CVG_PAGE_LEN];
};

/* What a record is found by. */
struct cvg_page_key {
    bool packed;
    uint8_t host_len;
    uint16_t port;
    uint8_t host[CVG_PAGE_HOST_MAX];
};

/* A record in place; pointers into the page. */
struct cvg_page_view {
    bool dead;
    bool packed;
    bool by_key;
    uint16_t port;
    uint8_t host_len, voter_count, electorate, uid_count;
    uint32_t verified_s;
    const uint8_t *host, *sha256, *sha1, *spki, *voters, *uids;
};

/* A voter in place. */
struct cvg_page_voter {
    const uint8_t *identity;
    const char *name; /* not terminated */
    size_t name_len;
};

void cvg_page_key_set(struct cvg_page_key *ret_key, const struct cvg_endpoint *endpoint);
bool cvg_page_key_is(const struct cvg_page_key *key, const struct cvg_page_view *view);

void cvg_page_init(struct cvg_page *page, uint32_t id);

/* Fills the page with octets from the disk. CORRUPT unless they are a whole page of that id, every
 * item of which is sound; the page is then undefined. VERSION if another version wrote it. */
CVG_MUST_USE enum cvg_error cvg_page_parse(struct cvg_page *page, uint32_t id, const void *data,
                                           size_t len);

/* Makes octets what is to be written: fills in the head. */
void cvg_page_seal(struct cvg_page *page);

/* Appends the record; its offset in ret_at. false if the page has no room for it. Of more users
 * than fit, the last is noted as UINT32_MAX. verified_s must be from 0 to UINT32_MAX. */
CVG_MUST_USE bool cvg_page_add(struct cvg_page *page, const struct cvg_cache_record *record,
                               size_t *ret_at);

void cvg_page_kill(struct cvg_page *page, size_t at);

/* The offset of the first live record behind at (0: the first of all); 0 if there is none. */
size_t cvg_page_next(const struct cvg_page *page, size_t at);

/* at: an offset that add or next gave. */
void cvg_page_view(const struct cvg_page *page, size_t at, struct cvg_page_view *ret_view);
struct cvg_page_voter cvg_page_voter(const struct cvg_page *page, uint8_t number);

/* A voter from outside, as one of a page looks; and whether a page's is the one. */
struct cvg_page_voter cvg_page_voter_view(const struct cvg_voter *voter);
bool cvg_page_voter_is(const struct cvg_page_voter *view, const struct cvg_voter *voter);

/* Unpacks a record; of its key's SHA-256, what is not stored reads as zeros. false if its host is
 * not one that the normaliser would let through. */
CVG_MUST_USE bool cvg_page_read(const struct cvg_page *page, size_t at,
                                struct cvg_cache_record *ret_record);

#endif
