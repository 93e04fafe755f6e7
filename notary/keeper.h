/* SPDX-License-Identifier: MIT */
/* Keeps records for good, behind the workers' backs: a thread of its own with a journal and, behind
 * that, a store (GDBM, Redis). Written is first the journal; a record counts as kept once it is
 * there, whether the store can be reached or not. Sealed segments of the journal go to the store.
 *
 * Bounded: once the journal holds more than its limit because the store is away, new records are
 * refused (BUSY), and the notary then takes no new observations rather than losing one it has
 * signed. */
#ifndef CVG_NOTARY_KEEPER_H
#define CVG_NOTARY_KEEPER_H

#include "notary/mailbox.h"
#include "notary/metrics.h"
#include "notary/record-keys.h"
#include "notary/settings.h"
#include "notary/target.h"

#define CVG_KEEPER_GETS 1024 /* under way at the store at once; others wait their turn */

struct cvg_keeper;

/* One record wanted. The worker embeds it; its letter is opened in the worker's loop, always and
 * once, with err and value set. */
struct cvg_fetch {
    struct cvg_letter letter;    /* open is the worker's */
    struct cvg_mailbox *mailbox; /* where the answer goes */
    const void *key;             /* the target's; valid until the letter is opened */
    size_t key_len;
    enum cvg_error err;      /* OK; NOT_FOUND; IO: the store is away, and the journal has nothing */
    struct cvg_buffer value; /* the receiver frees it */
};

struct cvg_keeper_place {
    const struct cvg_settings *settings; /* copied */
    /* For a store that others can write to; the keeper's from now on, on success. NULL: there is no
     * such store. */
    struct cvg_record_keys *keys;
    struct cvg_metrics *metrics; /* borrowed */
    /* Another process has journal and store and is about to let go of them. Until then fetches end
     * with IO, and what is put waits in memory. */
    bool wait;
};

/* Opens journal and store as the settings say and starts the thread; to be called after privileges
 * are dropped. NOT_FOUND: the settings name no store, and nothing is kept. BUSY: another process
 * has the journal. A store that cannot be reached now, or a full disk, is no error; a journal or
 * database that may not be written is. */
CVG_MUST_USE enum cvg_error cvg_keeper_new(const struct cvg_keeper_place *place,
                                           struct cvg_keeper **ret_keeper, struct cvg_why *ret_why);
/* Writes what is to be written, ends the thread. Fetches that are under way end with IO. NULL is
 * allowed. */
void cvg_keeper_free(struct cvg_keeper *keeper);

/* Any thread: lets another process have journal and store, once all that was put is written. From
 * here on put is BUSY, and fetches end with IO. */
void cvg_keeper_let_go(struct cvg_keeper *keeper);
/* Any thread: whether it has been let go of. */
bool cvg_keeper_is_over(const struct cvg_keeper *keeper);

/* Any thread: whether the keeper signs what it keeps. */
bool cvg_keeper_signs(const struct cvg_keeper *keeper);
/* One thread, of a keeper that signs: with what it signs and what it believes from now on
 * (cvg_record_keys_take); the keeper's. */
void cvg_keeper_change_keys(struct cvg_keeper *keeper, struct cvg_record_keys *keys);

/* Any thread: whether journal and store are ours; false only while "wait" lasts. */
bool cvg_keeper_is_open(const struct cvg_keeper *keeper);

/* Any thread. */
void cvg_keeper_fetch(struct cvg_keeper *keeper, struct cvg_fetch *fetch);

/* Any thread: replaces what is kept under the key; copies both. Newer values of a key replace
 * older ones that are not written yet. The store merges it with what it has of the key. BUSY: the
 * bound is reached. RANGE: the key or the value is too long. */
CVG_MUST_USE enum cvg_error cvg_keeper_put(struct cvg_keeper *keeper, const void *key,
                                           size_t key_len, const void *value, size_t value_len);
/* Any thread: whether put would take something now. */
bool cvg_keeper_has_room(const struct cvg_keeper *keeper);

#endif
