/* SPDX-License-Identifier: MIT */
/* Verifiers between a probe and its answers: nobody is answered before they have spoken, and what
 * they said is in the answers, in what is kept, and in what version 1 is told. */
#include "inquirylab.h"

#include <stdlib.h>
#include <string.h>

#define ALL                                                                                        \
    (1U << CVG_VERIFIER_NETWORK | 1U << CVG_VERIFIER_DANE | 1U << CVG_VERIFIER_CT |                \
     1U << CVG_VERIFIER_PINS)
#define DANE_INDEX 0

/* The verifiers of the test: they say what `opinion` holds of what is new in a round, at once or
 * when the test lets them. */
static struct {
    bool slow;
    uint8_t opinion;
    struct cvg_examined *examined; /* of the examination under way, or NULL */
    cvg_examination_done *done;
    void *user;
    unsigned started, cancelled;
} verifiers;

struct cvg_examination *
__wrap_cvg_examination_start(struct cvg_verifiers *set, const struct cvg_endpoint *endpoint,
                             const struct cvg_probe_result *seen, uint64_t timeout_ms,
                             cvg_examination_done *done, void *user, struct cvg_examined *examined);
void __wrap_cvg_examination_cancel(struct cvg_examination *examination);

static void speak(struct cvg_examined *examined)
{
    examined->verifiers = ALL;
    examined->leaf[examined->count - 1].opinion[DANE_INDEX] = verifiers.opinion;
}

struct cvg_examination *
__wrap_cvg_examination_start(struct cvg_verifiers *set, const struct cvg_endpoint *endpoint,
                             const struct cvg_probe_result *seen, uint64_t timeout_ms,
                             cvg_examination_done *done, void *user, struct cvg_examined *examined)
{
    (void)timeout_ms;
    assert_ptr_equal(set, lab.verifiers);
    assert_string_equal(endpoint->host, "site.example");
    assert_int_equal(seen->count, 1);
    assert_null(verifiers.examined);
    memcpy(examined->leaf[examined->count++].sha256, seen->sighting[0].leaf.sha256, CVG_SHA256_LEN);
    verifiers.started++;
    if (!verifiers.slow) {
        speak(examined);
        return NULL;
    }
    verifiers.examined = examined;
    verifiers.done = done;
    verifiers.user = user;
    return (struct cvg_examination *)(void *)&verifiers;
}

void __wrap_cvg_examination_cancel(struct cvg_examination *examination)
{
    if (examination == NULL)
        return;
    assert_ptr_equal(examination, &verifiers);
    verifiers.cancelled++;
    verifiers.examined = NULL;
}

static void let_speak(uint8_t opinion)
{
    struct cvg_examined *examined = verifiers.examined;
    assert_non_null(examined);
    verifiers.examined = NULL;
    verifiers.opinion = opinion;
    speak(examined);
    verifiers.done(verifiers.user);
}

static int set_up(void **state)
{
    int failed = lab_set_up(state);
    memset(&verifiers, 0, sizeof(verifiers));
    lab.verifiers = (struct cvg_verifiers *)(void *)&lab; /* anything but NULL */
    lab.answerer.verifiers = ALL;
    return failed;
}

/* What DANE says of the leaf in the answer that was given; NONE, too, if the leaf is not told of.
 */
static enum cvg_v2_opinion told(unsigned which, uint8_t leaf)
{
    static struct cvg_v2_statement statement;
    const struct cvg_blob *body = lab.finding[which].body;
    struct cvg_v2_answer answer;
    assert_int_equal(cvg_v2_answer_parse(body->octets, body->len, &answer, NULL), CVG_OK);
    assert_int_equal(cvg_v2_statement_parse(answer.item[0].statement, answer.item[0].statement_len,
                                            &statement, NULL),
                     CVG_OK);
    assert_int_equal(statement.opinions_count, 3);
    assert_int_equal(statement.opinions[0].verifier, CVG_VERIFIER_DANE);
    for (size_t i = 0; i < statement.count; i++)
        if (statement.record[i].leaf.sha256[0] == leaf)
            return (enum cvg_v2_opinion)statement.opinions[0].opinion[i];
    return CVG_V2_OPINION_NONE;
}

static void nobody_is_answered_before(void **state)
{
    (void)state;
    verifiers.slow = true;
    unsigned one = lab_ask(1), other = lab_ask_elsewhere(1);
    lab_sees(1);
    assert_false(lab.answered[one]);
    unsigned late = lab_ask(1); /* joins */
    assert_false(lab.answered[late]);
    let_speak(CVG_V2_OPINION_YES);
    lab_run_other();
    const unsigned all[] = {one, other, late};
    for (size_t i = 0; i < 3; i++) {
        lab_is(all[i], CVG_V2_SEEN, true);
        assert_int_equal(told(all[i], 1), CVG_V2_OPINION_YES);
    }
    assert_int_equal(lab.started, 1);
}

static void said_at_once(void **state)
{
    (void)state;
    verifiers.opinion = CVG_V2_OPINION_NO;
    unsigned which = lab_ask(1);
    lab_sees(1);
    lab_is(which, CVG_V2_SEEN, true); /* what the verifiers say does not change what is current */
    assert_int_equal(told(which, 1), CVG_V2_OPINION_NO);
}

static void answers_from_memory_have_it(void **state)
{
    (void)state;
    verifiers.opinion = CVG_V2_OPINION_YES;
    (void)lab_ask(1);
    lab_sees(1);
    unsigned again = lab_ask(1);
    assert_int_equal(told(again, 1), CVG_V2_OPINION_YES);
    assert_int_equal(lab.finding[again].source, CVG_FROM_MEMORY);
    assert_int_equal(verifiers.started, 1);
}

static void version_1_is_told_of_what_was_found(void **state)
{
    (void)state;
    verifiers.opinion = CVG_V2_OPINION_NO;
    unsigned found = lab_ask_v1(1);
    lab_sees(1);
    assert_int_equal(lab.finding[found].opinion[DANE_INDEX], CVG_V2_OPINION_NO);
    unsigned other = lab_ask_v1(2);
    lab_sees(1);
    lab_sees(1);
    lab_is(other, CVG_V2_SEEN, false);
    assert_int_equal(lab.finding[other].opinion[DANE_INDEX], CVG_V2_OPINION_NONE);
}

static void both_rounds_are_heard(void **state)
{
    (void)state;
    verifiers.slow = true;
    unsigned first = lab_ask(1), second = lab_ask(2);
    lab_sees(1);
    let_speak(CVG_V2_OPINION_YES);
    lab_is(first, CVG_V2_SEEN, true);
    assert_false(lab.answered[second]);
    lab_round_ends(CVG_OK, 2, CVG_KEY_RSA, 1);
    assert_false(lab.answered[second]);
    let_speak(CVG_V2_OPINION_NO);
    lab_is(second, CVG_V2_SEEN, true);
    assert_int_equal(told(second, 1), CVG_V2_OPINION_YES);
    assert_int_equal(told(second, 2), CVG_V2_OPINION_NO);
    assert_int_equal(verifiers.started, 2);
}

static void nothing_seen_is_nothing_to_judge(void **state)
{
    (void)state;
    unsigned which = lab_ask(1);
    lab_round_ends(CVG_ERR_UNREACHABLE, 0, CVG_KEY_OTHER, 0);
    lab_is(which, CVG_V2_UNREACHABLE, false);
    assert_int_equal(verifiers.started, 0);
}

static void kept_with_what_was_seen(void **state)
{
    struct cvg_observations kept = {.count = 0};
    (void)state;
    lab_use_store();
    verifiers.slow = true;
    unsigned which = lab_ask(1);
    lab_store_says(CVG_ERR_NOT_FOUND);
    lab_sees(1);
    assert_int_equal(lab.put, 0); /* not before they have spoken */
    let_speak(CVG_V2_OPINION_YES);
    lab_is(which, CVG_V2_SEEN, true);
    assert_int_equal(lab.put, 1);
    assert_int_equal(cvg_observations_parse(lab.kept.data, lab.kept.len, &kept), CVG_OK);
    assert_int_equal(kept.record[0].opinion[DANE_INDEX], CVG_V2_OPINION_YES);
    assert_int_equal(kept.checked_s[DANE_INDEX], lab.wall_s);
    cvg_observations_free(&kept);
}

/* A later probe in which they stand aside takes the yes back. */
static void yes_is_taken_back(void **state)
{
    (void)state;
    verifiers.opinion = CVG_V2_OPINION_YES;
    (void)lab_ask(1);
    lab_sees(1);
    lab_pass_s(AGE_S); /* not current any more */
    verifiers.opinion = CVG_V2_OPINION_NONE;
    unsigned which = lab_ask(1);
    lab_sees(1);
    lab_is(which, CVG_V2_SEEN, true);
    assert_int_equal(told(which, 1), CVG_V2_OPINION_NONE);
}

static void who_asked_has_left(void **state)
{
    (void)state;
    verifiers.slow = true;
    unsigned which = lab_ask(1);
    lab_sees(1);
    lab_leave(which);
    let_speak(CVG_V2_OPINION_YES);
    lab_sees(1); /* the second round comes all the same */
    let_speak(CVG_V2_OPINION_YES);
    assert_int_equal(told(lab_ask(1), 1), CVG_V2_OPINION_YES);
    assert_int_equal(verifiers.cancelled, 0);
}

static void notary_that_ends_meanwhile(void **state)
{
    (void)state;
    verifiers.slow = true;
    unsigned which = lab_ask(1);
    lab_sees(1);
    cvg_inquirer_stop(lab.inquirer);
    lab_run();
    assert_int_equal(verifiers.cancelled, 1);
    assert_true(lab.answered[which]);
    assert_int_not_equal(lab.finding[which].error, CVG_OK);
}

/* A reload may take all verifiers away under a probe's feet. */
static void verifiers_that_are_gone(void **state)
{
    (void)state;
    unsigned which = lab_ask(1);
    lab.verifiers = NULL;
    lab_sees(1);
    lab_is(which, CVG_V2_SEEN, true);
    assert_int_equal(verifiers.started, 0);
}

static void without_memory_there_is_no_probe(void **state)
{
    (void)state;
    unsigned failed = 0;
    for (int left = 0; left < 12; left++) {
        lab_allocations_left = left;
        unsigned which = lab_ask(1);
        lab_allocations_left = -1;
        lab_run();
        if (lab.answered[which]) {
            assert_int_not_equal(lab.finding[which].error, CVG_OK);
            failed++;
        } else {
            break;
        }
    }
    assert_true(failed > 0);
    lab_sees(1);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, lab_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(nobody_is_answered_before),   CASE(said_at_once),
        CASE(answers_from_memory_have_it), CASE(version_1_is_told_of_what_was_found),
        CASE(both_rounds_are_heard),       CASE(nothing_seen_is_nothing_to_judge),
        CASE(kept_with_what_was_seen),     CASE(yes_is_taken_back),
        CASE(who_asked_has_left),          CASE(notary_that_ends_meanwhile),
        CASE(verifiers_that_are_gone),     CASE(without_memory_there_is_no_probe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
