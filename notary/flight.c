/* SPDX-License-Identifier: MIT */
/* What is done about a target that memory cannot answer for: the store is asked, then the target is
 * probed, in one or two rounds; who waits is answered as soon as may be. */
#include "notary/flight.h"

#include <stdlib.h>
#include <string.h>

#include "notary/backend.h"
#include "notary/refresh.h"

#define NOTARY_RETRY_S 1  /* when the notary's own limit is reached */
#define KEEPER_RETRY_S 10 /* when nothing can be kept */

/* NULL: nothing is kept; by us no more, where another process has taken over and we only answer
 * those who are still connected. */
static struct cvg_keeper *keeper_of(const struct cvg_flight *flight)
{
    struct cvg_keeper *keeper = *flight->inquirer->parts.keeper;
    return keeper != NULL && !cvg_keeper_is_over(keeper) ? keeper : NULL;
}

static uint64_t now_ms(const struct cvg_flight *flight)
{
    return cvg_clock_ms(flight->inquirer->parts.clock);
}

static void fetched(struct cvg_letter *letter);

enum cvg_error cvg_flight_begin(struct cvg_inquirer *inquirer, struct cvg_target *target,
                                bool refreshing, struct cvg_flight **ret_flight)
{
    if (atomic_fetch_add_explicit(inquirer->parts.flights, 1, memory_order_relaxed) >=
        inquirer->limits.max_flights) {
        atomic_fetch_sub_explicit(inquirer->parts.flights, 1, memory_order_relaxed);
        return CVG_ERR_BUSY;
    }
    struct cvg_flight *flight = calloc(1, sizeof(*flight));
    if (flight == NULL) {
        atomic_fetch_sub_explicit(inquirer->parts.flights, 1, memory_order_relaxed);
        return CVG_ERR_NOMEM;
    }
    flight->inquirer = inquirer;
    flight->target = target;
    flight->refreshing = refreshing;
    flight->began_ms = now_ms(flight);
    flight->fetch.letter.open = fetched;
    cvg_list_init(&flight->fetch.letter.link);
    cvg_list_init(&flight->waiting);
    cvg_list_push(&inquirer->departing, &flight->link);
    inquirer->flight_count++;
    memcpy(flight->key, target->key, target->key_len);
    flight->fetch.key = flight->key;
    flight->fetch.key_len = target->key_len;
    target->flight = flight;
    *ret_flight = flight;
    return CVG_OK;
}

/* With the lock: nobody joins it any more; a target about which nothing came to be known goes. */
static void detach(struct cvg_flight *flight)
{
    struct cvg_target *target = flight->target;
    flight->target = NULL;
    target->flight = NULL;
    cvg_memory_drop_unknown(flight->inquirer->parts.memory, target);
}

/* Without the lock. */
static void free_flight(struct cvg_flight *flight)
{
    cvg_list_remove(&flight->link);
    flight->inquirer->flight_count--;
    atomic_fetch_sub_explicit(flight->inquirer->parts.flights, 1, memory_order_relaxed);
    cvg_probe_free(flight->probe);
    flight->probe = NULL;
    cvg_hearing_free(flight->hearing);
    flight->hearing = NULL;
    if (!flight->fetching)
        free(flight);
}

/* Ends the flight; who still waits hears why. Without the lock. */
static void end(struct cvg_flight *flight, const struct cvg_finding *why, bool later)
{
    const struct cvg_inquirer *here = flight->inquirer;
    struct cvg_shard *shard = flight->target->shard;
    struct cvg_link ready;
    cvg_list_init(&ready);
    cvg_shard_lock(shard);
    cvg_waiting_dismiss(flight, why, &ready);
    detach(flight);
    cvg_shard_unlock(shard);
    free_flight(flight);
    cvg_waiting_deliver(here, &ready, later);
}

void cvg_flight_cancel(struct cvg_flight *flight)
{
    const struct cvg_finding gone = {.error = CVG_ERR_UNREACHABLE};
    end(flight, &gone, true);
}

/* With the lock: when the target is looked at again in the background. */
static void set_refresh(const struct cvg_flight *flight, struct cvg_target *target)
{
    const struct cvg_inquirer *inquirer = flight->inquirer;
    int64_t newest_s = cvg_observations_newest(&target->observations);
    int64_t age_s = cvg_clock_wall_s(inquirer->parts.clock) - newest_s;
    uint64_t now = now_ms(flight);
    target->refresh_ms =
        target->observations.count == 0
            ? 0
            : cvg_refresh_at_ms(now, age_s, inquirer->limits.max_age_s, target->node.hash ^ now);
}

/* What is taken in is first kept: a notary never forgets what it has signed. */
static enum cvg_error keep(const struct cvg_flight *flight,
                           const struct cvg_observations *observations)
{
    struct cvg_keeper *keeper = keeper_of(flight);
    struct cvg_buffer value;
    if (keeper == NULL)
        return CVG_OK;
    cvg_buffer_init(&value, CVG_VALUE_MAX);
    enum cvg_error err = cvg_observations_write(observations, &value);
    if (err == CVG_OK)
        err = cvg_keeper_put(keeper, flight->key, flight->fetch.key_len, value.data, value.len);
    cvg_buffer_free(&value);
    return err == CVG_ERR_BUSY && keeper_of(flight) == NULL ? CVG_OK : err;
}

/* Without the lock: nobody else changes a target's observations while it has a flight. */
static void replace(struct cvg_flight *flight, struct cvg_observations *observations)
{
    struct cvg_target *target = flight->target;
    struct cvg_observations old = target->observations;
    cvg_memory_lock(target);
    target->observations = *observations;
    cvg_target_changed(target);
    set_refresh(flight, target);
    cvg_memory_release(target);
    cvg_observations_free(&old);
}

/* Takes in what a round saw, all or nothing. What cannot be kept was not seen. */
static enum cvg_error take(struct cvg_flight *flight, const struct cvg_probe_result *result,
                           const struct cvg_examined *examined)
{
    struct cvg_observations next = {.count = 0};
    int64_t now_s = cvg_clock_wall_s(flight->inquirer->parts.clock);
    if (result->count == 0)
        return result->error;
    if (flight->seen_s == 0)
        flight->seen_s = cvg_observations_time(&flight->target->observations, now_s);
    enum cvg_error err = cvg_observations_copy(&flight->target->observations, &next);
    for (size_t i = 0; i < result->count && err == CVG_OK; i++)
        err = cvg_observations_add(&next, &result->sighting[i].leaf, &result->sighting[i].address,
                                   flight->seen_s);
    if (err == CVG_OK)
        cvg_examined_keep(examined, now_s, &next);
    if (err == CVG_OK)
        err = keep(flight, &next);
    if (err == CVG_OK)
        replace(flight, &next);
    else
        cvg_observations_free(&next);
    return err;
}

/* With the lock. The first round says whether the target can be reached; the second cannot take
 * that back. */
static void set_failure(struct cvg_target *target, enum cvg_error err)
{
    enum cvg_v2_status failure = err == CVG_OK            ? (enum cvg_v2_status)0
                                 : err == CVG_ERR_REFUSED ? CVG_V2_NOT_PUBLIC
                                                          : CVG_V2_UNREACHABLE;
    if (target->failure != failure)
        cvg_target_changed(target);
    target->failure = failure;
}

/* There is nothing more to look at: everybody has an answer. */
static void last_round(struct cvg_flight *flight)
{
    const struct cvg_inquirer *here = flight->inquirer;
    struct cvg_target *target = flight->target;
    struct cvg_shard *shard = target->shard;
    struct cvg_link ready;
    cvg_list_init(&ready);
    cvg_shard_lock(shard);
    target->looked = true;
    target->looked_ms = now_ms(flight);
    target->looked_s = cvg_clock_wall_s(here->parts.clock);
    if (target->refresh_ms != 0 && target->refresh_ms <= target->looked_ms)
        target->refresh_ms = target->looked_ms + cvg_refresh_retry_ms(&here->limits);
    cvg_waiting_answer(flight, true, &ready);
    detach(flight);
    cvg_shard_unlock(shard);
    free_flight(flight);
    cvg_waiting_deliver(here, &ready, false);
}

/* Clients wait for the probe's time, and no longer. */
static void hear(struct cvg_flight *flight, const struct cvg_probe_result *result,
                 cvg_hearing_done *done)
{
    const struct cvg_inquirer_parts *parts = &flight->inquirer->parts;
    uint64_t timeout_ms = parts->prober->timeout_ms, taken_ms = now_ms(flight) - flight->began_ms;
    if (!flight->refreshing)
        timeout_ms = taken_ms < timeout_ms ? timeout_ms - taken_ms : 0;
    cvg_hearing_round(flight->hearing, *parts->verifiers, result, timeout_ms, done, flight);
}

static void heard_again(const struct cvg_probe_result *result, const struct cvg_examined *examined,
                        void *user)
{
    (void)take(user, result, examined);
    last_round(user);
}

static void second_round(struct cvg_probe *probe, const struct cvg_probe_result *result, void *user)
{
    (void)probe;
    hear(user, result, heard_again);
}

/* Where all who asked are gone (a query ends as soon as one of its targets cannot be asked about),
 * the second round comes all the same: otherwise such queries would win a probe of the target again
 * and again, without an interval. */
static void heard(const struct cvg_probe_result *result, const struct cvg_examined *examined,
                  void *user)
{
    struct cvg_flight *flight = user;
    const struct cvg_inquirer *here = flight->inquirer;
    struct cvg_shard *shard = flight->target->shard;
    struct cvg_link ready;
    cvg_list_init(&ready);
    enum cvg_error err = take(flight, result, examined);
    cvg_shard_lock(shard);
    bool unattended = flight->refreshing || (flight->asked && cvg_list_empty(&flight->waiting));
    set_failure(flight->target, err);
    cvg_waiting_answer(flight, false, &ready);
    bool enough = err == CVG_OK && !unattended && cvg_list_empty(&flight->waiting);
    if (enough)
        detach(flight);
    cvg_shard_unlock(shard);
    if (enough)
        free_flight(flight);
    else if (err != CVG_OK || cvg_probe_again(flight->probe, unattended, second_round) != CVG_OK)
        last_round(flight);
    cvg_waiting_deliver(here, &ready, false);
}

/* Where the target's network has been looked at too often, nothing was learned about it. */
static void first_round(struct cvg_probe *probe, const struct cvg_probe_result *result, void *user)
{
    const struct cvg_finding later = {.error = CVG_ERR_BUSY, .retry_after_s = NOTARY_RETRY_S};
    (void)probe;
    if (result->error == CVG_ERR_BUSY)
        end(user, &later, false);
    else
        hear(user, result, heard);
}

/* With the lock: whether a probe may begin, and at whose cost. */
static bool may_probe(struct cvg_flight *flight, struct cvg_finding *ret_why)
{
    const struct cvg_inquirer_parts *parts = &flight->inquirer->parts;
    const struct cvg_keeper *keeper = keeper_of(flight);
    unsigned shortest_s = 0;
    if (keeper != NULL && !cvg_keeper_has_room(keeper) && keeper_of(flight) != NULL) {
        *ret_why = (struct cvg_finding){.error = CVG_ERR_BUSY, .retry_after_s = KEEPER_RETRY_S};
        return false;
    }
    for (struct cvg_link *link = flight->waiting.next; link != &flight->waiting;
         link = link->next) {
        struct cvg_inquiry *inquiry = CVG_CONTAINER_OF(link, struct cvg_inquiry, link);
        unsigned wait_s = cvg_budget_probe(parts->budget, inquiry->client, now_ms(flight));
        if (wait_s == 0)
            return true;
        if (shortest_s == 0 || wait_s < shortest_s)
            shortest_s = wait_s;
    }
    *ret_why = (struct cvg_finding){
        .error = CVG_ERR_BUSY, .retry_after_s = shortest_s, .over_budget = true};
    return flight->refreshing;
}

/* The second phase, if it is needed. later: nobody's done may be called from inside. */
static void probe(struct cvg_flight *flight, bool later)
{
    struct cvg_finding why = {.error = CVG_OK};
    struct cvg_endpoint endpoint;
    cvg_memory_lock(flight->target);
    bool may = may_probe(flight, &why);
    enum cvg_error err = cvg_target_endpoint(flight->target, &endpoint);
    uint8_t hint = cvg_target_hint(flight->target);
    cvg_memory_release(flight->target);
    if (!may) {
        end(flight, &why, later);
        return;
    }
    flight->source = CVG_FROM_PROBE;
    if (err == CVG_OK)
        err = cvg_hearing_new(*flight->inquirer->parts.verifiers, &endpoint, &flight->hearing);
    if (err == CVG_OK)
        err = cvg_probe_start(flight->inquirer->parts.prober, &endpoint, hint, first_round, flight,
                              &flight->probe);
    if (err != CVG_OK) {
        why = (struct cvg_finding){.error = err};
        end(flight, &why, later);
        return;
    }
}

/* Takes in what the store knows; memory may know something of the target already. */
static void take_record(struct cvg_flight *flight)
{
    struct cvg_observations stored = {.count = 0};
    struct cvg_fetch *fetch = &flight->fetch;
    int64_t now_s = cvg_clock_wall_s(flight->inquirer->parts.clock);
    enum cvg_error err = fetch->err;
    if (err == CVG_OK) {
        err = cvg_observations_parse(fetch->value.data, fetch->value.len, &stored);
        if (err != CVG_OK && err != CVG_ERR_NOMEM)
            err = CVG_ERR_NOT_FOUND; /* nobody will ever read it */
    }
    if (err == CVG_OK)
        err = cvg_observations_merge(&stored, &flight->target->observations, now_s);
    if (err == CVG_OK)
        replace(flight, &stored);
    else
        cvg_observations_free(&stored);
    cvg_memory_lock(flight->target);
    flight->target->fetched = err == CVG_OK || err == CVG_ERR_NOT_FOUND;
    cvg_memory_release(flight->target);
    cvg_buffer_free(&fetch->value);
}

static void fetched(struct cvg_letter *letter)
{
    struct cvg_flight *flight = CVG_CONTAINER_OF(letter, struct cvg_flight, fetch.letter);
    struct cvg_link ready;
    flight->fetching = false;
    if (flight->target == NULL) {
        cvg_buffer_free(&flight->fetch.value);
        free(flight);
        return;
    }
    cvg_list_init(&ready);
    const struct cvg_inquirer *here = flight->inquirer;
    struct cvg_shard *shard = flight->target->shard;
    take_record(flight);
    flight->source = CVG_FROM_STORE;
    cvg_shard_lock(shard);
    cvg_waiting_answer(flight, false, &ready);
    bool enough = !flight->refreshing && cvg_list_empty(&flight->waiting);
    if (enough)
        detach(flight);
    cvg_shard_unlock(shard);
    if (enough)
        free_flight(flight);
    else
        probe(flight, false);
    cvg_waiting_deliver(here, &ready, false);
}

void cvg_flight_depart(struct cvg_flight *flight)
{
    cvg_list_remove(&flight->link);
    cvg_list_push(&flight->inquirer->flights, &flight->link);
    struct cvg_keeper *keeper = keeper_of(flight);
    cvg_memory_lock(flight->target);
    bool fetch = keeper != NULL && !flight->target->fetched;
    cvg_memory_release(flight->target);
    if (!fetch) {
        probe(flight, true);
        return;
    }
    flight->fetching = true;
    flight->fetch.mailbox = flight->inquirer->parts.mailbox;
    cvg_buffer_init(&flight->fetch.value, CVG_VALUE_MAX);
    cvg_keeper_fetch(keeper, &flight->fetch);
}
