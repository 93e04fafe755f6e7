/* SPDX-License-Identifier: MIT */
/* The normaliser: every byte in every class of position, every boundary of length, and that text
 * and address always agree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/endpoint.h"

static enum cvg_error set(const char *host, struct cvg_endpoint *ret)
{
    return cvg_endpoint_set(host, strlen(host), 443, ret, NULL);
}

static void assert_host(const char *host, enum cvg_host_kind kind, const char *normal)
{
    struct cvg_endpoint endpoint;

    if (set(host, &endpoint) != CVG_OK)
        fail_msg("'%s' was refused", host);
    assert_string_equal(endpoint.host, normal);
    assert_int_equal(endpoint.kind, kind);
}

static void assert_refused(const char *host, enum cvg_error expected)
{
    struct cvg_endpoint endpoint, before;
    struct cvg_why why = {""};

    memset(&endpoint, 0x5a, sizeof endpoint);
    before = endpoint;
    if (cvg_endpoint_set(host, strlen(host), 443, &endpoint, &why) != expected)
        fail_msg("'%s': not %s", host, cvg_strerror(expected));
    assert_memory_equal(&endpoint, &before, sizeof endpoint);
    assert_string_not_equal(why.text, "");
}

static void names_are_normalised(void **state)
{
    (void)state;
    assert_host("example.com", CVG_HOST_NAME, "example.com");
    assert_host("WWW.Example.COM", CVG_HOST_NAME, "www.example.com");
    assert_host("example.com.", CVG_HOST_NAME, "example.com");
    assert_host("localhost", CVG_HOST_NAME, "localhost");
    assert_host("_dmarc._Tcp.example", CVG_HOST_NAME, "_dmarc._tcp.example");
    assert_host("xn--bcher-kva.example", CVG_HOST_NAME, "xn--bcher-kva.example");
    assert_host("1.2.3.4.example", CVG_HOST_NAME, "1.2.3.4.example");
    assert_host("3com.com", CVG_HOST_NAME, "3com.com");
    assert_host("a.1b", CVG_HOST_NAME, "a.1b");
    assert_host("deadbeef", CVG_HOST_NAME, "deadbeef");
}

static void malformed_names_are_refused(void **state)
{
    static const char *const bad[] = {
        "",      ".",     "..",    "a..b",      ".a",       "a..",    "-a.b",   "a-.b",
        "a.-b",  "a.b-",  "a.b-.", "-",         "a b",      "a/b",    "a+b",    "a%b",
        "a,b",   "*.a.b", "a@b",   "a.b:443",   "http://a", "a\r\nb", "a\tb",   "b\374cher.example",
        "[a.b]", "[",     "[]",    "[1.2.3.4]", "[::1",     "::1]",   "[::1]x", "[[::1]]",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_refused(bad[i], CVG_ERR_SYNTAX);
}

static void numbers_that_some_read_as_addresses_are_refused(void **state)
{
    static const char *const bad[] = {
        "1",
        "127.1",
        "10.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0X7F.0.0.1",
        "127.0.0.0x1",
        "010.0.0.1",
        "1.2.3.04",
        "1.2.3.4.",
        "1.2.3.4.5",
        "256.1.1.1",
        "1.2.3.256",
        "1.2.3.1000",
        "1.2..4",
        "1.2.3.",
        ".1.2.3.4",
        "a.0x",
        "www.example.5",
        "www.example.0x5",
        "www.example.5.",
        "00.0.0.0",
        "1.2.3.+4",
        "4294967296",
        "1.2.3.-4",
        "1. 2.3.4",
        "\xef\xbc\x91.2.3.4",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_refused(bad[i], CVG_ERR_SYNTAX);
}

/* Every byte as first, middle and last of a label, and as the whole name. */
static void every_byte_in_every_position(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        char c = (char)byte;
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        bool digit = c >= '0' && c <= '9';
        char first[] = {c, 'b', '.', 'c', 'd'}, middle[] = {'a', c, 'b', '.', 'c'};
        char last[] = {'a', c, '.', 'c'}, end[] = {'a', '.', 'b', c};
        struct cvg_endpoint e;
        bool ok;

        ok = letter || digit;
        assert_int_equal(cvg_endpoint_set(first, sizeof first, 1, &e, NULL) == CVG_OK, ok);
        ok = letter || digit || c == '-' || c == '.';
        assert_int_equal(cvg_endpoint_set(middle, sizeof middle, 1, &e, NULL) == CVG_OK, ok);
        ok = letter || digit;
        assert_int_equal(cvg_endpoint_set(last, sizeof last, 1, &e, NULL) == CVG_OK, ok);
        ok = letter || digit || c == '.';
        assert_int_equal(cvg_endpoint_set(end, sizeof end, 1, &e, NULL) == CVG_OK, ok);
        assert_int_equal(cvg_endpoint_set(&c, 1, 1, &e, NULL) == CVG_OK, letter);
    }
}

/* The same inside addresses: nothing but digits there is a digit. */
static void every_byte_inside_addresses(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        char c = (char)byte;
        bool digit = c >= '0' && c <= '9';
        bool hex = digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        char ipv4[] = {'1', '.', '2', '.', '3', '.', c};
        char ipv6[] = {'2', '0', '0', '1', ':', c, ':', ':', '1'};
        struct cvg_endpoint e;
        bool ok = cvg_endpoint_set(ipv4, sizeof ipv4, 1, &e, NULL) == CVG_OK;

        assert_int_equal(ok && e.kind == CVG_HOST_IPV4, digit);
        assert_int_equal(ok && e.kind == CVG_HOST_IPV6, false);
        assert_int_equal(cvg_endpoint_set(ipv6, sizeof ipv6, 1, &e, NULL) == CVG_OK, hex);
    }
}

static void lengths_at_their_limits(void **state)
{
    char name[300];
    struct cvg_endpoint e;

    (void)state;
    memset(name, 'a', sizeof name);
    for (size_t i = 63; i < sizeof name; i += 64)
        name[i] = '.';
    assert_int_equal(cvg_endpoint_set(name, 63, 1, &e, NULL), CVG_OK);
    assert_int_equal(cvg_endpoint_set(name, 253, 1, &e, NULL), CVG_OK);
    assert_int_equal(strlen(e.host), 253);
    assert_int_equal(cvg_endpoint_set(name, 254, 1, &e, NULL), CVG_ERR_RANGE);
    assert_int_equal(cvg_endpoint_set(name, 300, 1, &e, NULL), CVG_ERR_RANGE);
    name[253] = '.';
    assert_int_equal(cvg_endpoint_set(name, 254, 1, &e, NULL), CVG_OK);
    assert_int_equal(strlen(e.host), 253);
    name[63] = 'a';
    assert_int_equal(cvg_endpoint_set(name, 64, 1, &e, NULL), CVG_ERR_RANGE);
}

static void ports_at_their_limits(void **state)
{
    struct cvg_endpoint e;

    (void)state;
    assert_int_equal(cvg_endpoint_set("a", 1, 0, &e, NULL), CVG_ERR_RANGE);
    assert_int_equal(cvg_endpoint_set("a", 1, 1, &e, NULL), CVG_OK);
    assert_int_equal(cvg_endpoint_set("a", 1, 65535, &e, NULL), CVG_OK);
    assert_int_equal(e.port, 65535);
    assert_int_equal(cvg_endpoint_set("a", 1, 65536, &e, NULL), CVG_ERR_RANGE);
    assert_int_equal(cvg_endpoint_set("a", 1, 65536u + 443, &e, NULL), CVG_ERR_RANGE);
}

static void ipv4_is_strict(void **state)
{
    static const uint8_t address[4] = {192, 0, 2, 255};
    struct cvg_endpoint e;

    (void)state;
    assert_host("0.0.0.0", CVG_HOST_IPV4, "0.0.0.0");
    assert_host("255.255.255.255", CVG_HOST_IPV4, "255.255.255.255");
    assert_int_equal(set("192.0.2.255", &e), CVG_OK);
    assert_memory_equal(e.address, address, 4);
}

static void ipv6_follows_rfc_5952(void **state)
{
    static const char *const pairs[][2] = {
        {"::", "::"},
        {"::1", "::1"},
        {"[::1]", "::1"},
        {"2001:DB8::1", "2001:db8::1"},
        {"2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"2001:db8::0:1", "2001:db8::1"},
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"1:0:0:0:0:0:0:0", "1::"},
        {"0:0:1:2:3:4:5:6", "::1:2:3:4:5:6"},
        {"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
        {"64:ff9b::192.0.2.1", "64:ff9b::c000:201"},
        {"::192.0.2.1", "::c000:201"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        assert_host(pairs[i][0], CVG_HOST_IPV6, pairs[i][1]);
}

static void a_v4_mapped_address_is_the_ipv4_address(void **state)
{
    (void)state;
    assert_host("::ffff:192.0.2.1", CVG_HOST_IPV4, "192.0.2.1");
    assert_host("[::FFFF:c000:0201]", CVG_HOST_IPV4, "192.0.2.1");
    assert_host("::fffe:c000:201", CVG_HOST_IPV6, "::fffe:c000:201");
}

static void malformed_ipv6_is_refused(void **state)
{
    static const char *const bad[] = {
        ":",
        ":::",
        "1::2::3",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "12345::",
        "::g",
        "fe80::1%1",
        "fe80::1%eth0",
        "[fe80::1%25eth0]",
        "::1 ",
        " ::1",
        "::1.2.3",
        "::1.2.3.256",
        "::1.2.3.04",
        "::ffff:1.2.3.4.5",
        "1:2:3:4:5:6:7:1.2.3.4",
        "::1.",
        "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_refused(bad[i], CVG_ERR_SYNTAX);
}

/* Random addresses, rich in zero groups: what we write, libc reads back, and so do we. */
static void ipv6_text_round_trips(void **state)
{
    unsigned seed = 1;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        char text[INET6_ADDRSTRLEN];
        struct cvg_endpoint e, again;
        uint8_t address[16], back[16];

        for (size_t j = 0; j < 16; j++) {
            seed = seed * 1103515245u + 12345u;
            address[j] = (seed >> 16) % 3 == 0 ? (uint8_t)(seed >> 24) : 0;
        }
        address[0] |= 0x20; /* not v4-mapped */
        assert_non_null(inet_ntop(AF_INET6, address, text, sizeof text));
        assert_int_equal(set(text, &e), CVG_OK);
        assert_memory_equal(e.address, address, 16);
        assert_string_equal(e.host, text);
        assert_int_equal(inet_pton(AF_INET6, e.host, back), 1);
        assert_memory_equal(back, address, 16);
        assert_int_equal(set(e.host, &again), CVG_OK);
        assert_memory_equal(&e, &again, sizeof e);
    }
}

static void a_nul_inside_is_refused(void **state)
{
    struct cvg_endpoint e;

    (void)state;
    assert_int_equal(cvg_endpoint_set("a.example\0.evil", 15, 1, &e, NULL), CVG_ERR_SYNTAX);
    assert_int_equal(cvg_endpoint_set("1.2.3.4\0", 8, 1, &e, NULL), CVG_ERR_SYNTAX);
    assert_int_equal(cvg_endpoint_set("::1\0x", 5, 1, &e, NULL), CVG_ERR_SYNTAX);
    assert_int_equal(cvg_endpoint_set("[::1\0]", 6, 1, &e, NULL), CVG_ERR_SYNTAX);
}

static void parse_takes_the_four_forms(void **state)
{
    static const struct {
        const char *text, *host;
        unsigned port;
    } rows[] = {
        {"Example.com", "example.com", 443},          {"example.com:8443", "example.com", 8443},
        {"[2001:db8::1]:993", "2001:db8::1", 993},    {"[2001:db8::1]", "2001:db8::1", 443},
        {"2001:db8::1", "2001:db8::1", 443},          {"192.0.2.1:1", "192.0.2.1", 1},
        {"example.com.:65535", "example.com", 65535},
    };
    struct cvg_endpoint e;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(cvg_endpoint_parse(rows[i].text, 443, &e, NULL), CVG_OK);
        assert_string_equal(e.host, rows[i].host);
        assert_int_equal(e.port, rows[i].port);
    }
}

static void parse_refuses_bad_ports(void **state)
{
    static const char *const bad[] = {
        "a:",      "a:0",     "a:65536", "a:99999", "a:100000", "a:+1",   "a: 1",
        "a:1 ",    "a:0443",  "a:1x",    "a:-1",    ":443",     "[::1]:", "[::1]x:1",
        "[::1]:0", "[a]:443", "[:1",     "",        "a:b:1",
    };
    struct cvg_endpoint e;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (cvg_endpoint_parse(bad[i], 443, &e, NULL) == CVG_OK)
            fail_msg("'%s' was taken", bad[i]);
    assert_int_equal(cvg_endpoint_parse("a", 0, &e, NULL), CVG_ERR_RANGE);
}

static void format_is_read_back(void **state)
{
    static const char *const texts[] = {"example.com:443", "192.0.2.1:80", "[2001:db8::1]:8443"};
    char buf[CVG_ENDPOINT_TEXT_MAX];
    struct cvg_endpoint e;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(cvg_endpoint_parse(texts[i], 1, &e, NULL), CVG_OK);
        assert_string_equal(cvg_endpoint_format(&e, buf, sizeof buf), texts[i]);
    }
}

static void format_fits_at_its_longest(void **state)
{
    char name[254], buf[CVG_ENDPOINT_TEXT_MAX];
    struct cvg_endpoint e;

    (void)state;
    memset(name, 'a', sizeof name);
    for (size_t i = 63; i < sizeof name; i += 64)
        name[i] = '.';
    assert_int_equal(cvg_endpoint_set(name, 253, 65535, &e, NULL), CVG_OK);
    assert_int_equal(strlen(cvg_endpoint_format(&e, buf, sizeof buf)), 259);
}

static void comparison_is_by_host_then_port(void **state)
{
    struct cvg_endpoint a, b;

    (void)state;
    assert_int_equal(cvg_endpoint_parse("A.example:1", 1, &a, NULL), CVG_OK);
    assert_int_equal(cvg_endpoint_parse("a.example.:1", 1, &b, NULL), CVG_OK);
    assert_int_equal(cvg_endpoint_cmp(&a, &b), 0);
    b.port = 2;
    assert_true(cvg_endpoint_cmp(&a, &b) < 0);
    assert_true(cvg_endpoint_cmp(&b, &a) > 0);
    assert_int_equal(cvg_endpoint_parse("b.example:1", 1, &b, NULL), CVG_OK);
    assert_true(cvg_endpoint_cmp(&a, &b) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_normalised),
        cmocka_unit_test(malformed_names_are_refused),
        cmocka_unit_test(numbers_that_some_read_as_addresses_are_refused),
        cmocka_unit_test(every_byte_in_every_position),
        cmocka_unit_test(every_byte_inside_addresses),
        cmocka_unit_test(lengths_at_their_limits),
        cmocka_unit_test(ports_at_their_limits),
        cmocka_unit_test(ipv4_is_strict),
        cmocka_unit_test(ipv6_follows_rfc_5952),
        cmocka_unit_test(a_v4_mapped_address_is_the_ipv4_address),
        cmocka_unit_test(malformed_ipv6_is_refused),
        cmocka_unit_test(ipv6_text_round_trips),
        cmocka_unit_test(a_nul_inside_is_refused),
        cmocka_unit_test(parse_takes_the_four_forms),
        cmocka_unit_test(parse_refuses_bad_ports),
        cmocka_unit_test(format_is_read_back),
        cmocka_unit_test(format_fits_at_its_longest),
        cmocka_unit_test(comparison_is_by_host_then_port),
    };

    return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
