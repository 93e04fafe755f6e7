/* SPDX-License-Identifier: MIT */
/* Budgets, circuit breaker and negative cache: their boundaries in time and size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "common/engine/breaker.h"
#include "common/engine/budget.h"
#include "common/engine/negative.h"
#include "tests/common/engine/fake-clock.h"

static struct fake_clock fake;
static struct cvg_budget *budget;
static struct cvg_breaker *breaker;
static struct cvg_negative *negative;

static int set_up(void **state)
{
    (void)state;
    fake_clock_init(&fake);
    return cvg_budget_new(60, &fake.clock, &budget) == CVG_OK &&
                   cvg_breaker_new(&fake.clock, &breaker) == CVG_OK &&
                   cvg_negative_new(5, &fake.clock, &negative) == CVG_OK
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    (void)state;
    cvg_budget_free(budget);
    cvg_breaker_free(breaker);
    cvg_negative_free(negative);
    return 0;
}

static unsigned taken(uint32_t uid)
{
    unsigned count = 0;

    while (count < 100000 && cvg_budget_take(budget, uid))
        count++;
    return count;
}

static void a_minutes_budget_can_be_used_at_once_and_no_more(void **state)
{
    (void)state;
    assert_int_equal(taken(1000), 60);
    assert_int_equal(taken(1001), 60);
    assert_int_equal(taken(1000), 0);
}

static void one_comes_back_in_its_share_of_the_minute(void **state)
{
    (void)state;
    assert_int_equal(taken(1000), 60);
    fake.ms += 999;
    assert_int_equal(taken(1000), 0);
    fake.ms += 1;
    assert_int_equal(taken(1000), 1);
    fake.ms += 59999;
    assert_int_equal(taken(1000), 59);
    fake.ms += UINT64_MAX / 2;
    assert_int_equal(taken(1000), 60);
}

static void another_rate_takes_effect_without_refilling(void **state)
{
    (void)state;
    assert_int_equal(taken(1000), 60);
    cvg_budget_set(budget, 600);
    assert_int_equal(taken(1000), 0);
    fake.ms += 1000;
    assert_int_equal(taken(1000), 10);
    assert_int_equal(taken(1001), 600);
    cvg_budget_set(budget, 0);
    assert_int_equal(taken(1002), 0);
    fake.ms += 60000;
    assert_int_equal(taken(1000), 0);
}

static void who_is_over_budget_is_not_forgotten_among_many(void **state)
{
    (void)state;
    assert_int_equal(taken(1000), 60);
    for (uint32_t uid = 100000; uid < 110000; uid++)
        assert_true(cvg_budget_take(budget, uid));
    assert_int_equal(taken(1000), 0);
}

static void three_failures_in_a_row_open_the_breaker(void **state)
{
    (void)state;
    cvg_breaker_failure(breaker, "a:443");
    cvg_breaker_failure(breaker, "a:443");
    cvg_breaker_success(breaker, "a:443");
    cvg_breaker_failure(breaker, "a:443");
    cvg_breaker_failure(breaker, "a:443");
    assert_true(cvg_breaker_allows(breaker, "a:443"));
    cvg_breaker_failure(breaker, "a:443");
    assert_true(cvg_breaker_open(breaker, "a:443"));
    assert_false(cvg_breaker_allows(breaker, "a:443"));
    assert_true(cvg_breaker_allows(breaker, "b:443"));
}

static void an_open_breaker_lets_one_trial_through_a_pause(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CVG_BREAKER_FAILURES; i++)
        cvg_breaker_failure(breaker, "a:443");
    fake.ms += CVG_BREAKER_PAUSE_MS - 1;
    assert_false(cvg_breaker_allows(breaker, "a:443"));
    fake.ms += 1;
    assert_true(cvg_breaker_allows(breaker, "a:443"));
    assert_false(cvg_breaker_allows(breaker, "a:443"));
    cvg_breaker_success(breaker, "a:443");
    assert_true(cvg_breaker_allows(breaker, "a:443"));
    assert_false(cvg_breaker_open(breaker, "a:443"));
}

static void a_trial_that_was_cancelled_is_followed_by_another(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CVG_BREAKER_FAILURES; i++)
        cvg_breaker_failure(breaker, "a:443");
    for (unsigned i = 0; i < 3; i++) {
        fake.ms += CVG_BREAKER_PAUSE_MS;
        assert_true(cvg_breaker_allows(breaker, "a:443"));
        assert_false(cvg_breaker_allows(breaker, "a:443"));
    }
}

static void pauses_double_up_to_half_a_minute(void **state)
{
    uint64_t pause_ms = CVG_BREAKER_PAUSE_MS;

    (void)state;
    for (unsigned i = 0; i < CVG_BREAKER_FAILURES; i++)
        cvg_breaker_failure(breaker, "a:443");
    for (unsigned i = 0; i < 10; i++) {
        fake.ms += pause_ms - 1;
        assert_false(cvg_breaker_allows(breaker, "a:443"));
        fake.ms += 1;
        assert_true(cvg_breaker_allows(breaker, "a:443"));
        cvg_breaker_failure(breaker, "a:443");
        pause_ms =
            pause_ms * 2 > CVG_BREAKER_PAUSE_MAX_MS ? CVG_BREAKER_PAUSE_MAX_MS : pause_ms * 2;
    }
    assert_int_equal(pause_ms, CVG_BREAKER_PAUSE_MAX_MS);
    cvg_breaker_reset(breaker);
    assert_true(cvg_breaker_allows(breaker, "a:443"));
}

static void the_breakers_table_is_bounded_and_then_asks(void **state)
{
    char host[32];

    (void)state;
    for (unsigned i = 0; i < 2000; i++) {
        snprintf(host, sizeof host, "h%u:443", i);
        for (unsigned k = 0; k < CVG_BREAKER_FAILURES; k++)
            cvg_breaker_failure(breaker, host);
    }
    assert_false(cvg_breaker_allows(breaker, "h1023:443"));
    assert_true(cvg_breaker_allows(breaker, "h1024:443"));
}

static struct cvg_endpoint endpoint_of(const char *text)
{
    struct cvg_endpoint endpoint;

    assert_int_equal(cvg_endpoint_parse(text, 443, &endpoint, NULL), CVG_OK);
    return endpoint;
}

static struct cvg_answer answer_of(enum cvg_verdict verdict)
{
    struct cvg_answer answer;

    memset(&answer, 0, sizeof answer);
    answer.verdict = verdict;
    answer.reason = CVG_REASON_VOTE;
    strcpy(answer.text, "as it was");
    return answer;
}

static void only_what_did_not_agree_is_remembered(void **state)
{
    static const enum cvg_verdict verdicts[] = {CVG_VERDICT_NONE, CVG_VERDICT_AGREE,
                                                CVG_VERDICT_EXEMPT, (enum cvg_verdict)7};
    struct cvg_endpoint endpoint = endpoint_of("site.example.com");
    struct cvg_fingerprint leaf = {.bytes = {1}, .len = CVG_SHA256_LEN};
    struct cvg_answer answer, found = answer_of(CVG_VERDICT_NONE);

    (void)state;
    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++) {
        answer = answer_of(verdicts[i]);
        cvg_negative_put(negative, &endpoint, &leaf, &answer);
        assert_false(cvg_negative_find(negative, &endpoint, &leaf, &found));
    }
    assert_int_equal(found.verdict, CVG_VERDICT_NONE);
    answer = answer_of(CVG_VERDICT_UNDECIDED);
    cvg_negative_put(negative, &endpoint, &leaf, &answer);
    assert_true(cvg_negative_find(negative, &endpoint, &leaf, &found));
    assert_int_equal(found.verdict, CVG_VERDICT_UNDECIDED);
    assert_string_equal(found.text, "as it was");
}

static void last_millisecond_of_the_negative_ttl_and_first_past_it(void **state)
{
    struct cvg_endpoint endpoint = endpoint_of("site.example.com"), other = endpoint;
    struct cvg_fingerprint leaf = {.bytes = {1}, .len = CVG_SHA256_LEN}, other_leaf = leaf;
    struct cvg_answer answer = answer_of(CVG_VERDICT_DISAGREE), found;

    (void)state;
    cvg_negative_put(negative, &endpoint, &leaf, &answer);
    other.port = 444;
    other_leaf.bytes[31] = 1;
    assert_false(cvg_negative_find(negative, &other, &leaf, &found));
    assert_false(cvg_negative_find(negative, &endpoint, &other_leaf, &found));
    other_leaf = leaf;
    other_leaf.len = CVG_SHA1_LEN;
    assert_false(cvg_negative_find(negative, &endpoint, &other_leaf, &found));
    fake.ms += 4999;
    assert_true(cvg_negative_find(negative, &endpoint, &leaf, &found));
    fake.ms += 1;
    assert_false(cvg_negative_find(negative, &endpoint, &leaf, &found));
}

static void the_negative_cache_is_bounded_and_can_be_emptied(void **state)
{
    struct cvg_fingerprint leaf = {.len = CVG_SHA256_LEN};
    struct cvg_answer answer = answer_of(CVG_VERDICT_DISAGREE), found;
    struct cvg_endpoint endpoint = endpoint_of("site.example.com");

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        leaf.bytes[0] = (uint8_t)(i >> 8);
        leaf.bytes[1] = (uint8_t)i;
        cvg_negative_put(negative, &endpoint, &leaf, &answer);
    }
    assert_true(cvg_negative_find(negative, &endpoint, &leaf, &found));
    leaf.bytes[0] = leaf.bytes[1] = 0;
    assert_false(cvg_negative_find(negative, &endpoint, &leaf, &found));
    leaf.bytes[0] = 3;
    cvg_negative_set(negative, 5);
    assert_false(cvg_negative_find(negative, &endpoint, &leaf, &found));
    cvg_negative_set(negative, 0);
    cvg_negative_put(negative, &endpoint, &leaf, &answer);
    assert_false(cvg_negative_find(negative, &endpoint, &leaf, &found));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_minutes_budget_can_be_used_at_once_and_no_more),
        CASE(one_comes_back_in_its_share_of_the_minute),
        CASE(another_rate_takes_effect_without_refilling),
        CASE(who_is_over_budget_is_not_forgotten_among_many),
        CASE(three_failures_in_a_row_open_the_breaker),
        CASE(an_open_breaker_lets_one_trial_through_a_pause),
        CASE(a_trial_that_was_cancelled_is_followed_by_another),
        CASE(pauses_double_up_to_half_a_minute),
        CASE(the_breakers_table_is_bounded_and_then_asks),
        CASE(only_what_did_not_agree_is_remembered),
        CASE(last_millisecond_of_the_negative_ttl_and_first_past_it),
        CASE(the_negative_cache_is_bounded_and_can_be_emptied),
    };

    return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
