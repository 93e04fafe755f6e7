/* SPDX-License-Identifier: MIT */
/* A flight: what is done about one target that memory cannot answer for, and those who wait for it.
 * It belongs to one loop; who waits may be in others. Of inquiry.c, and nobody else. */
#ifndef CVG_NOTARY_FLIGHT_H
#define CVG_NOTARY_FLIGHT_H

#include "notary/hearing.h"
#include "notary/inquiry.h"

struct cvg_inquirer {
    struct cvg_inquirer_parts parts;
    struct cvg_inquiry_limits limits;
    struct cvg_link flights;
    struct cvg_link departing; /* begun under a lock, and not under way yet */
    size_t flight_count;
};

/* Who waits. The loop that asked frees it; while it is among a flight's, or finished and on its way
 * back, it is the flight's. */
struct cvg_inquiry {
    struct cvg_letter letter;
    struct cvg_inquirer *inquirer; /* of the loop that asked */
    struct cvg_shard *shard;
    struct cvg_link link; /* among its flight's, with the shard's lock */
    bool waiting;         /* it still is; with the shard's lock */
    bool v1;
    struct cvg_wanted wanted;
    struct cvg_budget_client *client;
    struct cvg_finding finding;
    cvg_inquiry_done *done; /* NULL: cancelled. Only in the loop that asked */
    void *user;
};

struct cvg_flight {
    struct cvg_fetch fetch;
    struct cvg_link link; /* among the inquirer's */
    struct cvg_inquirer *inquirer;
    struct cvg_target *target; /* NULL: given up, and the fetch's letter is still under way */
    struct cvg_probe *probe;
    struct cvg_hearing *hearing; /* NULL: there are no verifiers to be heard */
    uint64_t began_ms;
    int64_t seen_s;          /* the time of all that the probe sees; 0: nothing yet */
    bool refreshing;         /* nobody asked */
    bool fetching;           /* the letter is under way */
    enum cvg_source source;  /* what the answers are from */
    bool asked;              /* somebody has waited, and may have left; with the shard's lock */
    struct cvg_link waiting; /* with the shard's lock */
    uint8_t key[CVG_TARGET_KEY_MAX];
};

/* With the target's lock: makes a flight of it, departing. BUSY: there are too many. */
CVG_MUST_USE enum cvg_error cvg_flight_begin(struct cvg_inquirer *inquirer,
                                             struct cvg_target *target, bool refreshing,
                                             struct cvg_flight **ret_flight);
/* Without the lock: the first phase. Nobody's done is called from inside. */
void cvg_flight_depart(struct cvg_flight *flight);
/* Ends it: who waits is told that there is no answer. */
void cvg_flight_cancel(struct cvg_flight *flight);

/* With the lock. Answers those that memory satisfies now, or all, and puts them among the ready;
 * the others go on waiting. The lock may be let go of meanwhile. */
void cvg_waiting_answer(struct cvg_flight *flight, bool all, struct cvg_link *ready);
/* The same for all, with one finding, which has no body. */
void cvg_waiting_dismiss(struct cvg_flight *flight, const struct cvg_finding *why,
                         struct cvg_link *ready);
/* Without the lock: gives those that are ready their findings, in their loops. Their users may do
 * anything then; later: not before this loop's next turn. */
void cvg_waiting_deliver(const struct cvg_inquirer *here, struct cvg_link *ready, bool later);

/* Whether what is in memory satisfies the question, without a probe. With the lock. */
bool cvg_inquiry_satisfied(const struct cvg_inquirer *inquirer, const struct cvg_target *target,
                           const struct cvg_wanted *wanted);
/* The finding when there is nothing more to look at. With the lock, which it may let go of for a
 * while; the target stays. */
void cvg_inquiry_conclude(const struct cvg_inquirer *inquirer, struct cvg_target *target,
                          const struct cvg_wanted *wanted, bool v1, enum cvg_source source,
                          struct cvg_finding *ret_finding);

#endif
