/* SPDX-License-Identifier: MIT */
/* Single-flight: however many ask about one certificate at one endpoint, one ballot is held, and
 * its outcome is remembered for all of them. One thread. */
#ifndef CVG_ENGINE_FLIGHT_H
#define CVG_ENGINE_FLIGHT_H

#include "common/engine/ballot.h"
#include "common/engine/cache.h"
#include "common/engine/negative.h"

struct cvg_flights;
struct cvg_flight;

/* Somebody's place on a flight. The caller owns it; it must not move while it is taken. */
struct cvg_seat {
    struct cvg_seat *next, **link; /* link is NULL while the seat is not taken */
    struct cvg_flight *flight;
    uint32_t uid;
    /* The ballot is over; the seat is free again when this is called. ballot is valid during it. */
    void (*done)(struct cvg_seat *seat, const struct cvg_ballot *ballot);
};

/* cache may be NULL. All must outlive the flights. */
CVG_MUST_USE enum cvg_error cvg_flights_new(const struct cvg_world *world, struct cvg_cache *cache,
                                            struct cvg_negative *negative,
                                            struct cvg_flights **ret_flights);
/* Abandons all flights without calling seats. */
void cvg_flights_free(struct cvg_flights *flights);

/* Whether a seat could be taken without asking anybody anew. */
bool cvg_flight_exists(const struct cvg_flights *flights, const struct cvg_electorate *electorate,
                       const struct cvg_subject *subject);

/* Takes a seat on the flight for the subject, starting one if there is none. done is called later,
 * never from here. */
CVG_MUST_USE enum cvg_error cvg_flight_join(struct cvg_flights *flights,
                                            struct cvg_electorate *electorate,
                                            const struct cvg_subject *subject, uint64_t deadline_ms,
                                            struct cvg_seat *seat);
/* Gives the seat up. The flight goes on: its outcome is worth remembering. */
void cvg_flight_leave(struct cvg_seat *seat);
/* The ballot of the flight that the seat is on, as it stands; the seat must be taken. */
const struct cvg_ballot *cvg_flight_ballot(const struct cvg_seat *seat);

uint64_t cvg_flights_next_ms(const struct cvg_flights *flights);
void cvg_flights_tick(struct cvg_flights *flights);
size_t cvg_flights_count(const struct cvg_flights *flights);

#endif
