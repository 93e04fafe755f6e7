/* SPDX-License-Identifier: MIT */
/* What is endorsed, and for how long: random fingerprints, a certificate that was shown for a
 * moment, clocks that step, and what is looked at in the background. */
#include <stdlib.h>
#include <string.h>

#include "inquirylab.h"
#include "notary/refresh.h"

#define IDLE_S   (7 * 86400)
#define FORGET_S (180 * 86400)

static struct cvg_refresher *refresher;

static int set_up(void **state)
{
    const struct cvg_refresh_limits limits = {
        .max_age_s = AGE_S, .idle_s = IDLE_S, .forget_after_s = FORGET_S, .max_flights = 1};
    assert_int_equal(lab_set_up(state), 0);
    assert_int_equal(
        cvg_refresher_new(lab.inquirer, lab.memory, lab.answerer.clock, 0, 1, &refresher), CVG_OK);
    cvg_refresher_set(refresher, &limits);
    return 0;
}

static int tear_down(void **state)
{
    cvg_refresher_free(refresher);
    refresher = NULL;
    return lab_tear_down(state);
}

/* A whole walk through memory. */
static void walk(void)
{
    for (unsigned i = 0; i < 1000 * AGE_S / 32 / CVG_REFRESH_TICK_MS + 2; i++)
        cvg_refresher_tick(refresher);
}

static void a_thousand_random_fingerprints(void **state)
{
    (void)state;
    lab_limit_probes(1000000);
    for (unsigned second = 0; second < 100; second++) {
        for (unsigned i = 0; i < 10; i++) {
            unsigned which = lab_ask((uint8_t)(2 + rand() % 250));
            if (lab.probe != NULL) {
                lab_sees(1);
                lab_sees(1);
            }
            lab_is(which, CVG_V2_SEEN, false);
        }
        assert_int_equal(lab.started, second / (INTERVAL_MS / 1000) + 1);
        lab_pass_s(1);
    }
    assert_int_equal(lab.started, 10);
}

/* For one second the target shows 6; before and after that, 1. */
static void false_certificate_of_a_second(void **state)
{
    (void)state;
    lab_limit_probes(1000000);
    (void)lab_ask(1);
    lab_sees(1);
    lab_pass_s(20);
    unsigned fooled = lab_ask(6);
    lab_sees(6);
    lab_is(fooled, CVG_V2_SEEN, true);
    lab_pass_s(1);
    /* The first that sees the true one again looks, and from then on nobody is told "yes". */
    unsigned honest = lab_ask(1);
    lab_sees(1);
    lab_is(honest, CVG_V2_SEEN, true);
    for (unsigned hour = 0; hour < 48; hour++) {
        unsigned victim = lab_ask(6);
        while (lab.probe != NULL)
            lab_sees(1);
        lab_is(victim, CVG_V2_SEEN, false);
        lab_pass_s(3600);
    }
}

/* The same with a key of another type than the target's own, and within one second. */
static void false_certificate_of_another_type(void **state)
{
    (void)state;
    lab_limit_probes(1000000);
    (void)lab_ask(1);
    lab_sees(1);
    lab_pass_s(20);
    unsigned fooled = lab_ask(6);
    lab_round_ends(CVG_OK, 6, CVG_KEY_RSA, 1);
    lab_is(fooled, CVG_V2_SEEN, true);
    unsigned honest = lab_ask(1);
    lab_sees(1);
    lab_is(honest, CVG_V2_SEEN, true);
    unsigned victim = lab_ask(6);
    lab_sees(1);
    lab_round_ends(CVG_ERR_TIMEOUT, 0, CVG_KEY_OTHER, 0);
    lab_is(victim, CVG_V2_SEEN, false);
}

/* A site with two certificates: both are current after a probe that saw both. */
static void two_key_types(void **state)
{
    (void)state;
    unsigned ec = lab_ask(1), rsa = lab_ask(2);
    lab_sees(1);
    lab_pass_s(2);
    lab_round_ends(CVG_OK, 2, CVG_KEY_RSA, 1);
    lab_is(ec, CVG_V2_SEEN, true);
    lab_is(rsa, CVG_V2_SEEN, true);
    lab_is(lab_ask(1), CVG_V2_SEEN, true);
    lab_is(lab_ask(2), CVG_V2_SEEN, true);
    assert_int_equal(lab.started, 1);
}

/* Another address for a moment (DNS was lied to), and nobody honest asks: who asks for it a little
 * later makes the notary look again, at the true one. */
static void false_certificate_elsewhere(void **state)
{
    (void)state;
    lab_limit_probes(1000000);
    (void)lab_ask(1);
    lab_sees(1);
    lab_pass_s(3600);
    unsigned fooled = lab_ask(6);
    lab_round_ends(CVG_OK, 6, CVG_KEY_EC, 66);
    lab_is(fooled, CVG_V2_SEEN, true);
    for (unsigned hour = 0; hour < 24; hour++) {
        lab_pass_s(3600);
        unsigned victim = lab_ask(6);
        while (lab.probe != NULL)
            lab_sees(1);
        lab_is(victim, CVG_V2_SEEN, false);
        lab_is(lab_ask(1), CVG_V2_SEEN, true);
    }
}

/* ... but where the look does not find it again, or nothing at all, the next one waits. */
static void on_trial_and_not_found_waits(void **state)
{
    (void)state;
    lab_limit_probes(1000000);
    (void)lab_ask(1);
    lab_sees(1);
    lab_pass_s(3600);
    (void)lab_ask(6);
    lab_round_ends(CVG_OK, 6, CVG_KEY_EC, 66);
    lab_pass_s(3600);
    for (unsigned look = 3; look < 6; look++) {
        for (unsigned second = 0; second < INTERVAL_MS / 1000; second++) {
            unsigned victim = lab_ask(6);
            if (lab.probe != NULL && look == 4)
                lab_round_ends(CVG_ERR_REFUSED, 0, CVG_KEY_OTHER, 0);
            while (lab.probe != NULL)
                lab_sees(1);
            lab_is(victim, look == 4 ? CVG_V2_NOT_PUBLIC : CVG_V2_SEEN, false);
            assert_int_equal(lab.started, look);
            lab_pass_s(1);
        }
    }
}

/* A certificate that takes another's place for good is looked at once more, and then stays. */
static void changed_for_good(void **state)
{
    (void)state;
    lab_limit_probes(1000000);
    (void)lab_ask(1);
    lab_sees(1);
    lab_pass_s(3600);
    (void)lab_ask(2);
    lab_sees(2);
    lab_is(lab_ask(2), CVG_V2_SEEN, true);
    lab_pass_s(CVG_TRIAL_S);
    unsigned again = lab_ask(2);
    lab_sees(2);
    lab_is(again, CVG_V2_SEEN, true);
    lab_pass_s(AGE_S / 2);
    lab_is(lab_ask(2), CVG_V2_SEEN, true);
    assert_int_equal(lab.started, 3);
}

/* It is not told "no" because somebody else has just looked for something else in vain. */
static void on_trial_is_looked_at_within_the_interval(void **state)
{
    (void)state;
    lab_limit_probes(1000000);
    (void)lab_ask(1);
    lab_sees(1);
    lab_pass_s(3600);
    unsigned new = lab_ask(2), wrong = lab_ask(7);
    lab_sees(2);
    lab_is(new, CVG_V2_SEEN, true);
    lab_pass_s(CVG_TRIAL_S / 2);
    lab_sees(2);
    lab_is(wrong, CVG_V2_SEEN, false);
    lab_pass_s(CVG_TRIAL_S / 2);
    unsigned again = lab_ask(2);
    lab_sees(2);
    lab_is(again, CVG_V2_SEEN, true);
    lab_is(lab_ask(7), CVG_V2_SEEN, false);
    assert_int_equal(lab.started, 3);
}

/* Nobody at all asks, and it was the first that was seen: the background finds out. */
static void false_certificate_that_nobody_contradicts(void **state)
{
    (void)state;
    unsigned fooled = lab_ask(6);
    lab_sees(6);
    lab_is(fooled, CVG_V2_SEEN, true);
    lab_pass_s(AGE_S * 3 / 4 + 1);
    walk();
    assert_int_equal(lab.started, 2);
    lab_sees(1);
    assert_true(lab.thorough);
    lab_sees(1);
    unsigned victim = lab_ask(6);
    lab_is(victim, CVG_V2_SEEN, false);
}

static void clock_steps_back(void **state)
{
    (void)state;
    (void)lab_ask(1);
    lab_sees(1);
    struct cvg_blob *before = lab.finding[lab_ask(1)].body;
    lab.wall_s -= 3600;
    /* What was seen in the future endorses nothing; it is looked at again at once. */
    unsigned now = lab_ask(1);
    assert_false(lab.answered[now]);
    lab_sees(1);
    lab_is(now, CVG_V2_SEEN, true);
    assert_ptr_not_equal(lab.finding[now].body, before);
    lab_is(lab_ask(1), CVG_V2_SEEN, true);
    assert_int_equal(lab.started, 2);
}

/* A kept statement is not handed out with a time that has not come yet. */
static void clock_steps_back_a_little(void **state)
{
    (void)state;
    (void)lab_ask(1);
    lab_sees(1);
    struct cvg_blob *before = lab.finding[lab_ask(1)].body;
    lab.wall_s -= 30;
    unsigned now = lab_ask(1);
    lab_is(now, CVG_V2_SEEN, true);
    assert_ptr_not_equal(lab.finding[now].body, before);
    assert_int_equal(lab.started, 1);
}

static void clock_steps_forward(void **state)
{
    (void)state;
    (void)lab_ask(1);
    lab_sees(1);
    lab.wall_s += AGE_S;
    unsigned now = lab_ask(1);
    assert_false(lab.answered[now]);
    lab_sees(2);
    lab_sees(2);
    lab_is(now, CVG_V2_SEEN, false);
    /* And back again: what was seen meanwhile is from the future, what was seen before is not the
     * newest. */
    lab.wall_s -= AGE_S;
    lab.ms += INTERVAL_MS;
    now = lab_ask(2);
    assert_false(lab.answered[now]);
    lab_sees(2);
    lab_is(now, CVG_V2_SEEN, true);
}

static void instants_are_spread(void **state)
{
    uint64_t first = UINT64_MAX, last = 0;
    (void)state;
    for (uint64_t draw = 0; draw < 1000; draw++) {
        uint64_t at = cvg_refresh_at_ms(7000, 0, AGE_S, draw);
        assert_in_range(at, 7000 + 500 * AGE_S, 7000 + 750 * AGE_S);
        first = at < first ? at : first;
        last = at > last ? at : last;
    }
    assert_in_range(last - first, 200 * AGE_S, 250 * AGE_S);
    /* What is old already is due, and what is from the future. */
    assert_int_equal(cvg_refresh_at_ms(7000, AGE_S, AGE_S, 1), 7000);
    assert_int_equal(cvg_refresh_at_ms(7000, -60, AGE_S, 1), 7000);
}

static void in_use_is_refreshed(void **state)
{
    (void)state;
    (void)lab_ask(1);
    lab_sees(1);
    lab_pass_s(AGE_S / 2 - 1);
    walk();
    assert_int_equal(lab.started, 1);
    for (unsigned round = 2; round < 6; round++) {
        lab_pass_s(AGE_S * 3 / 4 + 1);
        walk();
        assert_int_equal(lab.started, round);
        lab_sees(1);
        lab_sees(1);
        lab_is(lab_ask(1), CVG_V2_SEEN, true);
        walk();
        assert_int_equal(lab.started, round);
    }
}

/* Another loop uses the target while this one, its clock read, is on its way to it. */
static void in_use_at_this_moment_is_refreshed(void **state)
{
    (void)state;
    (void)lab_ask(1);
    lab_sees(1);
    lab_pass_s(AGE_S * 3 / 4 + 1);
    (void)lab_ask_elsewhere(1);
    lab.ms -= 1;
    walk();
    assert_int_equal(lab.started, 2);
}

/* Nobody pays for it, and nobody's budget ends it. */
static void refreshing_is_free(void **state)
{
    (void)state;
    lab_limit_probes(1);
    (void)lab_ask(1);
    lab_sees(1);
    lab_pass_s(AGE_S * 3 / 4 + 1);
    walk();
    assert_int_equal(lab.started, 2);
}

static void unused_is_not_refreshed(void **state)
{
    (void)state;
    (void)lab_ask(1);
    lab_sees(1);
    lab_pass_s(IDLE_S);
    walk();
    assert_int_equal(lab.started, 1);
}

static void failed_refresh_waits(void **state)
{
    (void)state;
    (void)lab_ask(1);
    lab_sees(1);
    lab_pass_s(AGE_S * 3 / 4 + 1);
    walk();
    lab_round_ends(CVG_ERR_TIMEOUT, 0, CVG_KEY_OTHER, 0);
    lab_is(lab_ask(1), CVG_V2_SEEN, true);
    walk();
    assert_int_equal(lab.started, 2);
    lab_pass_s(AGE_S / 32);
    walk();
    assert_int_equal(lab.started, 3);
}

static void refreshing_is_bounded(void **state)
{
    (void)state;
    (void)lab_ask(1);
    lab_sees(1);
    lab_pass_s(AGE_S * 3 / 4 + 1);
    lab_limit_flights(0);
    walk();
    assert_int_equal(lab.started, 1);
    lab_limit_flights(1);
    walk();
    walk();
    assert_int_equal(lab.started, 2);
}

static void unseen_is_forgotten(void **state)
{
    (void)state;
    (void)lab_ask(1);
    lab_sees(1);
    lab_pass_s(FORGET_S - 1);
    walk();
    assert_int_equal(cvg_memory_count(lab.memory), 1);
    lab_pass_s(1);
    walk();
    assert_int_equal(cvg_memory_count(lab.memory), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_thousand_random_fingerprints),
        TEST(false_certificate_of_a_second),
        TEST(false_certificate_of_another_type),
        TEST(two_key_types),
        TEST(false_certificate_elsewhere),
        TEST(on_trial_and_not_found_waits),
        TEST(changed_for_good),
        TEST(on_trial_is_looked_at_within_the_interval),
        TEST(false_certificate_that_nobody_contradicts),
        TEST(clock_steps_back),
        TEST(clock_steps_back_a_little),
        TEST(clock_steps_forward),
        TEST(instants_are_spread),
        TEST(in_use_is_refreshed),
        TEST(in_use_at_this_moment_is_refreshed),
        TEST(refreshing_is_free),
        TEST(unused_is_not_refreshed),
        TEST(failed_refresh_waits),
        TEST(refreshing_is_bounded),
        TEST(unseen_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
