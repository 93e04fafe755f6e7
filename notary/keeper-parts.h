/* SPDX-License-Identifier: MIT */
/* What the keeper's files share; nobody else includes it. All of it is the keeper's thread's,
 * except where it says otherwise. */
#ifndef CVG_NOTARY_KEEPER_PARTS_H
#define CVG_NOTARY_KEEPER_PARTS_H

#include <pthread.h>

#include "common/base/clock.h"
#include "notary/backend.h"
#include "notary/inbox.h"
#include "notary/journal.h"
#include "notary/keeper.h"

struct cvg_keeper {
    struct cvg_settings settings;
    struct cvg_record_keys *keys; /* NULL: none are needed; the pointer never changes */
    struct cvg_metrics *metrics;  /* borrowed */
    pthread_t thread;
    uv_loop_t loop;
    uv_async_t wake;
    uv_timer_t write_timer; /* runs while something is in the inbox */
    uv_timer_t tick;

    struct cvg_inbox *inbox;                      /* any thread */
    _Atomic(struct cvg_record_keys *) newer_keys; /* one other thread sets it */
    atomic_bool is_ending;                        /* any thread sets it */
    atomic_bool is_open;          /* journal and store are ours; any thread reads it */
    atomic_uint_fast64_t backlog; /* octets of the journal; any thread reads it */
    int lock;                     /* the journal's, or -1: somebody else has it */
    struct cvg_journal *journal;  /* NULL: not open */
    struct cvg_backend *backend;  /* NULL: not open */
    bool is_over;                 /* ending has begun */
    bool write_failed;            /* the last time */
    bool is_absorbing;            /* the backend has the journal's first segment */
    uint64_t absorb_delay_ms;     /* 0: it went well */
    uint64_t absorb_at_ms;        /* not before */
    uint64_t synced_ms;           /* when syncing was begun last */
    struct cvg_link under_way;    /* looks into the store */
    size_t gets;                  /* under way at the backend */
    struct cvg_link waiting;      /* fetches whose turn has not come */
};

static inline uint64_t cvg_keeper_now_ms(void)
{
    return cvg_clock_ms(cvg_clock_system());
}

/* keeper-fetch.c: serves what has been asked for. At the end, or while the journal is another
 * process's, only what is in the inbox is known. */
void cvg_keeper_serve(struct cvg_keeper *keeper);
/* At the end, once the backend is gone: all that were asked for and are not found. */
void cvg_keeper_give_up(struct cvg_keeper *keeper);
void cvg_keeper_answer(struct cvg_fetch *fetch, enum cvg_error err);

/* keeper-write.c: moves what is in the inbox to the journal, soon or, all of it, now. */
void cvg_keeper_write_soon(struct cvg_keeper *keeper);
void cvg_keeper_write_all(struct cvg_keeper *keeper);
/* Once a second: seals, syncs, hands over to the backend, tells the metrics. */
void cvg_keeper_turn(struct cvg_keeper *keeper);

#endif
