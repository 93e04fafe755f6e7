/* SPDX-License-Identifier: MIT */
/* What other threads have put for the keeper and it has not written yet, one value a key, bounded;
 * and the fetches that wait for it. Any thread, unless it says otherwise. */
#ifndef CVG_NOTARY_INBOX_H
#define CVG_NOTARY_INBOX_H

#include "notary/keeper.h"

#define CVG_INBOX_MAX (UINT64_C(16) << 20) /* octets */

struct cvg_inbox;

/* What was put. */
struct cvg_parcel {
    struct cvg_node node; /* in the inbox's table */
    struct cvg_link link;
    size_t key_len;
    size_t value_len;
    uint8_t octets[]; /* key, value */
};

/* wake, borrowed, is sent to when something comes in, until the inbox is closed. */
CVG_MUST_USE enum cvg_error cvg_inbox_new(uv_async_t *wake, struct cvg_inbox **ret_inbox);
void cvg_inbox_free(struct cvg_inbox *inbox); /* when no other thread uses it any more */

/* Copies both; a newer value takes the place of an older one. BUSY: it is full or closed. */
CVG_MUST_USE enum cvg_error cvg_inbox_put(struct cvg_inbox *inbox, const void *key, size_t key_len,
                                          const void *value, size_t value_len);
/* false: the inbox is closed to fetches, and it was not taken. */
bool cvg_inbox_ask(struct cvg_inbox *inbox, struct cvg_fetch *fetch);

/* Octets in it. */
uint64_t cvg_inbox_octets(const struct cvg_inbox *inbox);

/* Sends to wake, unless the inbox is closed. */
void cvg_inbox_wake(struct cvg_inbox *inbox);
/* The keeper's thread: from here on put is BUSY, nothing can be asked, and nobody sends to wake. */
void cvg_inbox_close(struct cvg_inbox *inbox);

/* The keeper's thread: takes the oldest parcel out; NULL: there is none. The caller frees it or
 * gives it back, and it goes first again, unless the key has got a newer value meanwhile. */
struct cvg_parcel *cvg_inbox_take(struct cvg_inbox *inbox);
void cvg_inbox_give_back(struct cvg_inbox *inbox, struct cvg_parcel *parcel);

/* Appends the value that waits under the key to ret_value. NOT_FOUND, or NOMEM. */
CVG_MUST_USE enum cvg_error cvg_inbox_find(struct cvg_inbox *inbox, const void *key, size_t key_len,
                                           struct cvg_buffer *ret_value);
/* The keeper's thread: the next fetch; NULL: there is none. */
struct cvg_fetch *cvg_inbox_next_fetch(struct cvg_inbox *inbox);

#endif
