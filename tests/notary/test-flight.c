/* SPDX-License-Identifier: MIT */
/* What is done about a target that memory cannot answer for: the store first, then a probe; who
 * waits in another loop; and what may end meanwhile. */
#include <string.h>

#include "inquirylab.h"

static void store_answers_without_a_probe(void **state)
{
    (void)state;
    lab_use_store();
    (void)lab_ask(1);
    lab_store_says(CVG_ERR_NOT_FOUND);
    lab_sees(1);
    assert_int_equal(lab.put, 1);
    /* Another process would begin like this: nothing in memory, all in the store. */
    struct cvg_buffer kept = lab.kept;
    lab.kept = (struct cvg_buffer){0};
    assert_int_equal(lab_tear_down(state), 0);
    assert_int_equal(lab_set_up(state), 0);
    cvg_buffer_free(&lab.kept);
    lab.kept = kept;
    lab_use_store();
    unsigned again = lab_ask(1);
    assert_false(lab.answered[again]);
    lab_store_says(CVG_OK);
    lab_is(again, CVG_V2_SEEN, true);
    assert_int_equal(lab.finding[again].source, CVG_FROM_STORE);
    assert_int_equal(lab.started, 0);
    lab_is(lab_ask(1), CVG_V2_SEEN, true);
    assert_int_equal(lab.fetched, 1);
    /* What the store does not endorse is looked at. */
    unsigned other = lab_ask(2);
    assert_int_equal(lab.started, 1);
    lab_sees(2);
    lab_is(other, CVG_V2_SEEN, true);
    assert_int_equal(lab.finding[other].source, CVG_FROM_PROBE);
}

static void asked_again_after(enum cvg_error err)
{
    lab_use_store();
    unsigned first = lab_ask(1);
    lab_store_says(err);
    lab_sees(1);
    lab_is(first, CVG_V2_SEEN, true);
    lab_is(lab_ask(1), CVG_V2_SEEN, true);
    assert_int_equal(lab.started, 1);
    /* Next time it is asked again: it may know more. */
    (void)lab_ask(2);
    assert_int_equal(lab.fetched, 2);
    assert_int_equal(lab.started, 1);
    lab_store_says(CVG_OK);
    assert_int_equal(lab.started, 2);
}

static void store_that_is_away(void **state)
{
    (void)state;
    asked_again_after(CVG_ERR_IO);
}

/* Who could not take in what is kept does not know it. */
static void store_that_could_not_be_read(void **state)
{
    (void)state;
    asked_again_after(CVG_ERR_NOMEM);
}

static void stored_garbage_counts_as_none(void **state)
{
    (void)state;
    lab_use_store();
    assert_int_equal(cvg_buffer_put(&lab.kept, "\377garbage", 8), CVG_OK);
    unsigned first = lab_ask(1);
    lab_store_says(CVG_OK);
    assert_false(lab.answered[first]);
    lab_sees(1);
    lab_is(first, CVG_V2_SEEN, true);
}

static void no_probe_when_nothing_can_be_kept(void **state)
{
    (void)state;
    lab_use_store();
    (void)lab_ask(1);
    lab_store_says(CVG_ERR_NOT_FOUND);
    lab_sees(1);
    lab.full = true;
    lab_is(lab_ask(1), CVG_V2_SEEN, true);
    lab_is_busy(lab_ask(2), false);
    assert_int_equal(lab.started, 1);
    lab.full = false;
    unsigned later = lab_ask(2);
    lab_sees(2);
    lab_is(later, CVG_V2_SEEN, true);
}

static void what_could_not_be_kept_was_not_seen(void **state)
{
    (void)state;
    lab_use_store();
    unsigned first = lab_ask(1);
    lab_store_says(CVG_ERR_NOT_FOUND);
    lab.full = true;
    lab_sees(1);
    lab_is(first, CVG_V2_UNREACHABLE, false);
}

/* Whoever is still connected when another process has taken over is answered all the same. */
static void answers_when_another_process_keeps(void **state)
{
    (void)state;
    lab_use_store();
    unsigned first = lab_ask(1);
    lab_store_says(CVG_ERR_NOT_FOUND);
    lab.full = lab.over = true;
    lab_sees(1);
    lab_is(first, CVG_V2_SEEN, true);
    unsigned second = lab_ask(2);
    lab_sees(2);
    lab_is(second, CVG_V2_SEEN, true);
    assert_int_equal(lab.fetched, 1);
}

static void leaving_while_the_store_is_asked(void **state)
{
    (void)state;
    lab_use_store();
    lab_leave(lab_ask(1));
    lab_store_says(CVG_ERR_NOT_FOUND);
    assert_int_equal(lab.started, 0);
    assert_int_equal(cvg_inquirer_flights(lab.inquirer), 0);
    assert_int_equal(cvg_memory_count(lab.memory), 0);
}

static void ending_while_the_store_is_asked(void **state)
{
    (void)state;
    lab_use_store();
    lab_leave(lab_ask(1));
    /* lab_tear_down stops the inquirer, then the store says that it is away. */
}

static void one_flight_for_two_loops(void **state)
{
    (void)state;
    unsigned here = lab_ask(1), there = lab_ask_elsewhere(1), wrong = lab_ask_elsewhere(7);
    assert_int_equal(lab.started, 1);
    lab_sees(1);
    lab_is(here, CVG_V2_SEEN, true);
    assert_false(lab.answered[there]);
    lab_run_other();
    lab_is(there, CVG_V2_SEEN, true);
    assert_ptr_equal(lab.finding[here].body, lab.finding[there].body);
    assert_false(lab.answered[wrong]);
    lab_sees(1);
    lab_run_other();
    lab_is(wrong, CVG_V2_SEEN, false);
    assert_int_equal(lab.started, 1);
}

static void leaving_the_other_loops_flight(void **state)
{
    (void)state;
    (void)lab_ask(1);
    unsigned waiting = lab_ask_elsewhere(1), answered = lab_ask_elsewhere(1);
    lab_leave(waiting);
    lab_sees(1);
    /* Its answer is in the mailbox already. */
    lab_leave(answered);
    lab_run_other();
    assert_false(lab.answered[waiting] || lab.answered[answered]);
}

static void the_other_loop_ends(void **state)
{
    (void)state;
    unsigned waiting = lab_ask_elsewhere(1), here = lab_ask(1);
    cvg_inquirer_stop(lab.other);
    lab_run();
    lab_run_other();
    assert_true(lab.answered[here]);
    assert_int_equal(lab.finding[here].error, CVG_ERR_UNREACHABLE);
    assert_true(lab.answered[waiting]);
    unsigned again = lab_ask(1);
    lab_sees(1);
    lab_is(again, CVG_V2_SEEN, true);
}

static void both_forms_of_an_answer(void **state)
{
    (void)state;
    unsigned v1 = lab_ask_v1(1), v2 = lab_ask(1);
    lab_sees(1);
    lab_is(v1, CVG_V2_SEEN, true);
    lab_is(v2, CVG_V2_SEEN, true);
    const struct cvg_blob *json = lab.finding[v1].body, *statement = lab.finding[v2].body;
    assert_int_equal(json->octets[0], '{');
    assert_int_equal(statement->octets[0], CVG_V2_VERSION);
    assert_int_equal(statement->octets[1], 1);
    /* Made once. */
    assert_ptr_equal(lab.finding[lab_ask_v1(1)].body, json);
    assert_ptr_equal(lab.finding[lab_ask(1)].body, statement);
    /* An unreachable target has no JSON, and a statement all the same. */
    lab_pass_s(60);
    v1 = lab_ask_v1(2);
    v2 = lab_ask(2);
    lab_round_ends(CVG_ERR_UNREACHABLE, 0, CVG_KEY_OTHER, 0);
    lab_is(v1, CVG_V2_UNREACHABLE, false);
    lab_is(v2, CVG_V2_UNREACHABLE, false);
    assert_null(lab.finding[v1].body);
    assert_non_null(lab.finding[v2].body);
}

static void new_keys_sign_anew(void **state)
{
    (void)state;
    (void)lab_ask(1);
    lab_sees(1);
    struct cvg_blob *v2 = lab.finding[lab_ask(1)].body, *v1 = lab.finding[lab_ask_v1(1)].body;
    lab.answerer.generation++;
    assert_ptr_not_equal(lab.finding[lab_ask(1)].body, v2);
    assert_ptr_not_equal(lab.finding[lab_ask_v1(1)].body, v1);
    assert_int_equal(lab.started, 1);
}

static void busy_names_do_not_stay(void **state)
{
    static const char *const others[] = {"a.example", "b.example", "c.example", "d.example"};
    (void)state;
    (void)lab_ask(1);
    lab_sees(1);
    lab_limit_flights(0);
    for (size_t i = 0; i < 4; i++)
        lab_is_busy(lab_ask_host(others[i], 1), false);
    assert_int_equal(cvg_memory_count(lab.memory), 1);
    lab_limit_flights(2);
    lab_limit_probes(1);
    for (size_t i = 0; i < 4; i++)
        lab_is_busy(lab_ask_host(others[i], 1), true);
    assert_int_equal(cvg_memory_count(lab.memory), 1);
    lab_is(lab_ask(1), CVG_V2_SEEN, true);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_set_up, lab_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(store_answers_without_a_probe),
        TEST(store_that_is_away),
        TEST(store_that_could_not_be_read),
        TEST(stored_garbage_counts_as_none),
        TEST(no_probe_when_nothing_can_be_kept),
        TEST(what_could_not_be_kept_was_not_seen),
        TEST(answers_when_another_process_keeps),
        TEST(leaving_while_the_store_is_asked),
        TEST(ending_while_the_store_is_asked),
        TEST(one_flight_for_two_loops),
        TEST(leaving_the_other_loops_flight),
        TEST(the_other_loop_ends),
        TEST(both_forms_of_an_answer),
        TEST(new_keys_sign_anew),
        TEST(busy_names_do_not_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
