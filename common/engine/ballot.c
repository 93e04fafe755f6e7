/* SPDX-License-Identifier: MIT */
/* The slots of a vote and the notaries asked for them.
 *
 * A notary that has not answered in half of the time left is joined, not dropped, by another in the
 * same slot: whichever gives an authentic answer first fills it. So a notary that is busy looking
 * at a slow site is still heard, and one that hangs costs no slot while there are others. */
#include "common/engine/ballot.h"

#include <stdlib.h>
#include <string.h>

#include "common/engine/ballot-state.h"
#include "common/protocol/v2.h"

static uint64_t now_ms(const struct cvg_ballot *ballot)
{
    return cvg_clock_ms(ballot->world->clock);
}

static void choose_relay(struct cvg_ballot *ballot)
{
    ballot->relay = cvg_pool_take_relay(&ballot->pool, ballot->electorate);
    ballot->relay_proved = false;
}

static void note_state(struct cvg_ballot *ballot, size_t notary, const struct cvg_vote *vote)
{
    struct cvg_notary_state *state = &ballot->electorate->state[notary];
    const char *name = ballot->electorate->bundles.bundle[notary]->name;
    bool answered = vote->kind != CVG_VOTE_SILENT || vote->error == CVG_ERR_REFUSED;

    state->health = answered ? CVG_NOTARY_OK : CVG_NOTARY_FAILING;
    state->last_ms = vote->elapsed_ms;
    state->last_error = answered ? CVG_OK : vote->error;
    if (answered)
        cvg_breaker_success(ballot->world->breaker, name);
    else
        cvg_breaker_failure(ballot->world->breaker, name);
}

static void end_attempt(struct attempt *attempt, struct cvg_opinion opinion)
{
    struct cvg_ballot *ballot = attempt->ballot;

    attempt->exchange = NULL;
    attempt->counts = true;
    attempt->vote.kind = opinion.kind;
    attempt->vote.error = opinion.error;
    memcpy(attempt->vote.said, opinion.said, sizeof attempt->vote.said);
    attempt->vote.elapsed_ms = (uint32_t)(now_ms(ballot) - attempt->started_ms);
    ballot->slot[attempt->slot].live--;
}

static void let_go(struct attempt *attempt)
{
    struct cvg_transport *transport = attempt->ballot->world->transport;

    transport->cancel(transport, attempt->exchange);
    attempt->exchange = NULL;
    attempt->counts = true;
    attempt->vote.error = CVG_ERR_TIMEOUT;
    attempt->vote.elapsed_ms = (uint32_t)(now_ms(attempt->ballot) - attempt->started_ms);
    attempt->ballot->slot[attempt->slot].live--;
}

static bool same_leaf(const struct cvg_leaf *a, const struct cvg_leaf *b)
{
    return memcmp(a->sha256, b->sha256, CVG_SHA256_LEN) == 0 &&
           memcmp(a->sha1, b->sha1, CVG_SHA1_LEN) == 0 &&
           memcmp(a->spki_sha256, b->spki_sha256, CVG_SHA256_LEN) == 0;
}

static void note_witness(struct cvg_ballot *ballot, const struct cvg_opinion *opinion)
{
    if (!opinion->have_leaf)
        return;
    if (ballot->witnesses == 0)
        ballot->witnessed = opinion->leaf;
    if (same_leaf(&ballot->witnessed, &opinion->leaf))
        ballot->witnesses++;
    else
        ballot->contradicted = true;
}

static void end_slot(struct cvg_ballot *ballot, unsigned slot, struct cvg_opinion opinion)
{
    struct cvg_tally *tally = &ballot->tally;

    ballot->slot[slot].open = false;
    tally->open--;
    switch (opinion.kind) {
    case CVG_VOTE_YES:
        tally->yes++;
        note_witness(ballot, &opinion);
        break;
    case CVG_VOTE_NO:
        tally->no++;
        break;
    case CVG_VOTE_ASIDE:
        if (opinion.not_public)
            tally->not_public++;
        else
            tally->aside++;
        break;
    case CVG_VOTE_SILENT:
        tally->silent++;
        break;
    }
    for (size_t i = 0; i < ballot->attempts; i++)
        if (ballot->attempt[i].slot == slot && ballot->attempt[i].exchange != NULL)
            let_go(&ballot->attempt[i]);
}

static cvg_transport_done on_answer;

/* Asks one notary for the slot. A notary that cannot even be asked is recorded as silent. */
static bool ask(struct cvg_ballot *ballot, unsigned slot, size_t notary)
{
    struct cvg_transport *transport = ballot->world->transport;
    const struct cvg_bundle *bundle = ballot->electorate->bundles.bundle[notary];
    struct attempt *attempt = &ballot->attempt[ballot->attempts++];
    struct cvg_request request = {.notary = bundle, .deadline_ms = ballot->deadline_ms};
    enum cvg_error err;

    *attempt = (struct attempt){.ballot = ballot,
                                .notary = notary,
                                .relay = ballot->relay,
                                .slot = slot,
                                .started_ms = now_ms(ballot)};
    memcpy(attempt->vote.notary, bundle->name, sizeof attempt->vote.notary);
    attempt->vote.bounced = ballot->bounce;
    if (ballot->bounce)
        request.relay = ballot->electorate->bundles.bundle[ballot->relay];
    ballot->slot[slot].live++;
    err = cvg_question_for_notary(bundle, &ballot->subject, &ballot->path, &ballot->body,
                                  &request.content_type, &request.answer_max);
    if (err == CVG_OK) {
        request.path = (const char *)ballot->path.data;
        request.body = ballot->body.data;
        request.body_len = ballot->body.len;
        err = transport->start(transport, &request, on_answer, attempt, &attempt->exchange);
    }
    if (err != CVG_OK)
        end_attempt(attempt, (struct cvg_opinion){.kind = CVG_VOTE_SILENT, .error = err});
    return err == CVG_OK;
}

/* When the slot's next notary should join, or a relay that keeps silent is given up: after half of
 * the time left. */
static void set_soft_time(struct cvg_ballot *ballot, struct slot *slot)
{
    uint64_t now = now_ms(ballot);

    slot->soft_ms = UINT64_MAX;
    if ((ballot->pool.count > 0 || ballot->bounce) && now < ballot->deadline_ms)
        slot->soft_ms = now + (ballot->deadline_ms - now + 1) / 2;
}

/* Asks the next notary for the slot; whether there was one. */
static bool ask_next(struct cvg_ballot *ballot, unsigned slot)
{
    bool asked = false;

    ballot->slot[slot].soft_ms = UINT64_MAX;
    if (ballot->bounce && ballot->relay == CVG_NO_NOTARY)
        return false;
    while (!asked && ballot->pool.count > 0 && ballot->attempts < CVG_ATTEMPTS_MAX &&
           now_ms(ballot) < ballot->deadline_ms)
        asked = ask(ballot, slot, cvg_pool_next(&ballot->pool));
    set_soft_time(ballot, &ballot->slot[slot]);
    return asked;
}

static void refill(struct cvg_ballot *ballot, unsigned slot)
{
    if (!ballot->slot[slot].open || ballot->slot[slot].live > 0)
        return;
    if (!ask_next(ballot, slot))
        end_slot(ballot, slot, (struct cvg_opinion){.kind = CVG_VOTE_SILENT});
}

static bool decided(const struct cvg_ballot *ballot)
{
    return ballot->tally.open == 0 ||
           cvg_policy_decided(&ballot->electorate->policy, &ballot->tally);
}

static void finish_if_decided(struct cvg_ballot *ballot)
{
    if (ballot->over || !decided(ballot))
        return;
    ballot->over = true;
    for (size_t i = 0; i < ballot->attempts; i++)
        if (ballot->attempt[i].exchange != NULL) {
            let_go(&ballot->attempt[i]);
            ballot->attempt[i].counts = false;
        }
    ballot->done(ballot, ballot->user);
}

/* The fault was the relay's, whom this attempt went through: so what else is under way through it
 * is called back, and another takes its place. The notaries have heard nothing; each waits its turn
 * again or becomes the relay. Without another relay the slots are lost: asking directly would give
 * away who asks. */
static void replace_relay(struct cvg_ballot *ballot, const struct attempt *failed,
                          enum cvg_error err)
{
    struct cvg_vote vote = {.error = err, .elapsed_ms = failed->vote.elapsed_ms};
    size_t relay = failed->relay;

    note_state(ballot, relay, &vote);
    for (size_t i = 0; i < ballot->attempts; i++) {
        struct attempt *attempt = &ballot->attempt[i];

        if (attempt->relay != relay || (attempt->exchange == NULL && attempt != failed))
            continue;
        if (attempt->exchange != NULL)
            let_go(attempt);
        attempt->counts = false;
        attempt->vote.error = err;
        cvg_pool_return(&ballot->pool, attempt->notary);
    }
    choose_relay(ballot);
    for (size_t i = 0; i < ballot->attempts && ballot->relay == CVG_NO_NOTARY; i++)
        if (ballot->attempt[i].relay == relay)
            ballot->attempt[i].counts = true;
}

static void refill_all(struct cvg_ballot *ballot)
{
    for (unsigned i = 0; i < ballot->slots; i++)
        refill(ballot, i);
}

static void on_answer(enum cvg_error err, bool relay_failed, unsigned status, const void *body,
                      size_t body_len, void *user)
{
    struct attempt *attempt = user;
    struct cvg_ballot *ballot = attempt->ballot;
    const struct cvg_bundle *notary = ballot->electorate->bundles.bundle[attempt->notary];
    struct cvg_opinion opinion =
        cvg_opinion_of(notary, &ballot->subject, err, status, body, body_len);

    end_attempt(attempt, opinion);
    if (relay_failed && err != CVG_OK && ballot->bounce)
        replace_relay(ballot, attempt, err);
    else
        note_state(ballot, attempt->notary, &attempt->vote);
    if (!relay_failed && attempt->relay == ballot->relay)
        ballot->relay_proved = true;
    if (opinion.kind != CVG_VOTE_SILENT)
        end_slot(ballot, attempt->slot, opinion);
    refill_all(ballot);
    finish_if_decided(ballot);
}

static void prepare(struct cvg_ballot *ballot)
{
    const struct cvg_config *config = &ballot->electorate->config;

    cvg_buffer_init(&ballot->path, 1024);
    cvg_buffer_init(&ballot->body, CVG_V2_REQUEST_MAX);
    ballot->relay = CVG_NO_NOTARY;
    ballot->bounce = cvg_electorate_bounces(ballot->electorate);
    cvg_pool_fill(ballot->world, ballot->electorate, &ballot->subject, &ballot->pool);
    if (ballot->bounce)
        choose_relay(ballot);
    ballot->slots = config->quorum < CVG_QUORUM_MAX ? config->quorum : CVG_QUORUM_MAX;
    if (ballot->slots > ballot->pool.count)
        ballot->slots = (unsigned)ballot->pool.count;
    ballot->tally.open = ballot->slots;
    for (unsigned i = 0; i < ballot->slots; i++)
        ballot->slot[i] = (struct slot){.open = true, .soft_ms = UINT64_MAX};
}

enum cvg_error cvg_ballot_new(const struct cvg_world *world, struct cvg_electorate *electorate,
                              const struct cvg_subject *subject, uint64_t deadline_ms,
                              cvg_ballot_done *done, void *user, struct cvg_ballot **ret_ballot)
{
    struct cvg_ballot *ballot = calloc(1, sizeof *ballot);

    if (ballot == NULL)
        return CVG_ERR_NOMEM;
    ballot->world = world;
    ballot->electorate = cvg_electorate_ref(electorate);
    ballot->subject = *subject;
    ballot->deadline_ms = deadline_ms;
    ballot->done = done;
    ballot->user = user;
    prepare(ballot);
    refill_all(ballot);
    *ret_ballot = ballot;
    return CVG_OK;
}

void cvg_ballot_free(struct cvg_ballot *ballot)
{
    if (ballot == NULL)
        return;
    for (size_t i = 0; i < ballot->attempts; i++)
        if (ballot->attempt[i].exchange != NULL)
            let_go(&ballot->attempt[i]);
    cvg_buffer_free(&ballot->path);
    cvg_buffer_free(&ballot->body);
    cvg_electorate_unref(ballot->electorate);
    free(ballot);
}

uint64_t cvg_ballot_next_ms(const struct cvg_ballot *ballot)
{
    uint64_t next = UINT64_MAX;

    if (ballot->over)
        return UINT64_MAX;
    if (decided(ballot))
        return 0;
    for (unsigned i = 0; i < ballot->slots; i++)
        if (ballot->slot[i].open && ballot->slot[i].soft_ms < next)
            next = ballot->slot[i].soft_ms;
    return next;
}

/* Something under way through a relay from which nothing has come back in all this time; or NULL.
 */
static struct attempt *find_stuck(struct cvg_ballot *ballot)
{
    for (size_t i = 0; ballot->bounce && !ballot->relay_proved && i < ballot->attempts; i++)
        if (ballot->attempt[i].exchange != NULL && ballot->attempt[i].relay == ballot->relay)
            return &ballot->attempt[i];
    return NULL;
}

static void on_soft_time(struct cvg_ballot *ballot, unsigned slot)
{
    struct attempt *stuck = find_stuck(ballot);

    if (stuck == NULL) {
        ask_next(ballot, slot);
        return;
    }
    let_go(stuck);
    replace_relay(ballot, stuck, CVG_ERR_TIMEOUT);
    refill_all(ballot);
}

void cvg_ballot_tick(struct cvg_ballot *ballot)
{
    uint64_t now = now_ms(ballot);

    for (unsigned i = 0; i < ballot->slots; i++)
        if (ballot->slot[i].open && ballot->slot[i].soft_ms <= now)
            on_soft_time(ballot, i);
    finish_if_decided(ballot);
}
