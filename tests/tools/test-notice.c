/* SPDX-License-Identifier: MIT */
/* Which verdicts become notifications, how often, and what is left of hostile names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tools/notice.h"

static struct cvg_notices notices;
static struct cvg_notice notice;

static int begin(void **state)
{
    (void)state;
    memset(&notices, 0, sizeof notices);
    return 0;
}

static bool due(const char *host, enum cvg_action action, const char *reason, uint64_t now_ms)
{
    const struct cvg_entry entry = {.host = host,
                                    .action = action,
                                    .verdict = CVG_VERDICT_DISAGREE,
                                    .reason = reason,
                                    .text = "<b>0 yes & 2 no</b>",
                                    .program = "\"curl'\x1b\xff"};

    return cvg_notice_due(&notices, &entry, now_ms, &notice);
}

static void one_for_each_host_and_minute(void **state)
{
    (void)state;
    assert_true(due("a", CVG_ACTION_REFUSE, "vote", 5));
    assert_false(due("a", CVG_ACTION_REFUSE, "vote", 5));
    assert_true(due("b", CVG_ACTION_REFUSE, "vote", 6));
    assert_false(due("a", CVG_ACTION_REFUSE, "vote", 60004));
    assert_true(due("a", CVG_ACTION_REFUSE, "vote", 60005));
    assert_false(due("b", CVG_ACTION_REFUSE, "vote", 60005));
}

static void only_what_is_refused(void **state)
{
    (void)state;
    assert_false(due("a", CVG_ACTION_ACCEPT, "vote", 5));
    assert_false(due("a", CVG_ACTION_UNCHANGED, "vote", 5));
    assert_false(due("a", CVG_ACTION_NONE, "vote", 5));
}

static void many_hosts_are_bounded(void **state)
{
    unsigned told = 0;
    char host[32];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        snprintf(host, sizeof host, "h%d", i);
        told += due(host, CVG_ACTION_REFUSE, "vote", 1000);
    }
    assert_int_equal(told, CVG_NOTICE_HOSTS);
    assert_true(due("another", CVG_ACTION_REFUSE, "vote", 61000));
}

static void a_portal_is_told_once(void **state)
{
    (void)state;
    assert_true(due("a", CVG_ACTION_REFUSE, "captive-portal", 5));
    assert_non_null(strstr(notice.summary, "log in"));
    assert_false(due("b", CVG_ACTION_REFUSE, "captive-portal", 6));
    assert_false(due("b", CVG_ACTION_ACCEPT, "cache", 6));
    assert_false(due("b", CVG_ACTION_REFUSE, "captive-portal", 600000));
    assert_false(due("b", CVG_ACTION_ACCEPT, "vote", 600001));
    assert_true(due("b", CVG_ACTION_ACCEPT, "captive-portal", 600002));
}

static void what_comes_from_outside_is_escaped(void **state)
{
    (void)state;
    assert_true(due("a<i>\n\xc3\xa4", CVG_ACTION_REFUSE, "vote", 5));
    assert_string_equal(notice.summary, "Refused: a<i>???"); /* a summary has no markup */
    assert_string_equal(
        notice.body, "&quot;curl&apos;?? was not connected: &lt;b&gt;0 yes &amp; 2 no&lt;/b&gt;. "
                     "See: converge why HOST"); /* nothing of that is typed into a shell */
    assert_true(due("shop.example", CVG_ACTION_REFUSE, "vote", 5));
    assert_non_null(strstr(notice.body, "See: converge why shop.example"));
    assert_true(due("--help", CVG_ACTION_REFUSE, "vote", 5));
    assert_non_null(strstr(notice.body, "See: converge why HOST"));
}

static void no_entity_is_cut(void **state)
{
    char text[2000];
    struct cvg_entry entry = {.host = "a", .action = CVG_ACTION_REFUSE, .reason = "vote"};

    (void)state;
    for (size_t len = 480; len < 520; len++) {
        memset(text, 'x', len);
        strcpy(text + len, "&&&&&&&&");
        entry.text = text;
        entry.program = text;
        memset(&notices, 0, sizeof notices);
        assert_true(cvg_notice_due(&notices, &entry, 1, &notice));
        for (const char *at = strchr(notice.body, '&'); at != NULL; at = strchr(at + 1, '&'))
            assert_memory_equal(at, "&amp;", 5);
    }
}

#define NOTICE_TEST(test) cmocka_unit_test_setup(test, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NOTICE_TEST(one_for_each_host_and_minute),
        NOTICE_TEST(only_what_is_refused),
        NOTICE_TEST(many_hosts_are_bounded),
        NOTICE_TEST(a_portal_is_told_once),
        NOTICE_TEST(what_comes_from_outside_is_escaped),
        NOTICE_TEST(no_entity_is_cut),
    };

    return cmocka_run_group_tests_name("notice", tests, NULL, NULL);
}
