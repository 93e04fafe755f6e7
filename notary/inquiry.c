/* SPDX-License-Identifier: MIT */
/* Questions about targets, and the probes they share. */
#include "notary/inquiry.h"

#include <stdlib.h>
#include <string.h>

struct cvg_inquirer {
    const struct cvg_prober *prober;
    struct cvg_memory *memory;
    struct cvg_budget *budget;
    const struct cvg_clock *clock;
    struct cvg_inquiry_limits limits;
    struct cvg_link flights;
    size_t flight_count;
};

struct cvg_inquiry {
    struct cvg_link link; /* among its flight's */
    struct cvg_wanted wanted;
    cvg_inquiry_done *done;
    void *user;
};

struct cvg_flight {
    struct cvg_link link; /* among the inquirer's */
    struct cvg_inquirer *inquirer;
    struct cvg_target *target;
    struct cvg_probe *probe;
    struct cvg_link waiting;
    bool asked; /* somebody has waited, and may have left: else it only refreshes */
};

enum cvg_error cvg_inquirer_new(const struct cvg_prober *prober, struct cvg_memory *memory,
                                struct cvg_budget *budget, const struct cvg_clock *clock,
                                struct cvg_inquirer **ret_inquirer)
{
    struct cvg_inquirer *inquirer = calloc(1, sizeof(*inquirer));
    if (inquirer == NULL)
        return CVG_ERR_NOMEM;
    inquirer->prober = prober;
    inquirer->memory = memory;
    inquirer->budget = budget;
    inquirer->clock = clock;
    cvg_list_init(&inquirer->flights);
    *ret_inquirer = inquirer;
    return CVG_OK;
}

static void end_flight(struct cvg_flight *flight)
{
    while (!cvg_list_empty(&flight->waiting))
        cvg_inquiry_cancel(CVG_CONTAINER_OF(flight->waiting.next, struct cvg_inquiry, link));
    flight->target->flight = NULL;
    flight->inquirer->flight_count--;
    cvg_list_remove(&flight->link);
    cvg_probe_free(flight->probe);
    free(flight);
}

void cvg_inquirer_free(struct cvg_inquirer *inquirer)
{
    if (inquirer == NULL)
        return;
    while (!cvg_list_empty(&inquirer->flights))
        end_flight(CVG_CONTAINER_OF(inquirer->flights.next, struct cvg_flight, link));
    free(inquirer);
}

void cvg_inquirer_set(struct cvg_inquirer *inquirer, const struct cvg_inquiry_limits *limits)
{
    inquirer->limits = *limits;
}

size_t cvg_inquirer_flights(const struct cvg_inquirer *inquirer)
{
    return inquirer->flight_count;
}

static bool matches(const struct cvg_wanted *wanted, const struct cvg_leaf *leaf)
{
    if (wanted->len == CVG_SHA256_LEN)
        return memcmp(wanted->digest, leaf->sha256, CVG_SHA256_LEN) == 0;
    return wanted->len == CVG_SHA1_LEN && memcmp(wanted->digest, leaf->sha1, CVG_SHA1_LEN) == 0;
}

/* Whether what is in memory satisfies the question, without a probe. */
static bool satisfies(const struct cvg_inquirer *inquirer, const struct cvg_target *target,
                      const struct cvg_wanted *wanted)
{
    const struct cvg_observations *observations = &target->observations;
    int64_t now_s = cvg_clock_wall_s(inquirer->clock);
    if (wanted->len == 0)
        return observations->count > 0;
    for (size_t i = 0; i < observations->count; i++)
        if (matches(wanted, &observations->record[i].leaf) &&
            cvg_observations_current(observations, i, now_s, (int64_t)inquirer->limits.max_age_s))
            return true;
    return false;
}

/* The finding when there is nothing more to look at: how the newest probe ended. */
static void conclude(const struct cvg_inquirer *inquirer, struct cvg_target *target,
                     const struct cvg_wanted *wanted, struct cvg_finding *ret_finding)
{
    bool found = satisfies(inquirer, target, wanted);
    *ret_finding = (struct cvg_finding){
        .status = found || target->failure == 0 ? CVG_V2_SEEN : target->failure,
        .found = found,
        .target = target,
    };
}

/* Answers one waiting question; its user may start others meanwhile. */
static void answer(struct cvg_flight *flight, struct cvg_inquiry *inquiry)
{
    struct cvg_finding finding;
    conclude(flight->inquirer, flight->target, &inquiry->wanted, &finding);
    cvg_list_remove(&inquiry->link);
    inquiry->done(&finding, inquiry->user);
    free(inquiry);
}

/* Answers those that memory satisfies now; the others go on waiting. An answer may cancel others,
 * so each is taken off its ring before anything is done about it. */
static void answer_satisfied(struct cvg_flight *flight)
{
    struct cvg_link unsatisfied;
    cvg_list_init(&unsatisfied);
    while (!cvg_list_empty(&flight->waiting)) {
        struct cvg_inquiry *inquiry =
            CVG_CONTAINER_OF(flight->waiting.next, struct cvg_inquiry, link);
        if (satisfies(flight->inquirer, flight->target, &inquiry->wanted)) {
            answer(flight, inquiry);
        } else {
            cvg_list_remove(&inquiry->link);
            cvg_list_push(&unsatisfied, &inquiry->link);
        }
    }
    while (!cvg_list_empty(&unsatisfied)) {
        struct cvg_link *link = unsatisfied.next;
        cvg_list_remove(link);
        cvg_list_push(&flight->waiting, link);
    }
}

/* Takes in what a round saw. What cannot be kept was not seen. */
static enum cvg_error take(struct cvg_flight *flight, const struct cvg_probe_result *result)
{
    struct cvg_target *target = flight->target;
    int64_t now_s = cvg_clock_wall_s(flight->inquirer->clock);
    enum cvg_error err = result->error;
    for (size_t i = 0; i < result->count && err == CVG_OK; i++)
        err = cvg_observations_add(&target->observations, &result->sighting[i].leaf,
                                   &result->sighting[i].address, now_s);
    if (result->count > 0)
        cvg_memory_changed(flight->inquirer->memory, target);
    target->tried = true;
    target->tried_ms = cvg_clock_ms(flight->inquirer->clock);
    return err;
}

/* The first round says whether the target can be reached; the second cannot take that back. */
static void set_failure(struct cvg_target *target, enum cvg_error err)
{
    enum cvg_v2_status failure = err == CVG_OK            ? (enum cvg_v2_status)0
                                 : err == CVG_ERR_REFUSED ? CVG_V2_NOT_PUBLIC
                                                          : CVG_V2_UNREACHABLE;
    if (target->failure != failure)
        cvg_target_changed(target);
    target->failure = failure;
}

static void last_round(struct cvg_flight *flight)
{
    struct cvg_target *target = flight->target;
    target->looked = true;
    target->looked_ms = cvg_clock_ms(flight->inquirer->clock);
    while (!cvg_list_empty(&flight->waiting))
        answer(flight, CVG_CONTAINER_OF(flight->waiting.next, struct cvg_inquiry, link));
    end_flight(flight);
}

static void second_round(struct cvg_probe *probe, const struct cvg_probe_result *result,
                         void *user);

/* Where all who asked are gone (a query ends as soon as one of its targets cannot be asked about),
 * the second round comes all the same: otherwise such queries would win a probe of the target again
 * and again, without an interval. */
static void first_round(struct cvg_flight *flight, const struct cvg_probe_result *result)
{
    enum cvg_error err = take(flight, result);
    bool left = flight->asked && cvg_list_empty(&flight->waiting);
    set_failure(flight->target, err);
    answer_satisfied(flight);
    if (err == CVG_OK && !left && cvg_list_empty(&flight->waiting))
        end_flight(flight);
    else if (err != CVG_OK || cvg_probe_again(flight->probe, left, second_round) != CVG_OK)
        last_round(flight);
}

static void probed(struct cvg_probe *probe, const struct cvg_probe_result *result, void *user)
{
    (void)probe;
    first_round(user, result);
}

static void second_round(struct cvg_probe *probe, const struct cvg_probe_result *result, void *user)
{
    (void)probe;
    (void)take(user, result);
    last_round(user);
}

static enum cvg_error start_flight(struct cvg_inquirer *inquirer, struct cvg_target *target,
                                   struct cvg_budget_client *client)
{
    struct cvg_endpoint endpoint;
    if (inquirer->flight_count >= inquirer->limits.max_flights ||
        cvg_budget_probe(inquirer->budget, client, cvg_clock_ms(inquirer->clock)) > 0)
        return CVG_ERR_BUSY;
    struct cvg_flight *flight = calloc(1, sizeof(*flight));
    if (flight == NULL)
        return CVG_ERR_NOMEM;
    *flight = (struct cvg_flight){.inquirer = inquirer, .target = target};
    enum cvg_error err = cvg_target_endpoint(target, &endpoint);
    if (err == CVG_OK)
        err = cvg_probe_start(inquirer->prober, &endpoint, cvg_target_hint(target), probed, flight,
                              &flight->probe);
    if (err != CVG_OK) {
        free(flight);
        return err;
    }
    cvg_list_init(&flight->waiting);
    cvg_list_push(&inquirer->flights, &flight->link);
    inquirer->flight_count++;
    target->flight = flight;
    return CVG_OK;
}

static enum cvg_error wait(struct cvg_flight *flight, const struct cvg_wanted *wanted,
                           cvg_inquiry_done *done, void *user, struct cvg_inquiry **ret_inquiry)
{
    struct cvg_inquiry *inquiry = calloc(1, sizeof(*inquiry));
    if (inquiry == NULL)
        return CVG_ERR_NOMEM;
    *inquiry = (struct cvg_inquiry){.wanted = *wanted, .done = done, .user = user};
    cvg_list_push(&flight->waiting, &inquiry->link);
    flight->asked = true;
    *ret_inquiry = inquiry;
    return CVG_OK;
}

/* Looks again in the background when what everybody lives on has reached half its age. */
static void refresh(struct cvg_inquirer *inquirer, struct cvg_target *target,
                    struct cvg_budget_client *client)
{
    int64_t age_s =
        cvg_clock_wall_s(inquirer->clock) - cvg_observations_newest(&target->observations);
    uint64_t now_ms = cvg_clock_ms(inquirer->clock);
    if (age_s < (int64_t)inquirer->limits.max_age_s / 2 || target->flight != NULL ||
        (target->tried && now_ms - target->tried_ms < inquirer->limits.interval_ms))
        return;
    (void)start_flight(inquirer, target, client);
}

enum cvg_error cvg_inquiry_start(struct cvg_inquirer *inquirer, const struct cvg_endpoint *endpoint,
                                 uint8_t hint, const struct cvg_wanted *wanted,
                                 struct cvg_budget_client *client, cvg_inquiry_done *done,
                                 void *user, struct cvg_finding *ret_finding,
                                 struct cvg_inquiry **ret_inquiry)
{
    struct cvg_target *target = NULL;
    enum cvg_error err = cvg_memory_target(inquirer->memory, endpoint, hint, &target);
    if (err != CVG_OK)
        return err;
    bool known = satisfies(inquirer, target, wanted);
    if (known)
        refresh(inquirer, target, client);
    bool recent = target->looked &&
                  cvg_clock_ms(inquirer->clock) - target->looked_ms < inquirer->limits.interval_ms;
    if (known || recent) {
        conclude(inquirer, target, wanted, ret_finding);
        *ret_inquiry = NULL;
        return CVG_OK;
    }
    if (target->flight == NULL)
        err = start_flight(inquirer, target, client);
    if (err == CVG_OK)
        err = wait(target->flight, wanted, done, user, ret_inquiry);
    return err;
}

void cvg_inquiry_cancel(struct cvg_inquiry *inquiry)
{
    if (inquiry == NULL)
        return;
    cvg_list_remove(&inquiry->link);
    free(inquiry);
}
