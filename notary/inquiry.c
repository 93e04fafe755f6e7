/* SPDX-License-Identifier: MIT */
/* Questions about targets: what memory can answer, and who has to wait. */
#include "notary/inquiry.h"

#include <stdlib.h>
#include <string.h>

#include "notary/flight.h"

enum cvg_error cvg_inquirer_new(const struct cvg_inquirer_parts *parts,
                                struct cvg_inquirer **ret_inquirer)
{
    struct cvg_inquirer *inquirer = calloc(1, sizeof(*inquirer));
    if (inquirer == NULL)
        return CVG_ERR_NOMEM;
    inquirer->parts = *parts;
    cvg_list_init(&inquirer->flights);
    cvg_list_init(&inquirer->departing);
    *ret_inquirer = inquirer;
    return CVG_OK;
}

void cvg_inquirer_set(struct cvg_inquirer *inquirer, const struct cvg_inquiry_limits *limits)
{
    inquirer->limits = *limits;
}

void cvg_inquirer_stop(struct cvg_inquirer *inquirer)
{
    while (!cvg_list_empty(&inquirer->flights))
        cvg_flight_cancel(CVG_CONTAINER_OF(inquirer->flights.next, struct cvg_flight, link));
}

void cvg_inquirer_free(struct cvg_inquirer *inquirer)
{
    free(inquirer);
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

/* What is wanted, if it is current; else NULL. */
static const struct cvg_seen *find_current(const struct cvg_inquirer *inquirer,
                                           const struct cvg_target *target,
                                           const struct cvg_wanted *wanted)
{
    const struct cvg_observations *observations = &target->observations;
    int64_t now_s = cvg_clock_wall_s(inquirer->parts.clock);
    for (size_t i = 0; i < observations->count; i++)
        if (matches(wanted, &observations->record[i].leaf) &&
            cvg_observations_current(observations, i, now_s, (int64_t)inquirer->limits.max_age_s))
            return &observations->record[i];
    return NULL;
}

bool cvg_inquiry_satisfied(const struct cvg_inquirer *inquirer, const struct cvg_target *target,
                           const struct cvg_wanted *wanted)
{
    if (wanted->len == 0)
        return target->observations.count > 0;
    return find_current(inquirer, target, wanted) != NULL;
}

void cvg_inquiry_conclude(const struct cvg_inquirer *inquirer, struct cvg_target *target,
                          const struct cvg_wanted *wanted, bool v1, enum cvg_source source,
                          struct cvg_finding *ret_finding)
{
    const struct cvg_answerer *answerer = inquirer->parts.answerer;
    const struct cvg_seen *seen = find_current(inquirer, target, wanted);
    bool found = wanted->len == 0 ? target->observations.count > 0 : seen != NULL;
    struct cvg_finding finding = {
        .status = found || target->failure == 0 ? CVG_V2_SEEN : target->failure,
        .found = found,
        .source = source,
    };
    if (seen != NULL)
        memcpy(finding.opinion, seen->opinion, sizeof(finding.opinion));
    if (!v1)
        finding.error = cvg_answer_v2(answerer, target, finding.status, &finding.body);
    else if (finding.status == CVG_V2_SEEN)
        finding.error = cvg_answer_v1(answerer, target, &finding.body);
    *ret_finding = finding;
}

/* Whether what is wanted is on trial, and it is time to look at it again, whatever else was looked
 * for a moment ago; but not where the last look was at that time already, and did not find it. */
static bool is_untried(const struct cvg_inquirer *inquirer, const struct cvg_target *target,
                       const struct cvg_wanted *wanted)
{
    const struct cvg_observations *observations = &target->observations;
    int64_t now_s = cvg_clock_wall_s(inquirer->parts.clock);
    for (size_t i = 0; i < observations->count; i++)
        if (matches(wanted, &observations->record[i].leaf))
            return cvg_observations_untried(observations, i, now_s) &&
                   !cvg_observations_untried(observations, i, target->looked_s);
    return false;
}

/* Whether there is nothing more to look at: it is known, or was just looked for in vain, maybe by
 * another loop, and after this one read its clock. */
static bool is_settled(const struct cvg_inquirer *inquirer, const struct cvg_target *target,
                       const struct cvg_wanted *wanted, uint64_t now_ms)
{
    return cvg_inquiry_satisfied(inquirer, target, wanted) ||
           (target->looked && now_ms < target->looked_ms + inquirer->limits.interval_ms &&
            !is_untried(inquirer, target, wanted));
}

bool cvg_inquiry_try(struct cvg_inquirer *inquirer, const struct cvg_asked *question,
                     struct cvg_finding *ret_finding)
{
    uint64_t now_ms = cvg_clock_ms(inquirer->parts.clock);
    struct cvg_target *target =
        cvg_memory_find(inquirer->parts.memory, question->endpoint, question->hint, now_ms);
    if (target == NULL)
        return false;
    bool settled = is_settled(inquirer, target, &question->wanted, now_ms);
    if (settled)
        cvg_inquiry_conclude(inquirer, target, &question->wanted, question->v1, CVG_FROM_MEMORY,
                             ret_finding);
    cvg_memory_release(target);
    return settled;
}

static void opened(struct cvg_letter *letter)
{
    struct cvg_inquiry *inquiry = CVG_CONTAINER_OF(letter, struct cvg_inquiry, letter);
    if (inquiry->done != NULL)
        inquiry->done(&inquiry->finding, inquiry->user);
    else
        cvg_blob_unref(inquiry->finding.body);
    free(inquiry);
}

static struct cvg_inquiry *new_inquiry(struct cvg_inquirer *inquirer,
                                       const struct cvg_asked *question, cvg_inquiry_done *done,
                                       void *user)
{
    struct cvg_inquiry *inquiry = calloc(1, sizeof(*inquiry));
    if (inquiry == NULL)
        return NULL;
    *inquiry = (struct cvg_inquiry){
        .letter = {.open = opened},
        .inquirer = inquirer,
        .v1 = question->v1,
        .wanted = question->wanted,
        .client = question->client,
        .done = done,
        .user = user,
    };
    cvg_list_init(&inquiry->letter.link);
    return inquiry;
}

/* With the lock: joins the target's flight, or begins one. */
static enum cvg_error join(struct cvg_inquirer *inquirer, struct cvg_target *target,
                           struct cvg_inquiry *inquiry, struct cvg_flight **ret_new)
{
    if (target->flight == NULL) {
        enum cvg_error err = cvg_flight_begin(inquirer, target, false, ret_new);
        if (err != CVG_OK)
            return err;
    }
    inquiry->shard = target->shard;
    inquiry->waiting = true;
    target->flight->asked = true;
    cvg_list_push(&target->flight->waiting, &inquiry->link);
    return CVG_OK;
}

struct cvg_inquiry *cvg_inquiry_start(struct cvg_inquirer *inquirer,
                                      const struct cvg_asked *question, cvg_inquiry_done *done,
                                      void *user, struct cvg_finding *ret_finding)
{
    uint64_t now_ms = cvg_clock_ms(inquirer->parts.clock);
    struct cvg_target *target = NULL;
    struct cvg_flight *flight = NULL;
    bool settled = false;
    struct cvg_inquiry *inquiry = new_inquiry(inquirer, question, done, user);
    enum cvg_error err = inquiry == NULL
                             ? CVG_ERR_NOMEM
                             : cvg_memory_acquire(inquirer->parts.memory, question->endpoint,
                                                  question->hint, now_ms, &target);
    if (err == CVG_OK) {
        struct cvg_shard *shard = target->shard;
        settled = is_settled(inquirer, target, &question->wanted, now_ms);
        if (settled)
            cvg_inquiry_conclude(inquirer, target, &question->wanted, question->v1, CVG_FROM_MEMORY,
                                 ret_finding);
        else
            err = join(inquirer, target, inquiry, &flight);
        if (err != CVG_OK)
            cvg_memory_drop_unknown(inquirer->parts.memory, target);
        cvg_shard_unlock(shard);
    }
    if (flight != NULL)
        cvg_flight_depart(flight);
    if (err == CVG_OK && !settled)
        return inquiry;
    if (err != CVG_OK)
        *ret_finding = (struct cvg_finding){.error = err, .retry_after_s = 1};
    free(inquiry);
    return NULL;
}

void cvg_inquiry_cancel(struct cvg_inquiry *inquiry)
{
    if (inquiry == NULL)
        return;
    cvg_shard_lock(inquiry->shard);
    bool waiting = inquiry->waiting;
    if (waiting)
        cvg_list_remove(&inquiry->link);
    cvg_shard_unlock(inquiry->shard);
    /* Else it is on its way back, and ends when it arrives. */
    inquiry->done = NULL;
    if (waiting)
        free(inquiry);
}

bool cvg_inquiry_refresh(struct cvg_inquirer *inquirer, struct cvg_target *target)
{
    struct cvg_flight *flight = NULL;
    if (target->flight != NULL || cvg_flight_begin(inquirer, target, true, &flight) != CVG_OK)
        return false;
    cvg_metrics_add(inquirer->parts.metrics, CVG_METRIC_PROBES_REFRESH, 1);
    return true;
}

void cvg_inquirer_depart(struct cvg_inquirer *inquirer)
{
    while (!cvg_list_empty(&inquirer->departing)) {
        struct cvg_flight *flight =
            CVG_CONTAINER_OF(inquirer->departing.next, struct cvg_flight, link);
        cvg_flight_depart(flight);
    }
}
