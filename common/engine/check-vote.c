/* SPDX-License-Identifier: MIT */
/* The part of a check that needs notaries: a seat on a flight for every port candidate, one
 * deadline, and one verdict from all. */
#include <stdlib.h>

#include "common/engine/check-state.h"

/* The agent answers this much before the asker gives up, so that its reason arrives. */
#define MARGIN_DIVISOR 20
#define MARGIN_MIN_MS  10
#define WAIT_MAX_MS    60000 /* whatever the asker says: as long as the longest deadline */

/* What is known of the candidates from votes a few seconds ago. */
static void find_negatives(struct cvg_check *check)
{
    struct cvg_answer *answer = &check->answer;

    for (size_t i = 0; i < check->question.port_count; i++) {
        struct candidate *candidate = &check->candidate[i];
        struct cvg_answer old;

        check->subject.endpoint.port = candidate->port;
        if (!cvg_negative_find(check->owner->negative, &check->subject.endpoint,
                               &check->subject.fingerprint, &old))
            continue;
        candidate->verdict = old.verdict;
        for (size_t j = 0; j < old.vote_count && answer->vote_count < CVG_MESSAGE_VOTES_MAX; j++)
            answer->vote[answer->vote_count++] = old.vote[j];
    }
}

static bool all_known(const struct cvg_check *check)
{
    for (size_t i = 0; i < check->question.port_count; i++)
        if (check->candidate[i].verdict == CVG_VERDICT_NONE)
            return false;
    return true;
}

/* One agreement accepts; any other verdict must be that of every candidate. */
static enum cvg_verdict combine(const struct cvg_check *check, uint16_t *ret_port)
{
    enum cvg_verdict first = check->candidate[0].verdict;
    bool same = true;

    *ret_port = check->question.port_count == 1 ? check->candidate[0].port : 0;
    for (size_t i = 0; i < check->question.port_count; i++) {
        if (check->candidate[i].verdict == CVG_VERDICT_AGREE) {
            *ret_port = check->candidate[i].port;
            return CVG_VERDICT_AGREE;
        }
        same = same && check->candidate[i].verdict == first;
    }
    return same && first != CVG_VERDICT_NONE ? first : CVG_VERDICT_UNDECIDED;
}

static void conclude_vote(struct cvg_check *check, enum cvg_reason reason_if_undecided)
{
    enum cvg_verdict verdict = combine(check, &check->answer.port);
    enum cvg_reason reason = CVG_REASON_VOTE;

    if (verdict == CVG_VERDICT_EXEMPT)
        reason = CVG_REASON_EXEMPT_NOT_PUBLIC;
    else if (verdict == CVG_VERDICT_UNDECIDED)
        reason = reason_if_undecided;
    cvg_check_conclude(check, verdict, reason);
}

/* A question costs its asker something only if somebody has to be asked anew. */
static bool within_budget(struct cvg_check *check)
{
    for (size_t i = 0; i < check->question.port_count; i++) {
        check->subject.endpoint.port = check->candidate[i].port;
        if (check->candidate[i].verdict == CVG_VERDICT_NONE &&
            !cvg_flight_exists(check->owner->flights, check->electorate, &check->subject))
            return cvg_budget_take(check->owner->budget, check->uid);
    }
    return true;
}

static void set_deadline(struct cvg_check *check)
{
    uint64_t wait_ms = check->question.timeout_ms;
    uint64_t margin_ms;

    if (wait_ms == 0)
        wait_ms = check->electorate->config.deadline_ms;
    if (wait_ms > WAIT_MAX_MS)
        wait_ms = WAIT_MAX_MS;
    margin_ms = wait_ms / MARGIN_DIVISOR;
    if (margin_ms < MARGIN_MIN_MS)
        margin_ms = wait_ms > 2 * MARGIN_MIN_MS ? MARGIN_MIN_MS : wait_ms / 2;
    check->deadline_ms = check->started_ms + wait_ms - margin_ms;
    check->wonder_ms = check->looking ? UINT64_MAX : check->started_ms + wait_ms / 2;
}

static void link_check(struct cvg_check *check)
{
    check->next = check->owner->pending;
    check->link = &check->owner->pending;
    if (check->next != NULL)
        check->next->link = &check->next;
    check->owner->pending = check;
}

static void unlink_check(struct cvg_check *check)
{
    *check->link = check->next;
    if (check->next != NULL)
        check->next->link = check->link;
    for (size_t i = 0; i < check->question.port_count; i++)
        cvg_flight_leave(&check->candidate[i].seat);
}

static void free_check(struct cvg_check *check)
{
    cvg_electorate_unref(check->electorate);
    free(check);
}

void cvg_check_forget(struct cvg_check *check)
{
    unlink_check(check);
    free_check(check);
}

static void note_ballot(struct candidate *candidate, const struct cvg_ballot *ballot)
{
    struct cvg_answer *answer = &candidate->check->answer;

    candidate->verdict = cvg_ballot_verdict(ballot);
    answer->vote_count += cvg_ballot_votes(ballot, answer->vote + answer->vote_count,
                                           CVG_MESSAGE_VOTES_MAX - answer->vote_count);
}

static void finish(struct cvg_check *check, enum cvg_reason reason_if_undecided)
{
    unlink_check(check);
    conclude_vote(check, reason_if_undecided);
    free_check(check);
}

/* Who hears at once that a portal is in the way need not try again to learn it. */
static bool worth_a_look(struct cvg_check *check)
{
    uint16_t port;

    return combine(check, &port) == CVG_VERDICT_UNDECIDED && cvg_check_looks(check);
}

static void settle(struct cvg_check *check)
{
    check->looking = worth_a_look(check);
    check->wonder_ms = UINT64_MAX;
    if (!check->looking)
        finish(check, CVG_REASON_UNREACHABLE);
}

void cvg_check_looked(struct cvg_check *check)
{
    finish(check, CVG_REASON_UNREACHABLE);
}

static void on_ballot(struct cvg_seat *seat, const struct cvg_ballot *ballot)
{
    struct candidate *candidate = (struct candidate *)seat;

    note_ballot(candidate, ballot);
    if (candidate->verdict == CVG_VERDICT_AGREE || all_known(candidate->check))
        settle(candidate->check);
}

/* The deadline: what is still open counts as silent. */
void cvg_check_expire(struct cvg_check *check)
{
    if (check->looking) {
        cvg_check_looked(check);
        return;
    }
    for (size_t i = 0; i < check->question.port_count; i++) {
        struct candidate *candidate = &check->candidate[i];

        if (candidate->verdict == CVG_VERDICT_NONE)
            note_ballot(candidate, cvg_flight_ballot(&candidate->seat));
    }
    (void)worth_a_look(check); /* the next one will know why */
    finish(check, CVG_REASON_DEADLINE);
}

/* A vote may take longer than this asker waits: what it brings helps the next one. */
static enum cvg_error board(struct cvg_check *check, struct candidate *candidate)
{
    uint64_t deadline_ms = check->started_ms + check->electorate->config.deadline_ms;

    if (candidate->verdict != CVG_VERDICT_NONE)
        return CVG_OK;
    if (deadline_ms < check->deadline_ms)
        deadline_ms = check->deadline_ms;
    check->subject.endpoint.port = candidate->port;
    candidate->check = check;
    candidate->seat.uid = check->uid;
    candidate->seat.done = on_ballot;
    return cvg_flight_join(check->owner->flights, check->electorate, &check->subject, deadline_ms,
                           &candidate->seat);
}

/* From the stack to the heap, to wait there; NULL: answered, for want of memory. */
static struct cvg_check *keep(struct cvg_check *here)
{
    struct cvg_check *check = malloc(sizeof *check);

    if (check == NULL) {
        cvg_check_conclude(here, CVG_VERDICT_UNDECIDED, CVG_REASON_INTERNAL);
        return NULL;
    }
    *check = *here;
    cvg_electorate_ref(check->electorate);
    set_deadline(check);
    link_check(check);
    return check;
}

static void ask_notaries(struct cvg_check *here, struct cvg_check **ret_check)
{
    struct cvg_check *check = keep(here);
    enum cvg_error err = CVG_OK;

    if (check == NULL)
        return;
    for (size_t i = 0; err == CVG_OK && i < check->question.port_count; i++)
        err = board(check, &check->candidate[i]);
    if (err == CVG_OK) {
        *ret_check = check;
        return;
    }
    unlink_check(check);
    cvg_check_conclude(check, CVG_VERDICT_UNDECIDED, CVG_REASON_INTERNAL);
    free_check(check);
}

static void settle_here(struct cvg_check *here, struct cvg_check **ret_check)
{
    here->looking = worth_a_look(here);
    if (here->looking)
        *ret_check = keep(here);
    else
        conclude_vote(here, CVG_REASON_UNREACHABLE);
}

void cvg_check_vote(struct cvg_check *here, struct cvg_check **ret_check)
{
    for (size_t i = 0; i < here->question.port_count; i++)
        here->candidate[i] = (struct candidate){.port = here->question.port[i]};
    find_negatives(here);
    if (all_known(here))
        settle_here(here, ret_check);
    else if (!within_budget(here))
        cvg_check_conclude(here, CVG_VERDICT_UNDECIDED, CVG_REASON_BUDGET);
    else
        ask_notaries(here, ret_check);
}
