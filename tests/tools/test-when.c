/* SPDX-License-Identifier: MIT */
/* Moments as people write them: spans back from now, dates, and what is neither. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <time.h>

#include "tools/when.h"

#define NOW INT64_C(1700000000) /* 2023-11-14T22:13:20Z */

static void assert_when(const char *text, int64_t expected)
{
    int64_t time_s = -1;

    if (!cvg_when_parse(text, NOW, &time_s))
        fail_msg("%s was not taken", text);
    if (time_s != expected)
        fail_msg("%s: %lld, not %lld", text, (long long)time_s, (long long)expected);
}

static void spans_go_back_from_now(void **state)
{
    (void)state;
    assert_when("0s", NOW);
    assert_when("30s", NOW - 30);
    assert_when("90m", NOW - 5400);
    assert_when("1h", NOW - 3600);
    assert_when("2d", NOW - 172800);
    assert_when("1w", NOW - 604800);
    assert_when("1700000000s", 0);
}

static void dates_are_local(void **state)
{
    (void)state;
    setenv("TZ", "UTC-2", 1); /* two hours east */
    tzset();
    assert_when("2023-11-15", NOW - 800 - 22 * 3600 + 22 * 3600);
    assert_when("2023-11-15T00:13:20", NOW);
    assert_when("2023-11-15 00:13", NOW - 20);
    assert_when("2023-11-14T22:13:20Z", NOW);
    assert_when("2023-11-15T03:43:20+05:30", NOW);
    assert_when("2023-11-14T17:13:20-0500", NOW);
    assert_when("2024-02-29T00:00Z", 1709164800);
    setenv("TZ", "UTC", 1);
    tzset();
    assert_when("1970-01-01", 0);
    assert_when("@1700000000", NOW);
}

static void what_is_neither_is_not_taken(void **state)
{
    static const char *const wrong[] = {"",
                                        "1",
                                        "h",
                                        "1x",
                                        "-1h",
                                        "1 h",
                                        "1hh",
                                        "1700000001s",
                                        "99999999999999999999d",
                                        "2023-11",
                                        "2023-11-31",
                                        "2023-02-29",
                                        "2023-13-01",
                                        "2023-00-10",
                                        "2023-11-00",
                                        "2023-11-14T",
                                        "2023-11-14T24:00",
                                        "2023-11-14T10:60",
                                        "2023-11-14T1:00",
                                        "2023-11-14T10:00:60",
                                        "2023-11-14x",
                                        "2023-11-14T10:00+15:00",
                                        "2023-11-14T10:00Zx",
                                        "@",
                                        "@x",
                                        "@-1",
                                        "now",
                                        "23-11-14"};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int64_t time_s = 42;

        if (cvg_when_parse(wrong[i], NOW, &time_s))
            fail_msg("%s was taken", wrong[i]);
        assert_int_equal(time_s, 42);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_go_back_from_now),
        cmocka_unit_test(dates_are_local),
        cmocka_unit_test(what_is_neither_is_not_taken),
    };

    return cmocka_run_group_tests_name("when", tests, NULL, NULL);
}
