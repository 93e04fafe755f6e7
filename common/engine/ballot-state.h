/* SPDX-License-Identifier: MIT */
/* What a ballot consists of; for ballot*.c only. */
#ifndef CVG_ENGINE_BALLOT_STATE_H
#define CVG_ENGINE_BALLOT_STATE_H

#include "common/engine/ballot.h"
#include "common/engine/pool.h"

#define CVG_ATTEMPTS_MAX 64

struct attempt {
    struct cvg_ballot *ballot;
    struct cvg_exchange *exchange; /* NULL: over */
    size_t notary, relay;          /* indexes of bundles; relay may be CVG_NO_NOTARY */
    unsigned slot;
    uint64_t started_ms;
    bool counts; /* vote is to be shown: not so if only the relay was at fault */
    struct cvg_vote vote;
};

struct slot {
    bool open;
    unsigned live;    /* attempts under way */
    uint64_t soft_ms; /* when the next notary joins; UINT64_MAX: never */
};

struct cvg_ballot {
    const struct cvg_world *world;
    struct cvg_electorate *electorate;
    struct cvg_subject subject;
    uint64_t deadline_ms;
    cvg_ballot_done *done;
    void *user;
    struct cvg_tally tally;
    bool bounce, over;
    size_t relay;
    bool relay_proved; /* something came back through it */
    struct cvg_pool pool;
    struct slot slot[CVG_QUORUM_MAX];
    unsigned slots;
    struct attempt attempt[CVG_ATTEMPTS_MAX];
    size_t attempts;
    struct cvg_buffer path, body;
    struct cvg_leaf witnessed; /* what the first yes stated */
    unsigned witnesses;        /* how many stated it */
    bool contradicted;         /* and another yes stated something else */
};

#endif
