/* SPDX-License-Identifier: MIT */
/* Which addresses may be probed and relayed to, whatever interfaces the machine has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>

#include "notary/filter.h"

#define MANY 5000

int __wrap_getifaddrs(struct ifaddrs **list);
void __wrap_freeifaddrs(struct ifaddrs *list);

/* What the machine has; the first is one that has no address. */
static struct ifaddrs interface[MANY];
static struct sockaddr_in address_of[MANY];

int __wrap_getifaddrs(struct ifaddrs **list)
{
    *list = interface;
    return 0;
}

void __wrap_freeifaddrs(struct ifaddrs *list CVG_UNUSED)
{
}

/* So many of the addresses from a first one on, and then the last one. */
static void interfaces(size_t count, const char *from, uint32_t last)
{
    struct in_addr first = {0};
    assert_true(from == NULL || inet_pton(AF_INET, from, &first) == 1);
    memset(interface, 0, sizeof(interface));
    for (size_t i = 0; i <= count; i++) {
        uint32_t address = i == count ? last : ntohl(first.s_addr) + (uint32_t)i;
        address_of[i] = (struct sockaddr_in){.sin_family = AF_INET};
        address_of[i].sin_addr.s_addr = htonl(address);
        interface[i].ifa_next = &interface[i + 1];
        interface[i + 1].ifa_addr = (struct sockaddr *)(void *)&address_of[i];
    }
}

static void parse(const char *more, struct cvg_settings *settings)
{
    char text[256];
    int len = snprintf(text, sizeof(text),
                       "name = alpha\ntls_key = k\ntls_certificate = c\nsigning_key = s\n%s", more);
    assert_int_equal(cvg_settings_parse(text, (size_t)len, "/etc/n/notary.conf", settings, NULL),
                     CVG_OK);
}

static bool allows(const struct cvg_filter *filter, const char *text)
{
    struct cvg_address address;
    assert_int_equal(cvg_address_parse(text, &address), CVG_OK);
    return cvg_filter_allows(filter, &address);
}

static void filter_without_exceptions(void **state)
{
    static const char *const refused_addresses[] = {
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.168.1.66",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
        "2001::1",
        "fe80::1",
        "fd00::1",
        "ff02::1",
        "9.9.9.9",
        "168.63.129.16",
        "fd00:ec2::254",
        "64:ff9b:1::a00:1",
        "::ffff:a00:1",
        "::8.8.8.8",
        "2002:a00:1::1",
        "2001:0:a00:1::",
        "2001:db8::1",
        "3fff::1",
    };
    struct cvg_settings settings;
    struct cvg_filter *filter = NULL;
    (void)state;
    interfaces(0, NULL, 0);
    parse("own_addresses = 9.9.9.9\n", &settings);
    assert_int_equal(cvg_filter_new(&settings, &filter), CVG_OK);
    for (size_t i = 0; i < sizeof(refused_addresses) / sizeof(refused_addresses[0]); i++)
        assert_false(allows(filter, refused_addresses[i]));
    assert_true(allows(filter, "9.9.9.10"));
    assert_true(allows(filter, "2620:fe::fe"));
    assert_false(cvg_filter_inside(filter));
    cvg_filter_free(filter);
}

static void filter_with_exceptions(void **state)
{
    struct cvg_settings settings;
    struct cvg_filter *filter = NULL;
    (void)state;
    interfaces(0, NULL, 0);
    parse("allow_targets = 10.1.0.0/17 fd00:1::/33\n", &settings);
    assert_int_equal(cvg_filter_new(&settings, &filter), CVG_OK);
    assert_true(allows(filter, "10.1.0.0"));
    assert_true(allows(filter, "10.1.127.255"));
    assert_false(allows(filter, "10.1.128.0"));
    assert_false(allows(filter, "10.0.255.255"));
    assert_true(allows(filter, "fd00:1:7fff::"));
    assert_false(allows(filter, "fd00:1:8000::"));
    assert_false(allows(filter, "192.168.0.1"));
    assert_true(cvg_filter_inside(filter));
    cvg_filter_free(filter);
}

#define PUBLIC 0x09090909U /* 9.9.9.9 */

static enum cvg_error with_interfaces(size_t count, const char *from, struct cvg_filter **filter)
{
    struct cvg_settings settings;
    interfaces(count, from, PUBLIC);
    parse("", &settings);
    return cvg_filter_new(&settings, filter);
}

/* Containers and bridges give a machine many addresses, which are no targets in any case. */
static void own_address_behind_many(void **state)
{
    struct cvg_filter *filter = NULL;
    (void)state;
    assert_int_equal(with_interfaces(MANY - 2, "10.0.0.0", &filter), CVG_OK);
    assert_false(allows(filter, "9.9.9.9"));
    assert_true(allows(filter, "9.9.9.8"));
    cvg_filter_free(filter);
    assert_int_equal(with_interfaces(512, "11.0.0.0", &filter), CVG_OK);
    assert_false(allows(filter, "9.9.9.9"));
    assert_false(allows(filter, "11.0.1.255"));
    assert_true(allows(filter, "11.0.2.0"));
    cvg_filter_free(filter);
}

/* Better no filter than one that has forgotten some. */
static void more_own_addresses_than_fit(void **state)
{
    struct cvg_filter *filter = NULL;
    (void)state;
    assert_int_equal(with_interfaces(MANY - 2, "11.0.0.0", &filter), CVG_ERR_RANGE);
    assert_null(filter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filter_without_exceptions),
        cmocka_unit_test(filter_with_exceptions),
        cmocka_unit_test(own_address_behind_many),
        cmocka_unit_test(more_own_addresses_than_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
