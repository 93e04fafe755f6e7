/* SPDX-License-Identifier: MIT */
/* The PROXY protocol's header, whole and cut at every octet: who is named, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "notary/proxy.h"

#define V2           "\r\n\r\n\0\r\nQUIT\n"
#define OCTETS(text) (const uint8_t *)(text), sizeof(text) - 1

struct header {
    const char *name;
    const uint8_t *octets;
    size_t len;
    const char *source; /* NULL: none is named */
};

static const struct header goods[] = {
    {"v1 IPv4", OCTETS("PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n"), "192.0.2.7"},
    {"v1 IPv6", OCTETS("PROXY TCP6 2001:db8::7 2001:db8::1 1 65535\r\n"), "2001:db8::7"},
    {"v1 IPv4 inside IPv6", OCTETS("PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n"), "192.0.2.7"},
    {"v1 unknown", OCTETS("PROXY UNKNOWN\r\n"), NULL},
    {"v1 unknown with words", OCTETS("PROXY UNKNOWN ffff:f ffff:f 65535 65535\r\n"), NULL},
    {"v2 IPv4", OCTETS(V2 "\x21\x11\0\x0c\xc0\0\2\7\xc6\x33\x64\1\xdc\4\1\xbb"), "192.0.2.7"},
    {"v2 IPv4, datagrams", OCTETS(V2 "\x21\x12\0\x0c\xc0\0\2\7\xc6\x33\x64\1\xdc\4\1\xbb"),
     "192.0.2.7"},
    {"v2 IPv6",
     OCTETS(V2 "\x21\x21\0\x24\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\7"
               "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\1\0\2"),
     "2001:db8::7"},
    {"v2 with an extension",
     OCTETS(V2 "\x21\x11\0\x11\xc0\0\2\7\xc6\x33\x64\1\xdc\4\1\xbb\4\0\2ab"), "192.0.2.7"},
    {"v2 local", OCTETS(V2 "\x20\0\0\0"), NULL},
    {"v2 local that names somebody all the same",
     OCTETS(V2 "\x20\x11\0\x0c\xc0\0\2\7\xc6\x33\x64\1\xdc\4\1\xbb"), NULL},
    {"v2 unspecified", OCTETS(V2 "\x21\0\0\3abc"), NULL},
    {"v2 IPv4, protocol unspecified",
     OCTETS(V2 "\x21\x10\0\x0c\xc0\0\2\7\xc6\x33\x64\1\xdc\4\1\xbb"), NULL},
};

static void headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(goods) / sizeof(goods[0]); i++) {
        const struct header *good = &goods[i];
        struct cvg_proxy proxy = {.len = 1};
        uint8_t more[512];
        char text[CVG_ADDRESS_TEXT_MAX];
        memcpy(more, good->octets, good->len);
        memset(more + good->len, '\x16', sizeof(more) - good->len);
        for (size_t len = 0; len < good->len; len++)
            if (cvg_proxy_parse(more, len, &proxy) != CVG_PROXY_MORE)
                fail_msg("%s: done after %zu octets", good->name, len);
        assert_int_equal(proxy.len, 1);
        for (size_t extra = 0; extra < 3; extra++) {
            if (cvg_proxy_parse(more, good->len + extra, &proxy) != CVG_PROXY_DONE)
                fail_msg("%s: refused", good->name);
            assert_int_equal(proxy.len, good->len);
            assert_int_equal(proxy.named, good->source != NULL);
            if (good->source != NULL)
                assert_string_equal(cvg_address_format(&proxy.source, text, sizeof(text)),
                                    good->source);
        }
    }
}

static void unix_sockets(void **state)
{
    uint8_t octets[16 + 216] = V2 "\x21\x31\0\xd8/run/peer";
    struct cvg_proxy proxy;
    (void)state;
    assert_int_equal(cvg_proxy_parse(octets, sizeof(octets), &proxy), CVG_PROXY_DONE);
    assert_false(proxy.named);
    assert_int_equal(proxy.len, sizeof(octets));
    octets[15] = 0xd7;
    assert_int_equal(cvg_proxy_parse(octets, sizeof(octets), &proxy), CVG_PROXY_BAD);
}

static void refusals(void **state)
{
    static const struct header bads[] = {
        {"TLS", OCTETS("\x16\x03\x01"), NULL},
        {"HTTP", OCTETS("GET / HTTP/1.1\r\n"), NULL},
        {"empty line", OCTETS("\r\n\r\nX"), NULL},
        {"bare LF", OCTETS("PROXY TCP4 192.0.2.7 198.51.100.1 1 2\n"), NULL},
        {"nothing", OCTETS("PROXY \r\n"), NULL},
        {"only LF", OCTETS("PROXY \n"), NULL},
        {"family", OCTETS("PROXY TCP5 192.0.2.7 198.51.100.1 1 2\r\n"), NULL},
        {"UDP", OCTETS("PROXY UDP4 192.0.2.7 198.51.100.1 1 2\r\n"), NULL},
        {"small letters", OCTETS("PROXY tcp4 192.0.2.7 198.51.100.1 1 2\r\n"), NULL},
        {"IPv6 as IPv4", OCTETS("PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n"), NULL},
        {"IPv4 as IPv6", OCTETS("PROXY TCP6 192.0.2.7 198.51.100.1 1 2\r\n"), NULL},
        {"a name", OCTETS("PROXY TCP4 localhost 198.51.100.1 1 2\r\n"), NULL},
        {"short address", OCTETS("PROXY TCP4 192.0.2 198.51.100.1 1 2\r\n"), NULL},
        {"port too large", OCTETS("PROXY TCP4 192.0.2.7 198.51.100.1 65536 2\r\n"), NULL},
        {"port too long", OCTETS("PROXY TCP4 192.0.2.7 198.51.100.1 1000001 2\r\n"), NULL},
        {"port with zero", OCTETS("PROXY TCP4 192.0.2.7 198.51.100.1 01 2\r\n"), NULL},
        {"port with sign", OCTETS("PROXY TCP4 192.0.2.7 198.51.100.1 +1 2\r\n"), NULL},
        {"no port", OCTETS("PROXY TCP4 192.0.2.7 198.51.100.1 1\r\n"), NULL},
        {"two blanks", OCTETS("PROXY TCP4  192.0.2.7 198.51.100.1 1 2\r\n"), NULL},
        {"blank at the end", OCTETS("PROXY TCP4 192.0.2.7 198.51.100.1 1 2 \r\n"), NULL},
        {"a word too many", OCTETS("PROXY TCP4 192.0.2.7 198.51.100.1 1 2 3\r\n"), NULL},
        {"NUL", OCTETS("PROXY TCP4 192.0.2.7\0 198.51.100.1 1 2\r\n"), NULL},
        {"v2 version 1", OCTETS(V2 "\x11\x11\0\x0c"), NULL},
        {"v2 command", OCTETS(V2 "\x22\x11\0\x0c"), NULL},
        {"v2 family", OCTETS(V2 "\x21\x41\0\0"), NULL},
        {"v2 protocol", OCTETS(V2 "\x21\x13\0\x0c\xc0\0\2\7\xc6\x33\x64\1\xdc\4\1\xbb"), NULL},
        {"v2 short address", OCTETS(V2 "\x21\x11\0\x0b\xc0\0\2\7\xc6\x33\x64\1\xdc\4\1"), NULL},
        {"v2 too long", OCTETS(V2 "\x20\0\xff\xff"), NULL},
        {"v2 cut extension", OCTETS(V2 "\x21\x11\0\x10\xc0\0\2\7\xc6\x33\x64\1\xdc\4\1\xbb\4\0\2a"),
         NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
        struct cvg_proxy proxy;
        if (cvg_proxy_parse(bads[i].octets, bads[i].len, &proxy) != CVG_PROXY_BAD)
            fail_msg("%s is taken", bads[i].name);
    }
}

static void endless_line(void **state)
{
    uint8_t line[200];
    struct cvg_proxy proxy;
    (void)state;
    memset(line, 'f', sizeof(line));
    memcpy(line, "PROXY UNKNOWN ", 14);
    assert_int_equal(cvg_proxy_parse(line, 106, &proxy), CVG_PROXY_MORE);
    assert_int_equal(cvg_proxy_parse(line, 107, &proxy), CVG_PROXY_BAD);
    memcpy(line + 105, "\r\n", 2);
    assert_int_equal(cvg_proxy_parse(line, 107, &proxy), CVG_PROXY_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers),
        cmocka_unit_test(unix_sockets),
        cmocka_unit_test(refusals),
        cmocka_unit_test(endless_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
