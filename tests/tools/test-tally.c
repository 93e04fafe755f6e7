/* SPDX-License-Identifier: MIT */
/* What a mode would have done with what was logged: what counts as refused, by host, and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tools/tally.h"

static struct cvg_tally tally;

static int begin(void **state)
{
    (void)state;
    cvg_tally_init(&tally, CVG_MODE_AUGMENT, CVG_UNREACHABLE_DENY);
    return 0;
}

static int end(void **state)
{
    (void)state;
    cvg_tally_free(&tally);
    return 0;
}

/* time, host, verdict, reason, pki, program, sha256 */
static void add(int64_t time_s, const char *host, enum cvg_verdict verdict, const char *reason,
                enum cvg_pki pki, const char *program, const char *sha256)
{
    struct cvg_entry entry = {.time_s = time_s,
                              .host = host,
                              .port = 443,
                              .sha256 = sha256,
                              .verdict = verdict,
                              .pki = pki,
                              .reason = reason,
                              .text = "",
                              .program = program};

    assert_true(cvg_tally_add(&tally, &entry));
}

static void agreed(const char *host, const char *sha256)
{
    add(50, host, CVG_VERDICT_AGREE, "vote", CVG_PKI_OK, "curl", sha256);
}

static void denied(const char *host, const char *sha256)
{
    add(60, host, CVG_VERDICT_DISAGREE, "vote", CVG_PKI_OK, "curl", sha256);
}

static void undecided(const char *host, const char *reason)
{
    add(70, host, CVG_VERDICT_UNDECIDED, reason, CVG_PKI_OK, "curl", "AA");
}

static void nothing_logged(void **state)
{
    (void)state;
    cvg_tally_sort(&tally);
    assert_int_equal(tally.checks + tally.refused + tally.hosts, 0);
}

static void what_pki_refused_is_not_ours(void **state)
{
    (void)state;
    add(1, "a.example", CVG_VERDICT_DISAGREE, "vote", CVG_PKI_TRUST_ERROR, "curl", "AA");
    add(1, "a.example", CVG_VERDICT_DISAGREE, "vote", CVG_PKI_OTHER_ERROR, "curl", "AA");
    add(1, "a.example", CVG_VERDICT_UNDECIDED, "pki-failed", CVG_PKI_UNKNOWN, "curl", "AA");
    add(1, "a.example", CVG_VERDICT_EXEMPT, "exempt-name", CVG_PKI_OK, "curl", "AA");
    agreed("a.example", "AA");
    assert_int_equal(tally.checks, 5);
    assert_int_equal(tally.refused, 0);
}

static void an_unknown_word_is_no_agreement(void **state)
{
    (void)state;
    add(1, "a.example", CVG_VERDICT_NONE, "later-word", CVG_PKI_OK, "curl", "AA");
    assert_int_equal(tally.refused, 1);
}

static void on_unreachable_counts(void **state)
{
    (void)state;
    tally.on_unreachable = CVG_UNREACHABLE_ALLOW;
    undecided("a.example", "unreachable");
    assert_int_equal(tally.refused, 0);
    tally.on_unreachable = CVG_UNREACHABLE_KNOWN;
    undecided("a.example", "known-key");
    assert_int_equal(tally.refused, 0);
    undecided("a.example", "unreachable");
    assert_int_equal(tally.refused, 1);
}

static void replace_accepts_more(void **state)
{
    (void)state;
    tally.mode = CVG_MODE_REPLACE;
    add(1, "a.example", CVG_VERDICT_AGREE, "vote", CVG_PKI_TRUST_ERROR, "curl", "AA");
    denied("b.example", "BB");
    assert_int_equal(tally.accepted_over_pki, 1);
    assert_int_equal(tally.refused, 1);
}

static void times_and_programs(void **state)
{
    char name[16];

    (void)state;
    add(20, "a.example", CVG_VERDICT_DISAGREE, "vote", CVG_PKI_OK, "curl", "AA");
    add(10, "a.example", CVG_VERDICT_DISAGREE, "vote", CVG_PKI_OK, "curl", "AA");
    add(30, "a.example", CVG_VERDICT_UNDECIDED, "deadline", CVG_PKI_OK, "wget", "AA");
    cvg_tally_sort(&tally);
    assert_int_equal(tally.host[0].first_s, 10);
    assert_int_equal(tally.host[0].last_s, 30);
    assert_string_equal(tally.host[0].reason, "deadline");
    assert_int_equal(tally.host[0].programs, 2);
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "p%d", i);
        add(40, "b.example", CVG_VERDICT_DISAGREE, "vote", CVG_PKI_OK, name, "AA");
    }
    cvg_tally_sort(&tally);
    assert_string_equal(tally.host[0].host, "b.example");
    assert_int_equal(tally.host[0].programs, CVG_TALLY_PROGRAMS + 1);
    assert_string_equal(tally.host[0].program[CVG_TALLY_PROGRAMS - 1], "p7");
}

static enum cvg_cause cause_of(const char *host)
{
    for (size_t i = 0; i < tally.hosts; i++)
        if (strcmp(tally.host[i].host, host) == 0)
            return cvg_tally_cause(&tally.host[i]);
    fail_msg("%s is not there", host);
    return CVG_CAUSE_OTHER;
}

static void causes(void **state)
{
    (void)state;
    denied("disagree", "AA");
    denied("attacked", "AA");
    undecided("attacked", "captive-portal");
    agreed("many", "AA");
    denied("many", "BB");
    agreed("many", "BB");
    agreed("for-a-while", "AA");
    denied("for-a-while", "BB");
    agreed("for-a-while", "AA");
    agreed("both", "AA");
    agreed("both", "BB");
    denied("both", "AA");
    denied("both", "CC");
    agreed("unnamed", "AA");
    agreed("unnamed", "BB");
    denied("unnamed", "");
    agreed("same", "AA");
    denied("same", "AA");
    undecided("silent", "unreachable");
    undecided("late", "deadline");
    undecided("portal", "captive-portal");
    undecided("none", "no-notaries");
    undecided("budget", "budget");
    undecided("broken", "internal");
    assert_int_equal(cause_of("disagree"), CVG_CAUSE_DISAGREE);
    assert_int_equal(cause_of("attacked"), CVG_CAUSE_DISAGREE);
    assert_int_equal(cause_of("many"), CVG_CAUSE_MANY);
    assert_int_equal(cause_of("for-a-while"), CVG_CAUSE_DISAGREE);
    assert_int_equal(cause_of("both"), CVG_CAUSE_DISAGREE);
    assert_int_equal(cause_of("unnamed"), CVG_CAUSE_DISAGREE);
    assert_int_equal(cause_of("same"), CVG_CAUSE_DISAGREE);
    assert_int_equal(cause_of("silent"), CVG_CAUSE_UNREACHABLE);
    assert_int_equal(cause_of("late"), CVG_CAUSE_UNREACHABLE);
    assert_int_equal(cause_of("portal"), CVG_CAUSE_PORTAL);
    assert_int_equal(cause_of("none"), CVG_CAUSE_NO_NOTARIES);
    assert_int_equal(cause_of("budget"), CVG_CAUSE_BUDGET);
    assert_int_equal(cause_of("broken"), CVG_CAUSE_OTHER);
}

/* More certificates than are told apart: what was denied is not taken for one of them. */
static void a_site_with_too_many_certificates(void **state)
{
    char name[16];

    (void)state;
    for (int i = 0; i < CVG_TALLY_CERTS; i++) {
        snprintf(name, sizeof name, "%02X", i);
        agreed("cloud", name);
        denied("cloud", name);
    }
    assert_int_equal(cause_of("cloud"), CVG_CAUSE_MANY);
    agreed("cloud", "FE");
    assert_int_equal(cause_of("cloud"), CVG_CAUSE_MANY);
    denied("cloud", "FF");
    assert_int_equal(cause_of("cloud"), CVG_CAUSE_DISAGREE);
}

static void a_hundred_thousand_entries(void **state)
{
    char name[32];

    (void)state;
    for (int i = 0; i < 100000; i++) {
        snprintf(name, sizeof name, "h%d.example", i % 5000);
        if (i % 5000 < 1000)
            denied(name, "AA");
        else
            agreed(name, "AA");
    }
    cvg_tally_sort(&tally);
    assert_int_equal(tally.checks, 100000);
    assert_int_equal(tally.hosts, 5000);
    assert_int_equal(tally.refused_hosts, 1000);
    assert_int_equal(tally.refused, 20000);
    assert_int_equal(tally.host[999].refused, 20);
    assert_int_equal(tally.host[1000].refused, 0);
}

#define TALLY_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

/* Enabling and looking after it must not make an unused machine look tried. */
static void the_canary_is_nobodys_use(void **state)
{
    (void)state;
    add(50, "canary.converge.example", CVG_VERDICT_EXEMPT, "exempt-name", CVG_PKI_OK, "converge",
        "AA");
    assert_int_equal(tally.checks, 0);
    assert_int_equal(tally.hosts, 0);
    agreed("site.example", "AA");
    assert_int_equal(tally.checks, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TALLY_TEST(nothing_logged),
        TALLY_TEST(what_pki_refused_is_not_ours),
        TALLY_TEST(an_unknown_word_is_no_agreement),
        TALLY_TEST(on_unreachable_counts),
        TALLY_TEST(replace_accepts_more),
        TALLY_TEST(times_and_programs),
        TALLY_TEST(causes),
        TALLY_TEST(a_site_with_too_many_certificates),
        TALLY_TEST(a_hundred_thousand_entries),
        TALLY_TEST(the_canary_is_nobodys_use),
    };

    return cmocka_run_group_tests_name("tally", tests, NULL, NULL);
}
