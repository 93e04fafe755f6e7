/* SPDX-License-Identifier: MIT */
/* The table of ballots under way, and what is remembered when one ends. */
#include "common/engine/flight.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 64

struct cvg_flight {
    struct cvg_flight *next;
    struct cvg_flights *owner;
    struct cvg_electorate *electorate; /* identity only; the ballot holds the reference */
    struct cvg_subject subject;
    struct cvg_ballot *ballot;
    struct cvg_seat *seats;
    uint32_t uid[CVG_CACHE_UIDS_MAX]; /* everybody who asked, also those who left */
    size_t uid_count;
};

struct cvg_flights {
    const struct cvg_world *world;
    struct cvg_cache *cache;
    struct cvg_negative *negative;
    struct cvg_flight *bucket[BUCKETS];
    size_t count;
};

enum cvg_error cvg_flights_new(const struct cvg_world *world, struct cvg_cache *cache,
                               struct cvg_negative *negative, struct cvg_flights **ret_flights)
{
    struct cvg_flights *flights = calloc(1, sizeof *flights);

    if (flights == NULL)
        return CVG_ERR_NOMEM;
    flights->world = world;
    flights->cache = cache;
    flights->negative = negative;
    *ret_flights = flights;
    return CVG_OK;
}

/* Certificates' digests spread well enough by themselves. */
static size_t bucket_of(const struct cvg_subject *subject)
{
    return subject->fingerprint.bytes[0] % BUCKETS;
}

static bool same_subject(const struct cvg_subject *a, const struct cvg_subject *b)
{
    return a->fingerprint.len == b->fingerprint.len && a->have_leaf == b->have_leaf &&
           memcmp(a->fingerprint.bytes, b->fingerprint.bytes, a->fingerprint.len) == 0 &&
           cvg_endpoint_cmp(&a->endpoint, &b->endpoint) == 0;
}

static struct cvg_flight *find(const struct cvg_flights *flights,
                               const struct cvg_electorate *electorate,
                               const struct cvg_subject *subject)
{
    struct cvg_flight *flight = flights->bucket[bucket_of(subject)];

    while (flight != NULL &&
           (flight->electorate != electorate || !same_subject(&flight->subject, subject)))
        flight = flight->next;
    return flight;
}

bool cvg_flight_exists(const struct cvg_flights *flights, const struct cvg_electorate *electorate,
                       const struct cvg_subject *subject)
{
    return find(flights, electorate, subject) != NULL;
}

static void remove_flight(struct cvg_flight *flight)
{
    struct cvg_flight **link = &flight->owner->bucket[bucket_of(&flight->subject)];

    while (*link != flight)
        link = &(*link)->next;
    *link = flight->next;
    flight->owner->count--;
}

static void note_uid(struct cvg_flight *flight, uint32_t uid)
{
    for (size_t i = 0; i < flight->uid_count; i++)
        if (flight->uid[i] == uid)
            return;
    if (flight->uid_count < CVG_CACHE_UIDS_MAX)
        flight->uid[flight->uid_count++] = uid;
    else
        flight->uid[CVG_CACHE_UIDS_MAX - 1] = UINT32_MAX;
}

static void remember_agreement(const struct cvg_flight *flight)
{
    const struct cvg_subject *subject = &flight->subject;
    struct cvg_cache_record record = {.endpoint = subject->endpoint};
    struct cvg_tally tally = cvg_ballot_tally(flight->ballot);
    struct cvg_leaf leaf;

    /* Without all of its digests there is nothing complete to remember. */
    if (flight->owner->cache == NULL || !cvg_ballot_leaf(flight->ballot, &leaf))
        return;
    memcpy(record.leaf_sha256, leaf.sha256, CVG_SHA256_LEN);
    memcpy(record.leaf_sha1, leaf.sha1, CVG_SHA1_LEN);
    memcpy(record.spki_sha256, leaf.spki_sha256, CVG_SHA256_LEN);
    record.by_key = subject->match == CVG_MATCH_PUBLIC_KEY;
    record.verified_s = cvg_clock_wall_s(flight->owner->world->clock);
    record.voter_count = cvg_ballot_yes(flight->ballot, record.voter);
    record.electorate = cvg_tally_electorate(&tally);
    memcpy(record.uid, flight->uid, sizeof record.uid);
    record.uid_count = flight->uid_count;
    cvg_cache_put(flight->owner->cache, &record);
}

static void remember_failure(const struct cvg_flight *flight)
{
    struct cvg_answer answer = {.verdict = cvg_ballot_verdict(flight->ballot),
                                .port = flight->subject.endpoint.port};

    answer.vote_count = cvg_ballot_votes(flight->ballot, answer.vote, CVG_MESSAGE_VOTES_MAX);
    cvg_negative_put(flight->owner->negative, &flight->subject.endpoint,
                     &flight->subject.fingerprint, &answer);
}

static void release_seat(struct cvg_seat *seat)
{
    *seat->link = seat->next;
    if (seat->next != NULL)
        seat->next->link = seat->link;
    seat->link = NULL;
    seat->next = NULL;
}

static void on_ballot_done(struct cvg_ballot *ballot, void *user)
{
    struct cvg_flight *flight = user;

    remove_flight(flight);
    if (cvg_ballot_verdict(ballot) == CVG_VERDICT_AGREE)
        remember_agreement(flight);
    else
        remember_failure(flight);
    while (flight->seats != NULL) {
        struct cvg_seat *seat = flight->seats;

        release_seat(seat);
        seat->done(seat, ballot);
    }
    cvg_ballot_free(ballot);
    free(flight);
}

static enum cvg_error launch(struct cvg_flights *flights, struct cvg_electorate *electorate,
                             const struct cvg_subject *subject, uint64_t deadline_ms,
                             struct cvg_flight **ret_flight)
{
    struct cvg_flight *flight = calloc(1, sizeof *flight);
    enum cvg_error err;

    if (flight == NULL)
        return CVG_ERR_NOMEM;
    flight->owner = flights;
    flight->electorate = electorate;
    flight->subject = *subject;
    err = cvg_ballot_new(flights->world, electorate, subject, deadline_ms, on_ballot_done, flight,
                         &flight->ballot);
    if (err != CVG_OK) {
        free(flight);
        return err;
    }
    flight->next = flights->bucket[bucket_of(subject)];
    flights->bucket[bucket_of(subject)] = flight;
    flights->count++;
    *ret_flight = flight;
    return CVG_OK;
}

enum cvg_error cvg_flight_join(struct cvg_flights *flights, struct cvg_electorate *electorate,
                               const struct cvg_subject *subject, uint64_t deadline_ms,
                               struct cvg_seat *seat)
{
    struct cvg_flight *flight = find(flights, electorate, subject);

    if (flight == NULL) {
        enum cvg_error err = launch(flights, electorate, subject, deadline_ms, &flight);

        if (err != CVG_OK)
            return err;
    }
    note_uid(flight, seat->uid);
    seat->flight = flight;
    seat->next = flight->seats;
    seat->link = &flight->seats;
    if (seat->next != NULL)
        seat->next->link = &seat->next;
    flight->seats = seat;
    return CVG_OK;
}

void cvg_flight_leave(struct cvg_seat *seat)
{
    if (seat->link != NULL)
        release_seat(seat);
}

const struct cvg_ballot *cvg_flight_ballot(const struct cvg_seat *seat)
{
    return seat->flight->ballot;
}

uint64_t cvg_flights_next_ms(const struct cvg_flights *flights)
{
    uint64_t next = UINT64_MAX;

    for (size_t i = 0; flights->count > 0 && i < BUCKETS; i++)
        for (struct cvg_flight *flight = flights->bucket[i]; flight != NULL;
             flight = flight->next) {
            uint64_t own = cvg_ballot_next_ms(flight->ballot);

            if (own < next)
                next = own;
        }
    return next;
}

/* A ballot that ends frees its flight, and what its seats do may start others: so one at a time. */
static bool tick_one(struct cvg_flights *flights, uint64_t now)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct cvg_flight *flight = flights->bucket[i]; flight != NULL; flight = flight->next)
            if (cvg_ballot_next_ms(flight->ballot) <= now) {
                cvg_ballot_tick(flight->ballot);
                return true;
            }
    return false;
}

void cvg_flights_tick(struct cvg_flights *flights)
{
    uint64_t now = cvg_clock_ms(flights->world->clock);

    while (flights->count > 0 && tick_one(flights, now))
        continue;
}

size_t cvg_flights_count(const struct cvg_flights *flights)
{
    return flights->count;
}

void cvg_flights_free(struct cvg_flights *flights)
{
    if (flights == NULL)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        while (flights->bucket[i] != NULL) {
            struct cvg_flight *flight = flights->bucket[i];

            while (flight->seats != NULL)
                release_seat(flight->seats);
            flights->bucket[i] = flight->next;
            cvg_ballot_free(flight->ballot);
            free(flight);
        }
    free(flights);
}
