/* SPDX-License-Identifier: MIT */
/* What converge() and converge_check() return for each answer of an agent, and for faults: only an
 * accepting answer, or PKI's own word where nobody is asked, is X509_V_OK. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/clock.h"
#include "common/libconverge/converge.h"
#include "tests/common/libconverge/installation.h"

#define SHA1   "AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD"
#define SHA256 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

/* Verdict, action, reason as the fake agent takes them. */
#define AGREE     "59 41 1"
#define DISAGREE  "4e 52 1"
#define UNDECIDED "55 52 3"
#define ALLOWED   "55 41 3"
#define EXEMPT    "45 2d 6"
#define PKI_STAYS "59 2d 5"

static int ask_with_pki(int pki)
{
    converge_options *options = converge_options_new();
    int value;

    assert_non_null(options);
    assert_int_equal(converge_options_set_pki_result(options, pki), 0);
    value = converge_check("site.converge.example", 443, SHA1, options, NULL);
    converge_options_free(options);
    return value;
}

static void each_verdict_has_its_value(void **state)
{
    (void)state;
    write_in("answer", AGREE);
    assert_int_equal(converge("site.converge.example", 443, SHA1), 0);
    write_in("answer", DISAGREE);
    assert_int_equal(converge("site.converge.example", 443, SHA1), 28);
    write_in("answer", UNDECIDED);
    assert_int_equal(converge("site.converge.example", 443, SHA1), 50);
}

static void undecided_is_accepted_only_where_the_configuration_says_so(void **state)
{
    (void)state;
    write_in("answer", ALLOWED);
    assert_int_equal(converge("site.converge.example", 443, SHA1), 50);
    write_in("converge.conf", "on_unreachable = allow\n");
    assert_int_equal(converge("site.converge.example", 443, SHA1), 0);
}

static void an_exempt_endpoint_is_nobodys_good_word(void **state)
{
    (void)state;
    write_in("answer", EXEMPT);
    assert_int_equal(converge("site.converge.example", 443, SHA1), 50);
    assert_int_equal(ask_with_pki(0), 0);
    assert_int_equal(ask_with_pki(20), 20);
}

static void pki_keeps_its_say(void **state)
{
    (void)state;
    write_in("answer", PKI_STAYS);
    assert_int_equal(ask_with_pki(62), 62);
    write_in("answer", "59 52 5");
    assert_int_equal(ask_with_pki(20), 20);
    write_in("answer", DISAGREE);
    assert_int_equal(ask_with_pki(20), 28);
    write_in("answer", AGREE);
    assert_int_equal(ask_with_pki(20), 20);
    write_in("converge.conf", "mode = replace\n");
    assert_int_equal(ask_with_pki(20), 0);
    assert_int_equal(ask_with_pki(62), 62);
}

static void the_pki_result_reaches_the_agent(void **state)
{
    (void)state;
    write_in("answer", AGREE);
    ask_with_pki(0);
    assert_non_null(strstr(read_in("questions"), "pki=1 pki_error=0"));
    ask_with_pki(19);
    assert_non_null(strstr(read_in("questions"), "pki=2 pki_error=19"));
    ask_with_pki(62);
    assert_non_null(strstr(read_in("questions"), "pki=3 pki_error=62"));
}

static void what_an_agent_may_not_say_is_not_trusted(void **state)
{
    static const char *const answers[] = {"00 41 1", "01 41 1", "4e 41 1",
                                          "55 41 1", "59 01 1", "59 41 63"};

    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        write_in("answer", answers[i]);
        assert_int_not_equal(converge("site.converge.example", 443, SHA1), 0);
    }
}

static void malformed_input_asks_nobody(void **state)
{
    (void)state;
    write_in("answer", AGREE);
    assert_int_equal(converge(NULL, 443, SHA1), 1);
    assert_int_equal(converge("", 443, SHA1), 1);
    assert_int_equal(converge("a..b", 443, SHA1), 1);
    assert_int_equal(converge("a/b", 443, SHA1), 1);
    assert_int_equal(converge("site.converge.example", 0, SHA1), 1);
    assert_int_equal(converge("site.converge.example", -1, SHA1), 1);
    assert_int_equal(converge("site.converge.example", 65536, SHA1), 1);
    assert_int_equal(converge("site.converge.example", 443, NULL), 1);
    assert_int_equal(converge("site.converge.example", 443, ""), 1);
    assert_int_equal(converge("site.converge.example", 443, "AA:BB"), 1);
    assert_int_equal(converge("site.converge.example", 443, SHA1 "0"), 1);
    assert_string_equal(read_in("questions"), "");
}

static void both_fingerprints_with_and_without_colons(void **state)
{
    (void)state;
    write_in("answer", AGREE);
    assert_int_equal(converge("site.converge.example", 443, SHA1), 0);
    assert_non_null(strstr(read_in("questions"), "fingerprint=" SHA1 " "));
    assert_int_equal(converge("site.converge.example", 443, SHA256), 0);
    assert_non_null(strstr(read_in("questions"), "fingerprint=00:01:02:03"));
}

static void names_in_utf8_become_a_labels(void **state)
{
    (void)state;
    write_in("answer", AGREE);
    assert_int_equal(converge("B\xc3\xbc"
                              "cher.converge.example",
                              8443, SHA1),
                     0);
    assert_non_null(strstr(read_in("questions"), "host=xn--bcher-kva.converge.example port=8443"));
    assert_int_equal(converge("a\xff", 443, SHA1), 1);
    assert_int_equal(converge("\xe2\x80\xae.example", 443, SHA1), 1);
}

static void a_certificate_goes_whole(void **state)
{
    converge_options *options = converge_options_new();
    unsigned char der[300] = {0x30};

    (void)state;
    write_in("answer", AGREE);
    assert_int_equal(converge_options_set_certificate(options, der, 0), -1);
    assert_int_equal(converge_options_set_certificate(options, NULL, 3), -1);
    assert_int_equal(converge_options_set_certificate(options, der, 65537), -1);
    assert_int_equal(converge_options_set_certificate(options, der, sizeof der), 0);
    assert_int_equal(converge_check("site.converge.example", 443, NULL, options, NULL), 0);
    assert_non_null(strstr(read_in("questions"), "leaf=300 fingerprint= "));
    converge_options_free(options);
}

static void the_result_says_who_said_what(void **state)
{
    converge_result *result = NULL;

    (void)state;
    write_in("answer", "4e 52 1 alpha=yes beta=no gamma=silent delta=aside");
    assert_int_equal(converge_check("site.converge.example", 443, SHA1, NULL, &result), 28);
    assert_string_equal(converge_result_verdict(result), "disagree");
    assert_string_equal(converge_result_action(result), "refuse");
    assert_string_equal(converge_result_reason(result), "vote");
    assert_string_equal(converge_result_text(result), "the fake agent says so");
    assert_int_equal(converge_result_elapsed_ms(result), 7);
    assert_int_equal(converge_result_vote_count(result), 4);
    assert_string_equal(converge_result_vote_notary(result, 0), "alpha");
    assert_string_equal(converge_result_vote_answer(result, 0), "yes");
    assert_int_equal(converge_result_vote_elapsed_ms(result, 0), 11);
    assert_string_equal(converge_result_vote_answer(result, 1), "no");
    assert_string_equal(converge_result_vote_answer(result, 2), "silent");
    assert_string_equal(converge_result_vote_answer(result, 3), "aside");
    assert_string_equal(converge_result_vote_error(result, 0), "");
    assert_string_equal(converge_result_vote_error(result, 2), "timeout");
    assert_int_equal(converge_result_vote_bounced(result, 0), 0);
    assert_null(converge_result_vote_error(result, 4));
    assert_null(converge_result_vote_notary(result, 4));
    assert_null(converge_result_vote_answer(result, 4));
    assert_int_equal(converge_result_vote_elapsed_ms(result, 4), 0);
    converge_result_free(result);
    converge_result_free(NULL);
}

static void a_fault_has_a_result_too(void **state)
{
    converge_result *result = NULL;

    (void)state;
    assert_int_equal(converge_check("a..b", 443, SHA1, NULL, &result), 1);
    assert_string_equal(converge_result_verdict(result), "none");
    assert_string_equal(converge_result_action(result), "refuse");
    assert_string_equal(converge_result_reason(result), "bad-question");
    assert_true(converge_result_text(result)[0] != '\0');
    converge_result_free(result);
}

static void without_an_agent_nothing_is_trusted(void **state)
{
    converge_options *options = converge_options_new();
    converge_result *result = NULL;

    (void)state;
    assert_int_equal(converge_options_set_start_agent(options, 0), 0);
    assert_int_equal(converge_check("site.converge.example", 443, SHA1, options, &result), 50);
    assert_string_equal(converge_result_reason(result), "no-agent");
    assert_string_equal(read_in("starts"), "");
    converge_result_free(result);
    converge_options_free(options);
}

static void an_agent_that_cannot_start_tells_why(void **state)
{
    converge_result *result = NULL;

    (void)state;
    write_in("fail", "the moon is in the wrong house");
    assert_int_equal(converge_check("site.converge.example", 443, SHA1, NULL, &result), 50);
    assert_non_null(strstr(converge_result_text(result), "the moon is in the wrong house"));
    converge_result_free(result);
}

static void a_hanging_agent_costs_the_timeout_and_no_more(void **state)
{
    converge_options *options = converge_options_new();
    uint64_t before;
    uint64_t elapsed;

    (void)state;
    write_in("answer", AGREE);
    assert_int_equal(converge("site.converge.example", 443, SHA1), 0); /* starts it */
    write_in("answer", "mute");
    assert_int_equal(converge_options_set_timeout_ms(options, 99), -1);
    assert_int_equal(converge_options_set_timeout_ms(options, 60001), -1);
    assert_int_equal(converge_options_set_timeout_ms(options, 300), 0);
    before = cvg_clock_ms(cvg_clock_system());
    assert_int_equal(converge_check("site.converge.example", 443, SHA1, options, NULL), 50);
    elapsed = cvg_clock_ms(cvg_clock_system()) - before;
    assert_true(elapsed >= 250 && elapsed < 1500);
    converge_options_free(options);
}

static void monitor_mode_waits_and_accepts(void **state)
{
    converge_result *result = NULL;

    (void)state;
    write_in("converge.conf", "mode = monitor\n");
    write_in("answer", "4e 52 1 alpha=no beta=no");
    assert_int_equal(converge_check("site.converge.example", 443, SHA1, NULL, &result), 0);
    assert_string_equal(converge_result_verdict(result), "disagree");
    assert_string_equal(converge_result_action(result), "accept");
    converge_result_free(result);
}

static void a_configuration_that_cannot_be_read_refuses(void **state)
{
    converge_result *result = NULL;

    (void)state;
    write_in("converge.conf", "mode = replace\nnonsense = 1\n");
    write_in("answer", AGREE);
    assert_int_equal(converge_check("site.converge.example", 443, SHA1, NULL, &result), 50);
    assert_non_null(strstr(converge_result_text(result), "converge.conf:2"));
    assert_string_equal(read_in("questions"), "");
    converge_result_free(result);
}

static void phrases_and_version(void **state)
{
    (void)state;
    assert_string_equal(converge_version(), PACKAGE_VERSION);
    assert_true(strlen(converge_strerror(0)) > 0);
    assert_string_not_equal(converge_strerror(28), converge_strerror(50));
    assert_non_null(converge_strerror(-12345));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(each_verdict_has_its_value),
        CASE(undecided_is_accepted_only_where_the_configuration_says_so),
        CASE(an_exempt_endpoint_is_nobodys_good_word),
        CASE(pki_keeps_its_say),
        CASE(the_pki_result_reaches_the_agent),
        CASE(what_an_agent_may_not_say_is_not_trusted),
        CASE(malformed_input_asks_nobody),
        CASE(both_fingerprints_with_and_without_colons),
        CASE(names_in_utf8_become_a_labels),
        CASE(a_certificate_goes_whole),
        CASE(the_result_says_who_said_what),
        CASE(a_fault_has_a_result_too),
        CASE(without_an_agent_nothing_is_trusted),
        CASE(an_agent_that_cannot_start_tells_why),
        CASE(a_hanging_agent_costs_the_timeout_and_no_more),
        CASE(monitor_mode_waits_and_accepts),
        CASE(a_configuration_that_cannot_be_read_refuses),
        CASE(phrases_and_version),
    };

    return cmocka_run_group_tests_name("api", tests, NULL, NULL);
}
