/* SPDX-License-Identifier: MIT */
/* What agents say, honest and spoilt in every way we know. The invariant: only an honest answer
 * accepts, and only as far as the mode goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>

#include "common/base/clock.h"
#include "tests/common/client/asking.h"

static void honest_answers_are_obeyed(void **state)
{
    struct fake fake;

    (void)state;
    start(&fake, FAKE_SAYS_ACCEPT);
    configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_DENY);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_OK), CVG_ACTION_ACCEPT);
    assert_int_equal(answer.verdict, CVG_VERDICT_AGREE);
    assert_int_equal(answer.reason, CVG_REASON_VOTE);
    assert_int_equal(answer.port, 443);
    assert_int_equal(answer.vote_count, 1);
    assert_string_equal(answer.vote[0].notary, "alpha");
    assert_string_equal(answer.text, "as the fake agent says");
    configure(CVG_MODE_REPLACE, CVG_UNREACHABLE_DENY);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_OK), CVG_ACTION_ACCEPT);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_TRUST_ERROR), CVG_ACTION_ACCEPT);
    fake_stop(&fake);
}

static void a_refusal_is_obeyed_in_every_mode_that_waits(void **state)
{
    struct fake fake;

    (void)state;
    start(&fake, FAKE_SAYS_REFUSE);
    configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_ALLOW);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_OK), CVG_ACTION_REFUSE);
    assert_int_equal(answer.verdict, CVG_VERDICT_DISAGREE);
    configure(CVG_MODE_REPLACE, CVG_UNREACHABLE_ALLOW);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_OK), CVG_ACTION_REFUSE);
    fake_stop(&fake);
}

static void an_exemption_leaves_everything_as_it_is(void **state)
{
    struct fake fake;

    (void)state;
    start(&fake, FAKE_SAYS_UNCHANGED);
    configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_DENY);
    for (size_t p = 0; p < 4; p++)
        assert_int_equal(ask_as(&fake.paths, all_pki[p]), CVG_ACTION_UNCHANGED);
    fake_stop(&fake);
}

/* PKI said no for its own reasons, or in `augment` mode at all: no agent can turn that around. */
static void an_acceptance_beyond_the_mode_is_not_obeyed(void **state)
{
    struct fake fake;

    (void)state;
    start(&fake, FAKE_SAYS_ACCEPT);
    configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_DENY);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_TRUST_ERROR), CVG_ACTION_REFUSE);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_OTHER_ERROR), CVG_ACTION_UNCHANGED);
    configure(CVG_MODE_REPLACE, CVG_UNREACHABLE_DENY);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_OTHER_ERROR), CVG_ACTION_UNCHANGED);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_UNKNOWN), CVG_ACTION_UNCHANGED);
    fake_stop(&fake);
}

/* A newer agent may append fields, and give reasons that are not known here. */
static void newer_answers_are_obeyed(void **state)
{
    static const enum fake_kind kinds[] = {FAKE_LONG, FAKE_UNKNOWN_REASON};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct fake fake;

        scratch_make(state);
        start(&fake, kinds[i]);
        configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_DENY);
        assert_int_equal(ask_as(&fake.paths, CVG_PKI_OK), CVG_ACTION_ACCEPT);
        assert_int_equal(answer.verdict, CVG_VERDICT_AGREE);
        fake_stop(&fake);
        scratch_remove(state);
    }
}

/* An older agent takes no fields that were appended since; its answer is one like any other. */
static void an_older_agent_is_asked_as_it_understands(void **state)
{
    struct fake fake;

    (void)state;
    start(&fake, FAKE_FIRST_RELEASE);
    configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_DENY);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_OK), CVG_ACTION_ACCEPT);
    assert_int_equal(answer.verdict, CVG_VERDICT_AGREE);
    assert_int_equal(fake_heard(&fake, 0), 'q');
    assert_int_equal(fake_heard(&fake, 0), 'q');
    assert_int_equal(fake_heard(&fake, 0), 0);
    fake_stop(&fake);
}

static void an_agent_that_understands_nothing_is_asked_twice(void **state)
{
    struct fake fake;

    (void)state;
    start(&fake, FAKE_UNDERSTANDS_NOTHING);
    configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_ALLOW);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_OK), CVG_ACTION_REFUSE);
    assert_int_equal(answer.reason, CVG_REASON_BAD_QUESTION);
    assert_int_equal(fake_heard(&fake, 0), 'q');
    assert_int_equal(fake_heard(&fake, 0), 'q');
    assert_int_equal(fake_heard(&fake, 0), 0);
    fake_stop(&fake);
}

/* Answers that are no answers. */
static void spoilt_answers_never_accept(void **state)
{
    static const enum fake_kind kinds[] = {
        FAKE_WRONG_ID,
        FAKE_SHORT,
        FAKE_OVERSIZED,
        FAKE_UNKNOWN_VERDICT,
        FAKE_UNKNOWN_ACTION,
        FAKE_OTHER_VERSION,
        FAKE_OTHER_TYPE,
        FAKE_EMPTY,
        FAKE_GARBAGE,
        FAKE_ECHOES,
        FAKE_CLOSES_AFTER_QUESTION,
        FAKE_CLOSES_AT_ONCE,
    };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct fake fake;

        scratch_make(state);
        print_message("# fake agent of kind %d\n", (int)kinds[i]);
        start(&fake, kinds[i]);
        assert_not_accepted(&fake.paths, CVG_REASON_NO_AGENT);
        fake_stop(&fake);
        scratch_remove(state);
    }
}

/* Well-formed answers whose action cannot follow from their verdict. */
static void contradictions_never_accept(void **state)
{
    static const enum fake_kind kinds[] = {
        FAKE_NO_VERDICT,
        FAKE_NO_ACTION,
        FAKE_DISAGREES_BUT_ACCEPTS,
        FAKE_UNDECIDED_BUT_ACCEPTS,
        FAKE_DISAGREES_BUT_UNCHANGED,
        FAKE_UNDECIDED_BUT_UNCHANGED,
        FAKE_NOTHING_DECIDED_BUT_ACCEPTS,
        FAKE_AGREES_WITHOUT_ACTION,
        FAKE_AGREES_BUT_UNCHANGED,
    };
    struct fake fake;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        scratch_make(state);
        print_message("# fake agent of kind %d\n", (int)kinds[i]);
        start(&fake, kinds[i]);
        assert_not_accepted(&fake.paths, CVG_REASON_NONE);
        fake_stop(&fake);
        scratch_remove(state);
    }
    scratch_make(state);
    start(&fake, FAKE_EXEMPT_BUT_ACCEPTS);
    configure(CVG_MODE_REPLACE, CVG_UNREACHABLE_DENY);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_TRUST_ERROR), CVG_ACTION_UNCHANGED);
    fake_stop(&fake);
    scratch_remove(state);
}

static void an_undecided_acceptance_is_obeyed_where_the_policy_allows_it(void **state)
{
    struct fake fake;

    (void)state;
    start(&fake, FAKE_UNDECIDED_BUT_ACCEPTS);
    configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_KNOWN);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_OK), CVG_ACTION_ACCEPT);
    configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_ALLOW);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_OK), CVG_ACTION_ACCEPT);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_TRUST_ERROR), CVG_ACTION_REFUSE);
    fake_stop(&fake);
}

static void a_late_agent_meets_the_deadline(void **state)
{
    struct fake fake;

    (void)state;
    start(&fake, FAKE_SILENT);
    assert_not_accepted(&fake.paths, CVG_REASON_DEADLINE);
    assert_in_range(answer.elapsed_ms, DEADLINE_MS - 1, DEADLINE_MS + SLACK_MS);
    fake_stop(&fake);
}

/* A stopped process's backlog still takes connections. */
static void a_stopped_agent_meets_the_deadline(void **state)
{
    struct fake fake;

    (void)state;
    start(&fake, FAKE_SAYS_ACCEPT);
    scratch_need(kill(fake.pid, SIGSTOP) == 0, "kill");
    assert_not_accepted(&fake.paths, CVG_REASON_DEADLINE);
    fake_stop(&fake);
}

static void monitor_sends_and_does_not_wait(void **state)
{
    const struct cvg_clock *clock = cvg_clock_system();
    struct fake fake;
    uint64_t before;

    (void)state;
    start(&fake, FAKE_SILENT);
    configure(CVG_MODE_MONITOR, CVG_UNREACHABLE_DENY);
    config.deadline_ms = 60000;
    before = cvg_clock_ms(clock);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_OK), CVG_ACTION_ACCEPT);
    assert_int_equal(fake_heard(&fake, 2000), 'q');
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_TRUST_ERROR), CVG_ACTION_UNCHANGED);
    assert_int_equal(fake_heard(&fake, 2000), 'q');
    assert_true(cvg_clock_ms(clock) - before < SLACK_MS);
    fake_stop(&fake);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_OK), CVG_ACTION_ACCEPT);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_OTHER_ERROR), CVG_ACTION_UNCHANGED);
}

static void a_certificate_at_the_limit_and_over_it(void **state)
{
    struct cvg_question q = question(CVG_PKI_OK);
    struct fake fake;

    (void)state;
    start(&fake, FAKE_SAYS_ACCEPT);
    configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_DENY);
    q.leaf_len = CVG_MESSAGE_LEAF_MAX;
    ask_question(&fake.paths, &q, &answer);
    assert_int_equal(answer.action, CVG_ACTION_ACCEPT);
    q.leaf_len = CVG_MESSAGE_LEAF_MAX + 1;
    ask_question(&fake.paths, &q, &answer);
    assert_int_equal(answer.action, CVG_ACTION_REFUSE);
    assert_int_equal(answer.reason, CVG_REASON_BAD_QUESTION);
    fake_stop(&fake);
}

static void each_question_has_an_id_of_its_own(void **state)
{
    struct cvg_question a = question(CVG_PKI_OK), b = question(CVG_PKI_OK);
    struct fake fake;

    (void)state;
    start(&fake, FAKE_SAYS_ACCEPT);
    configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_DENY);
    ask_question(&fake.paths, &a, &answer);
    assert_in_range(a.timeout_ms, 1, DEADLINE_MS);
    ask_question(&fake.paths, &b, &answer);
    assert_true(a.id != b.id);
    fake_stop(&fake);
}

#define SCRATCH_TEST(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(honest_answers_are_obeyed),
        SCRATCH_TEST(a_refusal_is_obeyed_in_every_mode_that_waits),
        SCRATCH_TEST(an_exemption_leaves_everything_as_it_is),
        SCRATCH_TEST(an_acceptance_beyond_the_mode_is_not_obeyed),
        cmocka_unit_test(newer_answers_are_obeyed),
        SCRATCH_TEST(an_older_agent_is_asked_as_it_understands),
        SCRATCH_TEST(an_agent_that_understands_nothing_is_asked_twice),
        cmocka_unit_test(spoilt_answers_never_accept),
        cmocka_unit_test(contradictions_never_accept),
        SCRATCH_TEST(an_undecided_acceptance_is_obeyed_where_the_policy_allows_it),
        SCRATCH_TEST(a_late_agent_meets_the_deadline),
        SCRATCH_TEST(a_stopped_agent_meets_the_deadline),
        SCRATCH_TEST(monitor_sends_and_does_not_wait),
        SCRATCH_TEST(a_certificate_at_the_limit_and_over_it),
        SCRATCH_TEST(each_question_has_an_id_of_its_own),
    };

    return cmocka_run_group_tests_name("answers", tests, NULL, NULL);
}
