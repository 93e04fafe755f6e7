/* SPDX-License-Identifier: MIT */
/* Which questions are put to nobody: every rule, and above all what never exempts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/engine/exempt.h"

static struct cvg_config config;

static int set_up(void **state)
{
    (void)state;
    cvg_config_init(&config);
    return 0;
}

static struct cvg_question about(const char *host, uint16_t port)
{
    struct cvg_question question;

    memset(&question, 0, sizeof question);
    strncpy(question.host, host, sizeof question.host - 1);
    question.have_name = true;
    question.port[0] = port;
    question.port_count = port != 0;
    question.pki = CVG_PKI_OK;
    return question;
}

static enum cvg_reason reason_for(const char *host)
{
    struct cvg_question question = about(host, 443);

    return cvg_exempt(&config, &question, false);
}

static void public_names_and_addresses_are_asked_about(void **state)
{
    static const char *const hosts[] = {"site.example.com", "192.0.2.1.example.com", "8.8.8.8",
                                        "2606:4700::1111",  "www.localhost.com",     "a.tests"};

    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
        assert_int_equal(reason_for(hosts[i]), CVG_REASON_NONE);
}

static void single_labels_and_special_names_never_leave(void **state)
{
    static const char *const hosts[] = {"localhost",   "printer",        "nas.local", "db.internal",
                                        "x.home.arpa", "shop.site.test", "abc.onion", "h.invalid"};

    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
        assert_int_equal(reason_for(hosts[i]), CVG_REASON_EXEMPT_NAME);
}

static void a_special_address_that_is_the_name_is_exempt(void **state)
{
    static const char *const hosts[] = {"127.0.0.1",       "10.1.2.3",   "192.168.1.66",
                                        "169.254.169.254", "172.31.0.1", "::1",
                                        "fe80::1",         "fd00::1",    "::ffff:10.0.0.1"};

    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
        if (reason_for(hosts[i]) != CVG_REASON_EXEMPT_ADDRESS)
            fail_msg("%s", hosts[i]);
}

static void the_peers_address_never_exempts_a_name(void **state)
{
    struct cvg_question question = about("site.example.com", 443);

    (void)state;
    question.peer_family = 4;
    memcpy(question.peer_address, "\xc0\xa8\x01\x42", 4); /* an evil resolver's 192.168.1.66 */
    assert_int_equal(cvg_exempt(&config, &question, false), CVG_REASON_NONE);
    question = about("8.8.8.8", 443);
    question.peer_family = 4;
    memcpy(question.peer_address, "\x7f\0\0\1", 4); /* a proxy on this machine */
    assert_int_equal(cvg_exempt(&config, &question, false), CVG_REASON_NONE);
}

static void a_nameless_connection_to_a_special_peer_is_exempt(void **state)
{
    struct cvg_question question = about("192.168.1.66", 443);

    (void)state;
    question.have_name = false;
    assert_int_equal(cvg_exempt(&config, &question, false), CVG_REASON_EXEMPT_ADDRESS);
    question = about("8.8.8.8", 443);
    question.have_name = false;
    assert_int_equal(cvg_exempt(&config, &question, false), CVG_REASON_NONE);
}

static void special_names_can_be_asked_about(void **state)
{
    (void)state;
    config.exempt_special_names = false;
    assert_int_equal(reason_for("nas.local"), CVG_REASON_NONE);
    assert_int_equal(reason_for("127.0.0.1"), CVG_REASON_NONE);
}

static void without_host_or_port_it_is_not_applicable(void **state)
{
    struct cvg_question question = about("", 443);

    (void)state;
    assert_int_equal(cvg_exempt(&config, &question, false), CVG_REASON_NOT_APPLICABLE);
    question = about("site.example.com", 0);
    assert_int_equal(cvg_exempt(&config, &question, false), CVG_REASON_NOT_APPLICABLE);
}

static void a_host_that_is_not_normal_is_not_exempt(void **state)
{
    static const char *const hosts[] = {"nas..local", "127.0.0.01", "a b.local", "x/y.test"};

    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
        assert_int_equal(reason_for(hosts[i]), CVG_REASON_NONE);
}

static void patterns_cover_what_they_say_and_no_more(void **state)
{
    static const struct {
        const char *pattern, *host;
        bool covers;
    } cases[] = {
        {"corp.example.com", "corp.example.com", true},
        {"Corp.Example.Com", "corp.example.com", true},
        {"corp.example.com", "a.corp.example.com", false},
        {"*.corp.example.com", "a.corp.example.com", true},
        {"*.corp.example.com", "b.a.corp.example.com", true},
        {"*.corp.example.com", "corp.example.com", false},
        {"*.corp.example.com", "evilcorp.example.com", false},
        {"*.corp.example.com", "corp.example.com.evil.net", false},
        {"*.CORP.example.com", "a.corp.example.com", true},
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.10", false},
        {"*.", "a.b", false},
        {"*", "a.b", false},
        {"", "a.b", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (cvg_exempt_pattern(cases[i].pattern, cases[i].host) != cases[i].covers)
            fail_msg("%s and %s", cases[i].pattern, cases[i].host);
    config.exempt_names.word[0] = "other.example.com";
    config.exempt_names.word[1] = "*.corp.example.com";
    config.exempt_names.count = 2;
    assert_int_equal(reason_for("a.corp.example.com"), CVG_REASON_EXEMPT_NAME);
    assert_int_equal(reason_for("site.example.com"), CVG_REASON_NONE);
}

static void port_25_is_exempt_only_if_it_is_the_only_candidate(void **state)
{
    struct cvg_question question = about("mx.example.com", 25);

    (void)state;
    assert_int_equal(cvg_exempt(&config, &question, false), CVG_REASON_EXEMPT_PORT);
    question.port[1] = 443;
    question.port_count = 2;
    assert_int_equal(cvg_exempt(&config, &question, false), CVG_REASON_NONE);
    question = about("mx.example.com", 465);
    assert_int_equal(cvg_exempt(&config, &question, false), CVG_REASON_NONE);
}

static void private_pki_counts_only_where_pki_accepted(void **state)
{
    struct cvg_question question = about("site.example.com", 443);

    (void)state;
    assert_int_equal(cvg_exempt(&config, &question, true), CVG_REASON_EXEMPT_PRIVATE_PKI);
    question.pki = CVG_PKI_TRUST_ERROR;
    assert_int_equal(cvg_exempt(&config, &question, true), CVG_REASON_NONE);
    question.pki = CVG_PKI_UNKNOWN;
    assert_int_equal(cvg_exempt(&config, &question, true), CVG_REASON_NONE);
    question.pki = CVG_PKI_OK;
    config.exempt_private_pki = false;
    assert_int_equal(cvg_exempt(&config, &question, true), CVG_REASON_NONE);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        CASE(public_names_and_addresses_are_asked_about),
        CASE(single_labels_and_special_names_never_leave),
        CASE(a_special_address_that_is_the_name_is_exempt),
        CASE(the_peers_address_never_exempts_a_name),
        CASE(a_nameless_connection_to_a_special_peer_is_exempt),
        CASE(special_names_can_be_asked_about),
        CASE(without_host_or_port_it_is_not_applicable),
        CASE(a_host_that_is_not_normal_is_not_exempt),
        CASE(patterns_cover_what_they_say_and_no_more),
        CASE(port_25_is_exempt_only_if_it_is_the_only_candidate),
        CASE(private_pki_counts_only_where_pki_accepted),
    };

    return cmocka_run_group_tests_name("exempt", tests, NULL, NULL);
}
