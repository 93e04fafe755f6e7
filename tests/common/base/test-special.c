/* SPDX-License-Identifier: MIT */
/* Every special-purpose block at its first and last address, and the addresses just outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "common/base/special.h"

struct block {
    const char *first, *last;
    bool before, after; /* whether the neighbours just outside are special, too */
};

static const struct block blocks4[] = {
    {"0.0.0.0", "0.255.255.255", true, false},
    {"10.0.0.0", "10.255.255.255", false, false},
    {"100.64.0.0", "100.127.255.255", false, false},
    {"127.0.0.0", "127.255.255.255", false, false},
    {"168.63.129.16", "168.63.129.16", false, false},
    {"169.254.0.0", "169.254.255.255", false, false},
    {"172.16.0.0", "172.31.255.255", false, false},
    {"192.0.0.0", "192.0.0.255", false, false},
    {"192.0.2.0", "192.0.2.255", false, false},
    {"192.31.196.0", "192.31.196.255", false, false},
    {"192.52.193.0", "192.52.193.255", false, false},
    {"192.88.99.0", "192.88.99.255", false, false},
    {"192.168.0.0", "192.168.255.255", false, false},
    {"192.175.48.0", "192.175.48.255", false, false},
    {"198.18.0.0", "198.19.255.255", false, false},
    {"198.51.100.0", "198.51.100.255", false, false},
    {"203.0.113.0", "203.0.113.255", false, false},
    {"224.0.0.0", "239.255.255.255", false, true},
    {"240.0.0.0", "255.255.255.255", true, true},
};

static const struct block blocks6[] = {
    {"::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true, false},
    {"2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", false, false},
    {"2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", false, false},
    {"2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false, false},
    {"2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff", false, false},
    {"3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", false, false},
    {"4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false, true},
};

/* Entries of the registry that lie inside the blocks above, each at both ends. */
static const char *const inside6[] = {
    "::1",
    "::ffff:0:0",
    "::ffff:255.255.255.255",
    "::ffff:8.8.8.8",
    "64:ff9b::",
    "64:ff9b::8.8.8.8",
    "64:ff9b::ffff:ffff",
    "64:ff9b:1::",
    "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
    "100::",
    "100::ffff:ffff:ffff:ffff",
    "100:0:0:1::",
    "100::1:ffff:ffff:ffff:ffff",
    "2001:0:ffff::",
    "2001:1::1",
    "2001:1::2",
    "2001:1::3",
    "2001:2::",
    "2001:2:0:ffff::",
    "2001:3::",
    "2001:3:ffff::",
    "2001:4:112::",
    "2001:4:112:ffff::",
    "2001:10::",
    "2001:1f:ffff::",
    "2001:20::",
    "2001:2f:ffff::",
    "2001:30::",
    "2001:3f:ffff::",
    "5f00::",
    "5f00:ffff::",
    "fc00::",
    "fd00:ec2::254",
    "fdff:ffff::",
    "fe80::",
    "febf:ffff::",
    "fec0::",
    "feff:ffff::",
    "ff00::",
    "ff02::1",
};

static const char *const public4[] = {"1.1.1.1", "8.8.8.8", "9.255.255.255", "151.101.1.69",
                                      "223.255.255.255"};
static const char *const public6[] = {"2000::", "2001:200::1",     "2001:4860:4860::8888",
                                      "2003::", "2606:4700::1111", "2a00:1450::1",
                                      "3ffe::1"};

static void step(uint8_t *address, size_t len, int by)
{
    for (size_t i = len; i-- > 0;) {
        address[i] = (uint8_t)(address[i] + by);
        if (address[i] != (by > 0 ? 0x00 : 0xff))
            return;
    }
}

static bool special(int family, const uint8_t *address)
{
    return family == AF_INET ? cvg_special_ipv4(address) : cvg_special_ipv6(address);
}

static void check_block(int family, const struct block *block)
{
    size_t len = family == AF_INET ? 4 : 16;
    uint8_t address[16];

    assert_int_equal(inet_pton(family, block->first, address), 1);
    assert_true(special(family, address));
    step(address, len, -1);
    if (special(family, address) != block->before)
        fail_msg("the address before %s", block->first);
    assert_int_equal(inet_pton(family, block->last, address), 1);
    assert_true(special(family, address));
    step(address, len, +1);
    if (special(family, address) != block->after)
        fail_msg("the address after %s", block->last);
}

static void ipv4_blocks_at_their_ends(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof blocks4 / sizeof blocks4[0]; i++)
        check_block(AF_INET, &blocks4[i]);
}

static void ipv6_blocks_at_their_ends(void **state)
{
    uint8_t address[16];

    (void)state;
    for (size_t i = 0; i < sizeof blocks6 / sizeof blocks6[0]; i++)
        check_block(AF_INET6, &blocks6[i]);
    for (size_t i = 0; i < sizeof inside6 / sizeof inside6[0]; i++) {
        assert_int_equal(inet_pton(AF_INET6, inside6[i], address), 1);
        if (!cvg_special_ipv6(address))
            fail_msg("%s is not special", inside6[i]);
    }
}

static void public_addresses_are_not_special(void **state)
{
    uint8_t address[16];

    (void)state;
    for (size_t i = 0; i < sizeof public4 / sizeof public4[0]; i++) {
        assert_int_equal(inet_pton(AF_INET, public4[i], address), 1);
        assert_false(cvg_special_ipv4(address));
    }
    for (size_t i = 0; i < sizeof public6 / sizeof public6[0]; i++) {
        assert_int_equal(inet_pton(AF_INET6, public6[i], address), 1);
        assert_false(cvg_special_ipv6(address));
    }
}

static void socket_addresses_of_each_family(void **state)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    struct sockaddr unix_socket = {.sa_family = AF_UNIX};

    (void)state;
    assert_int_equal(inet_pton(AF_INET, "8.8.8.8", &in.sin_addr), 1);
    assert_false(cvg_special_sockaddr((struct sockaddr *)&in));
    assert_int_equal(inet_pton(AF_INET, "10.8.8.8", &in.sin_addr), 1);
    assert_true(cvg_special_sockaddr((struct sockaddr *)&in));
    assert_int_equal(inet_pton(AF_INET6, "2606:4700::1111", &in6.sin6_addr), 1);
    assert_false(cvg_special_sockaddr((struct sockaddr *)&in6));
    assert_int_equal(inet_pton(AF_INET6, "::ffff:8.8.8.8", &in6.sin6_addr), 1);
    assert_true(cvg_special_sockaddr((struct sockaddr *)&in6));
    assert_true(cvg_special_sockaddr(&unix_socket));
}

static void names_that_never_leave_the_machine(void **state)
{
    static const char *const local[] = {
        "intranet",
        "localhost",
        "printer.local",
        "local",
        "a.b.internal",
        "router.home.arpa",
        "home.arpa",
        "x.test",
        "abc.onion",
        "x.invalid",
        "x.localhost",
        "www.example",
        "x.alt",
        "1.0.0.10.in-addr.arpa",
        "1.16.172.in-addr.arpa",
        "1.31.172.in-addr.arpa",
        "_x",
    };
    static const char *const wide[] = {
        "example.com",
        "www.example.org",
        "notlocal.com",
        "xlocal.de",
        "local.com",
        "a.xlocal",
        "test.com",
        "onion.to",
        "internal.net",
        "home.arpa.com",
        "arpa.de",
        "x.homearpa",
        "1.15.172.in-addr.arpa",
        "1.32.172.in-addr.arpa",
        "1.8.8.in-addr.arpa",
    };

    (void)state;
    for (size_t i = 0; i < sizeof local / sizeof local[0]; i++)
        if (!cvg_special_name(local[i]))
            fail_msg("%s", local[i]);
    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++)
        if (cvg_special_name(wide[i]))
            fail_msg("%s", wide[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ipv4_blocks_at_their_ends),
        cmocka_unit_test(ipv6_blocks_at_their_ends),
        cmocka_unit_test(public_addresses_are_not_special),
        cmocka_unit_test(socket_addresses_of_each_family),
        cmocka_unit_test(names_that_never_leave_the_machine),
    };

    return cmocka_run_group_tests_name("special", tests, NULL, NULL);
}
