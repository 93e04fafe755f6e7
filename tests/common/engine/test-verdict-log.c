/* SPDX-License-Identifier: MIT */
/* The line of a verdict, which tests and people's scripts read, and the ring of recent ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/engine/verdict-log.h"
#include "tests/common/engine/fake-clock.h"

static struct cvg_question question_of(const char *host)
{
    struct cvg_question question = {.host_found = CVG_FOUND_SNI,
                                    .port = {443, 8443},
                                    .port_count = 2,
                                    .port_found = CVG_FOUND_COUNTERS,
                                    .pki = CVG_PKI_TRUST_ERROR};

    strcpy(question.host, host);
    strcpy(question.program, "my prog=1,2");
    return question;
}

static void line_of_a_vote(void **state)
{
    struct cvg_question question = question_of("site.example");
    struct cvg_answer answer = {
        .verdict = CVG_VERDICT_DISAGREE,
        .action = CVG_ACTION_REFUSE,
        .reason = CVG_REASON_VOTE,
        .port = 8443,
        .elapsed_ms = 12,
        .vote = {{.notary = "alpha", .kind = CVG_VOTE_YES, .elapsed_ms = 11},
                 {.notary = "be ta",
                  .kind = CVG_VOTE_SILENT,
                  .error = CVG_ERR_TIMEOUT,
                  .elapsed_ms = 2000,
                  .bounced = true}},
        .vote_count = 2};
    char line[CVG_VERDICT_LINE_MAX];

    (void)state;
    assert_string_equal(
        cvg_verdict_line(&question, &answer, 1000, 77, 1700000000, line, sizeof line),
        "verdict=disagree action=refuse reason=vote host=site.example port=8443 ports=443,8443 "
        "found=sni/counters program=my_prog_1_2 pid=77 uid=1000 pki=trust-error ms=12 "
        "votes=alpha:yes:11ms,be_ta:silent(timeout):2000ms bounced=yes time=1700000000");
}

static void line_with_what_verifiers_say(void **state)
{
    struct cvg_question question = question_of("site.example");
    struct cvg_answer answer = {
        .verdict = CVG_VERDICT_AGREE,
        .action = CVG_ACTION_ACCEPT,
        .reason = CVG_REASON_VOTE,
        .vote = {{.notary = "alpha",
                  .kind = CVG_VOTE_YES,
                  .elapsed_ms = 11,
                  .said = {CVG_SAID_YES, CVG_SAID_NOTHING, CVG_SAID_NO}},
                 {.notary = "beta",
                  .kind = CVG_VOTE_YES,
                  .elapsed_ms = 12,
                  .said = {CVG_SAID_NOTHING, CVG_SAID_ASIDE, CVG_SAID_NOTHING}}},
        .vote_count = 2};
    char line[CVG_VERDICT_LINE_MAX];

    (void)state;
    cvg_verdict_line(&question, &answer, 1000, 77, 1700000000, line, sizeof line);
    assert_non_null(
        strstr(line, " votes=alpha:yes(dane-yes;pins-no):11ms,beta:yes(ct-aside):12ms bounced="));
}

static void line_without_anything(void **state)
{
    struct cvg_question question = {0};
    struct cvg_answer answer = {.verdict = CVG_VERDICT_EXEMPT,
                                .action = CVG_ACTION_UNCHANGED,
                                .reason = CVG_REASON_NOT_APPLICABLE};
    char line[CVG_VERDICT_LINE_MAX];

    (void)state;
    assert_string_equal(cvg_verdict_line(&question, &answer, 0, 1, 5, line, sizeof line),
                        "verdict=exempt action=unchanged reason=not-applicable host=- port=- "
                        "ports=- found=none/none program=- pid=1 uid=0 pki=unknown ms=0 votes=- "
                        "bounced=no time=5");
}

static void longest_line_fits(void **state)
{
    struct cvg_question question = {.port_count = CVG_MESSAGE_PORTS_MAX};
    struct cvg_answer answer = {.vote_count = CVG_MESSAGE_VOTES_MAX, .elapsed_ms = UINT32_MAX};
    char line[CVG_VERDICT_LINE_MAX];

    (void)state;
    memset(question.host, 'a', sizeof question.host - 1);
    memset(question.program, 'p', sizeof question.program - 1);
    for (size_t i = 0; i < CVG_MESSAGE_PORTS_MAX; i++)
        question.port[i] = 65535;
    for (size_t i = 0; i < CVG_MESSAGE_VOTES_MAX; i++) {
        memset(answer.vote[i].notary, 'n', sizeof answer.vote[i].notary - 1);
        answer.vote[i].elapsed_ms = UINT32_MAX;
        answer.vote[i].error = CVG_ERR_UNREACHABLE;
    }
    cvg_verdict_line(&question, &answer, UINT32_MAX, INT32_MAX, INT64_MAX, line, sizeof line);
    assert_non_null(strstr(line, " time=9223372036854775807"));
}

static void ring_keeps_the_newest(void **state)
{
    struct cvg_answer answer = {.verdict = CVG_VERDICT_AGREE, .reason = CVG_REASON_CACHE};
    char path[] = "/tmp/converge-log-XXXXXX", host[32];
    struct cvg_verdict_log *log = NULL;
    struct fake_clock clock;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    fake_clock_init(&clock);
    assert_int_equal(cvg_verdict_log_new(path, &clock.clock, &log, NULL), CVG_OK);
    assert_null(cvg_verdict_log_recent(log, 0));
    for (unsigned i = 0; i < CVG_RECENT_MAX + 10; i++) {
        struct cvg_question question;

        snprintf(host, sizeof host, "h%u.example", i);
        question = question_of(host);
        assert_string_equal(cvg_verdict_log_note(log, &question, &answer, 5, 6)->host, host);
    }
    assert_string_equal(cvg_verdict_log_recent(log, 0)->host, host);
    assert_int_equal(cvg_verdict_log_recent(log, 0)->port, 443);
    assert_string_equal(cvg_verdict_log_recent(log, CVG_RECENT_MAX - 1)->host, "h10.example");
    assert_null(cvg_verdict_log_recent(log, CVG_RECENT_MAX));
    cvg_verdict_log_free(log);
    close(fd);
    unlink(path);
}

static void log_that_cannot_be_opened(void **state)
{
    struct cvg_verdict_log *log = NULL;
    struct fake_clock clock;
    struct cvg_why why = {""};

    (void)state;
    fake_clock_init(&clock);
    assert_int_equal(cvg_verdict_log_new("/nonexistent/log", &clock.clock, &log, &why), CVG_ERR_IO);
    assert_non_null(strstr(why.text, "/nonexistent/log"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_of_a_vote),        cmocka_unit_test(line_with_what_verifiers_say),
        cmocka_unit_test(line_without_anything), cmocka_unit_test(longest_line_fits),
        cmocka_unit_test(ring_keeps_the_newest), cmocka_unit_test(log_that_cannot_be_opened),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
