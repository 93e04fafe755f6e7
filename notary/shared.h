/* SPDX-License-Identifier: MIT */
/* What all workers of a process have in common. Made by the main thread before they run, freed by
 * it after they have ended; every part may be used by any thread. */
#ifndef CVG_NOTARY_SHARED_H
#define CVG_NOTARY_SHARED_H

#include <uv.h>

#include "common/base/clock.h"
#include "notary/budget.h"
#include "notary/keeper.h"
#include "notary/memory.h"
#include "notary/metrics.h"
#include "notary/tickets.h"

struct cvg_shared {
    const struct cvg_clock *clock;
    struct cvg_memory *memory;
    struct cvg_budget *budget;
    struct cvg_tickets *tickets;
    struct cvg_keeper *keeper;  /* NULL: nothing is kept */
    struct cvg_metrics metrics; /* what no worker counts */
    size_t workers;
    /* The limits of the settings are the process's. */
    atomic_size_t connections;
    atomic_size_t tunnels;
    atomic_size_t guests; /* over the limits, counted by themselves: guests.h */
    atomic_size_t relay_guests;
    atomic_size_t flights;
    atomic_size_t drained; /* workers that take nothing new any more */
    uv_async_t *left;      /* told when something has gone while draining */
};

#endif
