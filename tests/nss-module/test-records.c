/* SPDX-License-Identifier: MIT */
/* What the gate reads of records and of a proxy's request: every length, and every octet that
 * matters. */
#include "config.h"

#include "nss-module/records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CHANGE 20
#define ALERT  21
#define DATA   23

/* Appends a record of this type and length, and returns the new length. */
static size_t add_record(uint8_t *at, size_t used, uint8_t type, size_t len)
{
    const uint8_t head[5] = {type, 3, 3, (uint8_t)(len >> 8), (uint8_t)len};

    memcpy(at + used, head, sizeof head);
    memset(at + used + sizeof head, 1, len);
    return used + sizeof head + len;
}

static bool only_alert(uint8_t type, size_t len)
{
    uint8_t record[1024];

    return cvg_records_only_alert(record, add_record(record, 0, type, len));
}

static void test_alert_types(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++)
        assert_int_equal(only_alert((uint8_t)type, 2), type == ALERT);
}

static void test_alert_lengths(void **state)
{
    (void)state;
    for (size_t len = 0; len < 600; len++) {
        assert_int_equal(only_alert(ALERT, len), len >= 2 && len <= 256);
        assert_int_equal(only_alert(DATA, len), len == 19);
        assert_false(only_alert(CHANGE, len));
    }
}

static void test_alert_after_change(void **state)
{
    uint8_t records[256];
    size_t len = add_record(records, 0, CHANGE, 1);

    (void)state;
    assert_true(cvg_records_only_alert(records, add_record(records, len, DATA, 19)));
    assert_true(cvg_records_only_alert(records, add_record(records, len, ALERT, 26)));
    len = add_record(records, 0, CHANGE, 2);
    assert_false(cvg_records_only_alert(records, add_record(records, len, DATA, 19)));
}

static void test_nothing_after_an_alert(void **state)
{
    uint8_t records[256];
    size_t len = add_record(records, 0, ALERT, 2);

    (void)state;
    assert_false(cvg_records_only_alert(records, add_record(records, len, ALERT, 2)));
    assert_false(cvg_records_only_alert(records, add_record(records, len, DATA, 40)));
    assert_false(cvg_records_only_alert(records, add_record(records, len, CHANGE, 1)));
    assert_false(cvg_records_only_alert(records, len + 1));
}

static void test_incomplete_alerts(void **state)
{
    uint8_t record[64];
    const size_t len = add_record(record, 0, ALERT, 26);

    (void)state;
    assert_false(cvg_records_only_alert(NULL, 0));
    for (size_t cut = 0; cut < len; cut++)
        assert_false(cvg_records_only_alert(record, cut));
    record[1] = 2;
    assert_false(cvg_records_only_alert(record, len));
}

static void test_role(void **state)
{
    uint8_t hello[6] = {22, 3, 1, 0, 200, 0};

    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        hello[5] = (uint8_t)type;
        assert_int_equal(cvg_records_role(hello, sizeof hello), type == 1   ? CVG_ROLE_CLIENT
                                                                : type == 2 ? CVG_ROLE_SERVER
                                                                            : CVG_ROLE_UNKNOWN);
    }
    hello[5] = 1;
    for (size_t len = 0; len < sizeof hello; len++)
        assert_int_equal(cvg_records_role(hello, len), CVG_ROLE_UNKNOWN);
    for (unsigned type = 0; type < 256; type++) {
        hello[0] = (uint8_t)type;
        assert_int_equal(cvg_records_role(hello, sizeof hello),
                         type == 22 ? CVG_ROLE_CLIENT : CVG_ROLE_UNKNOWN);
    }
    hello[0] = 22;
    hello[1] = 2;
    assert_int_equal(cvg_records_role(hello, sizeof hello), CVG_ROLE_UNKNOWN);
}

static const struct {
    const char *request, *host; /* host NULL: not taken */
    uint16_t port;
} requests[] = {
    {"CONNECT site.example:443 HTTP/1.1\r\n", "site.example", 443},
    {"CONNECT Site.Example:8443 HTTP/1.0\r\n\r\n", "site.example", 8443},
    {"CONNECT 192.0.2.1:1 HTTP/1.1\r\n", "192.0.2.1", 1},
    {"CONNECT [2001:db8::1]:65535 HTTP/1.1\r\n", "2001:db8::1", 65535},
    {"CONNECT [::ffff:192.0.2.1]:443 HTTP/1.1\r\n", "192.0.2.1", 443},
    {"CONNECT site.example HTTP/1.1\r\n", NULL, 0},
    {"CONNECT site.example: HTTP/1.1\r\n", NULL, 0},
    {"CONNECT site.example:0 HTTP/1.1\r\n", NULL, 0},
    {"CONNECT site.example:65536 HTTP/1.1\r\n", NULL, 0},
    {"CONNECT site.example:+443 HTTP/1.1\r\n", NULL, 0},
    {"CONNECT :443 HTTP/1.1\r\n", NULL, 0},
    {"CONNECT a_b..c:443 HTTP/1.1\r\n", NULL, 0},
    {"CONNECT 2001:db8::1:443 HTTP/1.1\r\n", NULL, 0},
    {"CONNECT [2001:db8::1] HTTP/1.1\r\n", NULL, 0},
    {"CONNECT  site.example:443 HTTP/1.1\r\n", NULL, 0},
    {"CONNECT site.example:443\r\n", NULL, 0},
    {"CONNECT site.example:443 HTTP/2\r\n", NULL, 0},
    {"connect site.example:443 HTTP/1.1\r\n", NULL, 0},
    {"CONNECTsite.example:443 HTTP/1.1\r\n", NULL, 0},
    {" CONNECT site.example:443 HTTP/1.1\r\n", NULL, 0},
    {"GET / HTTP/1.1\r\n", NULL, 0},
};

static void test_connect(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        struct cvg_spoken spoken = {.sent = 5, .connect_host = "before", .connect_port = 7};
        const bool taken =
            cvg_records_connect(requests[i].request, strlen(requests[i].request), &spoken);

        if (taken != (requests[i].host != NULL))
            fail_msg("%s", requests[i].request);
        assert_string_equal(spoken.connect_host, taken ? requests[i].host : "before");
        assert_int_equal(spoken.connect_port, taken ? requests[i].port : 7);
        assert_int_equal(spoken.sent, 5);
    }
}

/* In memory of exactly its size, so that a sanitizer sees one octet too many. */
static void test_connect_cut(void **state)
{
    static const char request[] = "CONNECT site.example:443 HTTP/1.1";
    const size_t enough = strlen("CONNECT site.example:443 HTTP/1.");
    struct cvg_spoken spoken;

    (void)state;
    for (size_t len = 0; len < sizeof request; len++) {
        char *copy = malloc(len + 1);

        assert_non_null(copy);
        memcpy(copy, request, len);
        copy = realloc(copy, len ? len : 1);
        assert_int_equal(cvg_records_connect(copy, len, &spoken), len >= enough);
        free(copy);
    }
}

static void test_connect_long(void **state)
{
    char request[600] = "CONNECT ";
    struct cvg_spoken spoken;

    (void)state;
    memset(request + 8, 'a', 500);
    strcpy(request + 508, ":443 HTTP/1.1\r\n");
    assert_false(cvg_records_connect(request, strlen(request), &spoken));
    memcpy(request + 8, "site\0example", 12);
    assert_false(cvg_records_connect(request, 523, &spoken));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alert_types),
        cmocka_unit_test(test_alert_lengths),
        cmocka_unit_test(test_alert_after_change),
        cmocka_unit_test(test_nothing_after_an_alert),
        cmocka_unit_test(test_incomplete_alerts),
        cmocka_unit_test(test_role),
        cmocka_unit_test(test_connect),
        cmocka_unit_test(test_connect_cut),
        cmocka_unit_test(test_connect_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
