/* SPDX-License-Identifier: MIT */
/* Questions and the probes they share, with a clock and a prober of the test's own: single-flight,
 * the interval, the second look, failures, refreshing, budgets. */
#include "inquirylab.h"

static void everybody_shares_one_probe(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++)
        assert_false(lab.answered[lab_ask(1)]);
    lab_sees(1);
    for (unsigned i = 0; i < 8; i++)
        lab_is(i, CVG_V2_SEEN, true);
    assert_int_equal(lab.started, 1);
    assert_int_equal(lab.again, 0);
    lab_is(lab_ask(1), CVG_V2_SEEN, true);
    assert_int_equal(lab.started, 1);
}

static void second_look_before_a_no(void **state)
{
    (void)state;
    unsigned yes = lab_ask(1), rsa = lab_ask(2), no = lab_ask(3);
    lab_sees(1);
    lab_is(yes, CVG_V2_SEEN, true);
    assert_false(lab.answered[rsa] || lab.answered[no]);
    assert_int_equal(lab.again, 1);
    lab_round_ends(CVG_OK, 2, CVG_KEY_RSA, 1);
    lab_is(rsa, CVG_V2_SEEN, true);
    lab_is(no, CVG_V2_SEEN, false);
    assert_int_equal(lab.started, 1);
}

static void second_look_that_fails_is_still_a_no(void **state)
{
    (void)state;
    unsigned no = lab_ask(3);
    lab_sees(1);
    lab_round_ends(CVG_ERR_TIMEOUT, 0, CVG_KEY_OTHER, 0);
    lab_is(no, CVG_V2_SEEN, false);
    lab.again_fails = true;
    lab_pass_s(10);
    no = lab_ask(3);
    lab_sees(1);
    lab_is(no, CVG_V2_SEEN, false);
}

static void random_fingerprints_wait_for_the_interval(void **state)
{
    (void)state;
    (void)lab_ask(9);
    lab_sees(1);
    lab_sees(1);
    for (uint8_t leaf = 10; leaf < 20; leaf++)
        lab_is(lab_ask(leaf), CVG_V2_SEEN, false);
    assert_int_equal(lab.started, 1);
    lab.ms += INTERVAL_MS - 1;
    lab_is(lab_ask(20), CVG_V2_SEEN, false);
    assert_int_equal(lab.started, 1);
    lab.ms += 1;
    assert_false(lab.answered[lab_ask(21)]);
    assert_int_equal(lab.started, 2);
}

/* Another loop's probe ended while this one, its clock read, waited for the shard's lock. */
static void looked_at_a_moment_later_than_now(void **state)
{
    (void)state;
    (void)lab_ask(9);
    lab_sees(1);
    lab_sees(1);
    lab.ms -= 1;
    lab_is(lab_ask(10), CVG_V2_SEEN, false);
    assert_int_equal(lab.started, 1);
}

static void leaving_wins_no_other_probe(void **state)
{
    (void)state;
    lab_leave(lab_ask(9));
    lab_sees(1);
    assert_int_equal(lab.again, 1);
    lab_leave(lab_ask(10));
    lab_sees(1);
    for (uint8_t leaf = 11; leaf < 20; leaf++)
        lab_is(lab_ask(leaf), CVG_V2_SEEN, false);
    assert_int_equal(lab.started, 1);
}

static void unreachable_is_remembered_for_the_interval(void **state)
{
    (void)state;
    unsigned first = lab_ask(1);
    lab_round_ends(CVG_ERR_TIMEOUT, 0, CVG_KEY_OTHER, 0);
    lab_is(first, CVG_V2_UNREACHABLE, false);
    lab_is(lab_ask(1), CVG_V2_UNREACHABLE, false);
    lab_is(lab_ask(0), CVG_V2_UNREACHABLE, false);
    assert_int_equal(lab.started, 1);
    lab_pass_s(10);
    unsigned second = lab_ask(1);
    lab_sees(1);
    lab_is(second, CVG_V2_SEEN, true);
}

static void refused_is_not_public(void **state)
{
    (void)state;
    unsigned first = lab_ask(1);
    lab_round_ends(CVG_ERR_REFUSED, 0, CVG_KEY_OTHER, 0);
    lab_is(first, CVG_V2_NOT_PUBLIC, false);
    assert_int_equal(lab.again, 0);
}

static void unreachable_now_is_no_no(void **state)
{
    (void)state;
    (void)lab_ask(1);
    lab_sees(1);
    lab_pass_s(60);
    unsigned other = lab_ask(2);
    lab_round_ends(CVG_ERR_UNREACHABLE, 0, CVG_KEY_OTHER, 0);
    lab_is(other, CVG_V2_UNREACHABLE, false);
    lab_is(lab_ask(1), CVG_V2_SEEN, true);
    lab_is(lab_ask(2), CVG_V2_UNREACHABLE, false);
}

static void replaced_certificate_says_no(void **state)
{
    (void)state;
    (void)lab_ask(1);
    lab_sees(1);
    lab_pass_s(60);
    unsigned new = lab_ask(2);
    lab_sees(2);
    lab_is(new, CVG_V2_SEEN, true);
    unsigned old = lab_ask(1);
    assert_false(lab.answered[old]);
    lab_sees(2);
    lab_sees(2);
    lab_is(old, CVG_V2_SEEN, false);
}

static void aged_observation_is_looked_at_again(void **state)
{
    (void)state;
    (void)lab_ask(1);
    lab_sees(1);
    lab_pass_s(AGE_S - 1);
    lab_is(lab_ask(1), CVG_V2_SEEN, true);
    assert_int_equal(lab.started, 1);
    lab_pass_s(1);
    unsigned late = lab_ask(1);
    assert_false(lab.answered[late]);
    lab_sees(2);
    lab_sees(2);
    lab_is(late, CVG_V2_SEEN, false);
}

static void cancelled_question_is_not_answered(void **state)
{
    (void)state;
    unsigned first = lab_ask(1), second = lab_ask(1);
    lab_leave(first);
    lab_sees(1);
    assert_false(lab.answered[first]);
    lab_is(second, CVG_V2_SEEN, true);
}

static void last_waiter_gone(void **state)
{
    (void)state;
    lab_leave(lab_ask(1));
    lab_sees(1);
    lab_is(lab_ask(1), CVG_V2_SEEN, true);
    assert_int_equal(lab.started, 1);
}

static void budget_of_the_client(void **state)
{
    (void)state;
    lab_limit_probes(1);
    (void)lab_ask(1);
    lab_sees(1);
    lab_pass_s(59);
    lab_is_busy(lab_ask_host("site.example", 2), true);
    lab_is(lab_ask(1), CVG_V2_SEEN, true);
    lab_pass_s(1);
    unsigned other = lab_ask(2);
    lab_sees(2);
    lab_is(other, CVG_V2_SEEN, true);
}

static void budget_of_the_notary(void **state)
{
    (void)state;
    lab_limit_flights(1);
    unsigned first = lab_ask(1), same = lab_ask(1);
    lab_is_busy(lab_ask_host("other.example", 1), false);
    lab_sees(1);
    lab_is(first, CVG_V2_SEEN, true);
    lab_is(same, CVG_V2_SEEN, true);
}

/* One question about leaf 2 where leaf 1 is shown, with the allocation of that number failing: how
 * it ends. */
static void ask_with_fault(int number, uint8_t shown, bool *ret_found)
{
    lab.again_fails = true;
    lab_allocations_left = number;
    unsigned which = lab_ask(2);
    while (lab.probe != NULL)
        lab_sees(shown);
    lab_allocations_left = -1;
    lab_run();
    assert_true(lab.answered[which]);
    const struct cvg_finding *finding = &lab.finding[which];
    *ret_found = finding->error == CVG_OK && finding->found;
    assert_int_equal(finding->error == CVG_OK, finding->body != NULL);
    if (finding->error == CVG_OK && !*ret_found && shown == 2)
        assert_int_equal(finding->status, CVG_V2_UNREACHABLE);
}

static void no_fault_says_yes(void **state)
{
    for (uint8_t shown = 1; shown <= 2; shown++) {
        bool found = false;
        for (int number = 0; number < 100; number++) {
            assert_int_equal(lab_tear_down(state), 0);
            assert_int_equal(lab_set_up(state), 0);
            ask_with_fault(number, shown, &found);
            assert_false(shown == 1 && found);
        }
        assert_int_equal(found, shown == 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everybody_shares_one_probe, lab_set_up, lab_tear_down),
        cmocka_unit_test_setup_teardown(second_look_before_a_no, lab_set_up, lab_tear_down),
        cmocka_unit_test_setup_teardown(second_look_that_fails_is_still_a_no, lab_set_up,
                                        lab_tear_down),
        cmocka_unit_test_setup_teardown(random_fingerprints_wait_for_the_interval, lab_set_up,
                                        lab_tear_down),
        cmocka_unit_test_setup_teardown(looked_at_a_moment_later_than_now, lab_set_up,
                                        lab_tear_down),
        cmocka_unit_test_setup_teardown(leaving_wins_no_other_probe, lab_set_up, lab_tear_down),
        cmocka_unit_test_setup_teardown(unreachable_is_remembered_for_the_interval, lab_set_up,
                                        lab_tear_down),
        cmocka_unit_test_setup_teardown(refused_is_not_public, lab_set_up, lab_tear_down),
        cmocka_unit_test_setup_teardown(unreachable_now_is_no_no, lab_set_up, lab_tear_down),
        cmocka_unit_test_setup_teardown(replaced_certificate_says_no, lab_set_up, lab_tear_down),
        cmocka_unit_test_setup_teardown(aged_observation_is_looked_at_again, lab_set_up,
                                        lab_tear_down),
        cmocka_unit_test_setup_teardown(cancelled_question_is_not_answered, lab_set_up,
                                        lab_tear_down),
        cmocka_unit_test_setup_teardown(last_waiter_gone, lab_set_up, lab_tear_down),
        cmocka_unit_test_setup_teardown(budget_of_the_client, lab_set_up, lab_tear_down),
        cmocka_unit_test_setup_teardown(budget_of_the_notary, lab_set_up, lab_tear_down),
        cmocka_unit_test_setup_teardown(no_fault_says_yes, lab_set_up, lab_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
