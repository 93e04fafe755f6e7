/* SPDX-License-Identifier: MIT */
/* The steps of a check, in the order of what they cost: what the policy asks nobody about, what is
 * remembered, and only then the notaries. Whatever goes wrong ends in an answer that is not
 * "agree". */
#include "common/engine/check.h"

#include <stdlib.h>
#include <string.h>

#include "common/engine/check-state.h"
#include "common/engine/exempt.h"

enum cvg_error cvg_checks_new(const struct cvg_world *world, struct cvg_cache *cache,
                              struct cvg_checks **ret_checks)
{
    struct cvg_checks *checks = calloc(1, sizeof *checks);
    enum cvg_error err;

    if (checks == NULL)
        return CVG_ERR_NOMEM;
    checks->world = world;
    checks->cache = cache;
    err = cvg_negative_new(0, world->clock, &checks->negative);
    if (err == CVG_OK)
        err = cvg_budget_new(0, world->clock, &checks->budget);
    if (err == CVG_OK)
        err = cvg_flights_new(world, cache, checks->negative, &checks->flights);
    if (err != CVG_OK) {
        cvg_checks_free(checks);
        return err;
    }
    *ret_checks = checks;
    return CVG_OK;
}

void cvg_checks_free(struct cvg_checks *checks)
{
    if (checks == NULL)
        return;
    while (checks->pending != NULL)
        cvg_check_forget(checks->pending);
    cvg_flights_free(checks->flights);
    cvg_negative_free(checks->negative);
    cvg_budget_free(checks->budget);
    cvg_electorate_unref(checks->electorate);
    free(checks);
}

/* What is remembered counts as the policy of now would have it. */
static void set_cache_policy(struct cvg_cache *cache, const struct cvg_electorate *electorate)
{
    const struct cvg_config *config = &electorate->config;

    cvg_cache_set_policy(cache, config->cache_ttl_s, &electorate->policy,
                         config->match == CVG_MATCH_PUBLIC_KEY);
    cvg_cache_set_notaries(cache, electorate->voter, electorate->bundles.count);
}

void cvg_checks_set_electorate(struct cvg_checks *checks, struct cvg_electorate *electorate)
{
    struct cvg_electorate *old = checks->electorate;

    checks->electorate = cvg_electorate_ref(electorate);
    cvg_negative_set(checks->negative, electorate->config.negative_ttl_s);
    cvg_budget_set(checks->budget, electorate->config.budget_per_minute);
    if (checks->cache != NULL)
        set_cache_policy(checks->cache, electorate);
    cvg_electorate_unref(old);
}

/* Whether PKI's refusal stands whatever notaries say: only `replace` overrules, and only trust. */
static bool pki_refusal_stands(const struct cvg_check *check)
{
    if (check->question.pki == CVG_PKI_OK)
        return false;
    return check->question.pki != CVG_PKI_TRUST_ERROR ||
           check->electorate->config.mode != CVG_MODE_REPLACE;
}

static bool set_endpoint(struct cvg_check *check)
{
    const struct cvg_question *question = &check->question;

    return cvg_endpoint_set(question->host, strlen(question->host), question->port[0],
                            &check->subject.endpoint, NULL) == CVG_OK;
}

/* The fingerprint alone: a remembered certificate is recognised without being parsed. */
static bool set_fingerprint(struct cvg_check *check, const struct cvg_question *question)
{
    struct cvg_subject *subject = &check->subject;

    subject->match = check->electorate->config.match;
    subject->fingerprint = question->fingerprint;
    if (question->leaf != NULL) {
        subject->fingerprint.len = CVG_SHA256_LEN;
        if (cvg_sha256(question->leaf, question->leaf_len, subject->fingerprint.bytes) != CVG_OK)
            return false;
    }
    check->question.fingerprint = subject->fingerprint; /* for who is told of the answer */
    return subject->fingerprint.len != 0;
}

static bool set_leaf(struct cvg_check *check, const struct cvg_question *question)
{
    struct cvg_subject *subject = &check->subject;

    if (question->leaf == NULL)
        return true;
    subject->have_leaf =
        cvg_leaf_of_der(question->leaf, question->leaf_len, &subject->leaf) == CVG_OK;
    return subject->have_leaf;
}

static enum cvg_error look_up(struct cvg_check *check)
{
    const struct cvg_subject *subject = &check->subject;

    if (subject->fingerprint.len == CVG_SHA256_LEN)
        return cvg_cache_find(check->owner->cache, &subject->endpoint, subject->fingerprint.bytes,
                              check->uid, NULL);
    return cvg_cache_find_fingerprint(check->owner->cache, &subject->endpoint,
                                      &subject->fingerprint, check->uid, NULL);
}

static bool find_in_cache(struct cvg_check *check)
{
    const struct cvg_question *question = &check->question;

    if (check->owner->cache == NULL)
        return false;
    for (size_t i = 0; i < question->port_count; i++) {
        check->subject.endpoint.port = question->port[i];
        if (look_up(check) == CVG_OK) {
            check->answer.port = question->port[i];
            return true;
        }
    }
    return false;
}

static bool find_key_in_cache(struct cvg_check *check)
{
    if (check->subject.match != CVG_MATCH_PUBLIC_KEY || !cvg_check_knows_key(check))
        return false;
    check->answer.port = check->subject.endpoint.port;
    return true;
}

/* The steps from the parsed certificate on. */
static void check_leaf(struct cvg_check *check, const struct cvg_question *question,
                       struct cvg_check **ret_check)
{
    if (!set_leaf(check, question))
        cvg_check_conclude(check, CVG_VERDICT_UNDECIDED, CVG_REASON_BAD_QUESTION);
    else if (find_key_in_cache(check))
        cvg_check_conclude(check, CVG_VERDICT_AGREE, CVG_REASON_CACHE);
    else
        cvg_check_vote(check, ret_check);
}

static void check_question(struct cvg_check *check, const struct cvg_question *question,
                           struct cvg_check **ret_check)
{
    bool private_pki = question->have_anchor &&
                       cvg_anchors_is_private(check->electorate->anchors, question->anchor_sha256);
    enum cvg_reason exempt = cvg_exempt(&check->electorate->config, question, private_pki);

    if (exempt != CVG_REASON_NONE)
        cvg_check_conclude(check, CVG_VERDICT_EXEMPT, exempt);
    else if (pki_refusal_stands(check))
        cvg_check_conclude(check, CVG_VERDICT_UNDECIDED, CVG_REASON_PKI_FAILED);
    else if (check->electorate->bundles.count == 0)
        cvg_check_conclude(check, CVG_VERDICT_UNDECIDED, CVG_REASON_NO_NOTARIES);
    else if (!set_endpoint(check) || !set_fingerprint(check, question))
        cvg_check_conclude(check, CVG_VERDICT_UNDECIDED, CVG_REASON_BAD_QUESTION);
    else if (find_in_cache(check))
        cvg_check_conclude(check, CVG_VERDICT_AGREE, CVG_REASON_CACHE);
    else
        check_leaf(check, question, ret_check);
}

void cvg_checks_ask(struct cvg_checks *checks, const struct cvg_question *question, uint32_t uid,
                    cvg_check_done *done, void *user, struct cvg_check **ret_check)
{
    struct cvg_check check;

    /* The kilobytes of candidates and votes are set when a vote needs them. */
    memset(&check, 0, offsetof(struct cvg_check, question));
    memset(&check.answer, 0, offsetof(struct cvg_answer, vote));
    check.answer.vote_count = 0;
    check.question = *question;
    check.question.leaf = NULL;
    check.owner = checks;
    check.electorate = checks->electorate;
    check.uid = uid;
    check.started_ms = check.deadline_ms = cvg_clock_ms(checks->world->clock);
    check.done = done;
    check.user = user;
    *ret_check = NULL;
    if (check.electorate == NULL)
        cvg_check_refuse(&check, CVG_REASON_INTERNAL);
    else
        check_question(&check, question, ret_check);
}

bool cvg_checks_charge(struct cvg_checks *checks, uint32_t uid)
{
    return cvg_budget_take(checks->budget, uid);
}

static uint64_t due_ms(const struct cvg_check *check)
{
    return check->wonder_ms < check->deadline_ms ? check->wonder_ms : check->deadline_ms;
}

uint64_t cvg_checks_next_ms(const struct cvg_checks *checks)
{
    uint64_t next = cvg_flights_next_ms(checks->flights);

    for (const struct cvg_check *check = checks->pending; check != NULL; check = check->next)
        if (due_ms(check) < next)
            next = due_ms(check);
    return next;
}

static struct cvg_check *find_due(const struct cvg_checks *checks, uint64_t now)
{
    struct cvg_check *check = checks->pending;

    while (check != NULL && due_ms(check) > now)
        check = check->next;
    return check;
}

void cvg_checks_tick(struct cvg_checks *checks)
{
    uint64_t now = cvg_clock_ms(checks->world->clock);
    struct cvg_check *check;

    cvg_flights_tick(checks->flights);
    while ((check = find_due(checks, now)) != NULL)
        if (check->deadline_ms <= now)
            cvg_check_expire(check);
        else
            cvg_check_wonder(check);
}

size_t cvg_checks_pending(const struct cvg_checks *checks)
{
    size_t pending = cvg_flights_count(checks->flights);

    for (const struct cvg_check *check = checks->pending; check != NULL; check = check->next)
        pending++;
    return pending;
}

struct cvg_check_counts cvg_checks_counts(const struct cvg_checks *checks)
{
    return checks->counts;
}
