/* SPDX-License-Identifier: MIT */
/* Guests: who comes over a limit and is told so. They have places of their own, few, and only for
 * the time that one answer takes; whoever finds none is closed without a word. Any thread. */
#ifndef CVG_NOTARY_GUESTS_H
#define CVG_NOTARY_GUESTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define CVG_GUEST_MS            3000 /* for everything */
#define CVG_GUEST_RETRY_AFTER_S 5
#define CVG_GUESTS_SHARE        8 /* one for so many of those that the limit lets in */
#define CVG_GUESTS_MIN          8

/* Takes a place; false: there is none. Who got one gives it back with cvg_guest_leave(). */
static inline bool cvg_guest_enter(atomic_size_t *guests, size_t limit)
{
    size_t share = limit / CVG_GUESTS_SHARE;
    if (atomic_fetch_add(guests, 1) < (share < CVG_GUESTS_MIN ? CVG_GUESTS_MIN : share))
        return true;
    atomic_fetch_sub(guests, 1);
    return false;
}

static inline void cvg_guest_leave(atomic_size_t *guests)
{
    atomic_fetch_sub(guests, 1);
}

#endif
