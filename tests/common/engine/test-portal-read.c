/* SPDX-License-Identifier: MIT */
/* Portals' pages, and those that a notary's host may show itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/engine/portal-read.h"

static struct cvg_bundle_host public_host, addressed;

static enum cvg_portal_sign judge(const struct cvg_bundle_host *host, long status,
                                  const char *redirect, const char *address, bool at_relay,
                                  char *ret_url)
{
    struct cvg_portal_page page = {status, redirect, address, at_relay};
    char url[CVG_PORTAL_URL_MAX] = "untouched";
    enum cvg_portal_sign sign = cvg_portal_judge(host, &page, url);

    if (ret_url != NULL)
        strcpy(ret_url, url);
    return sign;
}

static int set_up(void **state)
{
    (void)state;
    strcpy(public_host.host, "notary.example.org");
    strcpy(addressed.host, "notary.example.org");
    strcpy(addressed.address[0], "198.51.100.7");
    addressed.address_count = 1;
    return 0;
}

static void what_a_notary_says_itself(void **state)
{
    static const long refusals[] = {400, 403, 404, 405, 429, 500, 503};

    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        assert_int_equal(judge(&public_host, refusals[i], NULL, "9.9.9.9", true, NULL),
                         CVG_PORTAL_NONE);
    assert_int_equal(
        judge(&public_host, 301, "https://notary.example.org/x", "9.9.9.9", false, NULL),
        CVG_PORTAL_NONE);
    assert_int_equal(judge(&public_host, 301, "https://WWW.Notary.example.org/", "", false, NULL),
                     CVG_PORTAL_NONE);
    assert_int_equal(judge(&addressed, 301, "https://198.51.100.7/", "198.51.100.7", false, NULL),
                     CVG_PORTAL_NONE);
    assert_int_equal(judge(&public_host, 200, NULL, "9.9.9.9", false, NULL), CVG_PORTAL_NOTHING);
    assert_int_equal(judge(&public_host, 0, NULL, NULL, true, NULL), CVG_PORTAL_NOTHING);
    assert_int_equal(judge(&public_host, 304, NULL, "9.9.9.9", true, NULL), CVG_PORTAL_NOTHING);
}

static void what_only_a_portal_says(void **state)
{
    char url[CVG_PORTAL_URL_MAX];

    (void)state;
    assert_int_equal(judge(&public_host, 511, NULL, "9.9.9.9", false, url), CVG_PORTAL_HERE);
    assert_string_equal(url, "");
    assert_int_equal(judge(&public_host, 302, "http://login.hotel.example/?a=1", "", true, url),
                     CVG_PORTAL_HERE);
    assert_string_equal(url, "http://login.hotel.example/?a=1");
    assert_int_equal(judge(&public_host, 302, "http://evilnotary.example.org/", "", true, NULL),
                     CVG_PORTAL_HERE);
    assert_int_equal(judge(&public_host, 200, NULL, "9.9.9.9", true, NULL), CVG_PORTAL_HERE);
}

static void a_name_that_leads_home(void **state)
{
    (void)state;
    assert_int_equal(judge(&public_host, 200, NULL, "192.168.1.1", false, NULL), CVG_PORTAL_HERE);
    assert_int_equal(judge(&public_host, 200, NULL, "fe80::1", false, NULL), CVG_PORTAL_HERE);
    assert_int_equal(judge(&addressed, 200, NULL, "192.168.1.1", false, NULL), CVG_PORTAL_NOTHING);
}

static void addresses_that_must_not_be_shown(void **state)
{
    static const char *const bad[] = {"http://x/\033[2J",  "http://x/a b", "javascript:alert(1)",
                                      "http://x/\"",       "http://x/<b>", "ftp://x/",
                                      "http://x/\xc3\xa9", "http://x/\x7f"};
    char longest[CVG_PORTAL_URL_MAX + 1] = "http://x/", url[CVG_PORTAL_URL_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(judge(&public_host, 302, bad[i], "", true, url), CVG_PORTAL_HERE);
        assert_string_equal(url, "");
    }
    memset(longest + 9, 'a', sizeof longest - 10);
    judge(&public_host, 302, longest, "", true, url);
    assert_string_equal(url, "");
    longest[CVG_PORTAL_URL_MAX - 1] = '\0';
    judge(&public_host, 302, longest, "", true, url);
    assert_string_equal(url, longest);
}

static void redirects_to_addresses(void **state)
{
    struct cvg_bundle_host v6 = {.host = "2001:db8:0::7"};
    char url[CVG_PORTAL_URL_MAX];

    (void)state;
    assert_int_equal(judge(&v6, 302, "https://[2001:db8::7]/", "", true, NULL), CVG_PORTAL_NONE);
    assert_int_equal(judge(&v6, 302, "https://[2001:DB8::0:7]:8443/", "", true, NULL),
                     CVG_PORTAL_NONE);
    assert_int_equal(judge(&v6, 302, "http://[2001:db8::8]/login", "", true, url), CVG_PORTAL_HERE);
    assert_string_equal(url, "http://[2001:db8::8]/login");
    assert_int_equal(judge(&v6, 302, "http://[fe80::1%25wlan0]/", "", true, NULL), CVG_PORTAL_HERE);
    assert_int_equal(judge(&v6, 302, "http://198.51.100.7/", "", true, NULL), CVG_PORTAL_HERE);
    assert_int_equal(judge(&addressed, 302, "http://[2001:db8::8]/", "", true, NULL),
                     CVG_PORTAL_HERE);
    strcpy(v6.host, "notary.example.org");
    strcpy(v6.address[0], "2001:db8::7");
    v6.address_count = 1;
    assert_int_equal(judge(&v6, 302, "https://[2001:db8::7]/", "", true, NULL), CVG_PORTAL_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_notary_says_itself),
        cmocka_unit_test(what_only_a_portal_says),
        cmocka_unit_test(a_name_that_leads_home),
        cmocka_unit_test(redirects_to_addresses),
        cmocka_unit_test(addresses_that_must_not_be_shown),
    };

    return cmocka_run_group_tests_name("portal-read", tests, set_up, NULL);
}
