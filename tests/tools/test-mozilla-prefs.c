/* SPDX-License-Identifier: MIT */
/* Preferences as Firefox and administrators write them. */
#include "tools/mozilla-prefs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HTTP3 "network.http.http3.enable"

static void expect(const char *text, const char *value, bool locked)
{
    struct cvg_mozilla_pref pref = {.locked = !locked};

    assert_true(cvg_mozilla_pref_find(text, HTTP3, &pref));
    assert_string_equal(pref.value, value);
    assert_int_equal(pref.locked, locked);
}

static void expect_none(const char *text)
{
    struct cvg_mozilla_pref pref = {.value = "kept"};

    assert_false(cvg_mozilla_pref_find(text, HTTP3, &pref));
    assert_string_equal(pref.value, "kept");
}

static void test_a_profile_s_line(void **state)
{
    (void)state;
    expect("user_pref(\"" HTTP3 "\", false);\n", "false", false);
    expect("user_pref(\"" HTTP3 "\", \"a, b)\");", "a, b)", false);
    expect("  user_pref ( '" HTTP3 "' , 7 ) ;\r\n", "7", false);
}

static void test_lines_that_lock(void **state)
{
    (void)state;
    expect("pref(\"" HTTP3 "\", false, locked);", "false", true);
    expect("lockPref(\"" HTTP3 "\", true);", "true", true);
    expect("pref(\"" HTTP3 "\", false, sticky);\npref(\"" HTTP3 "\", true);", "true", false);
}

static void test_the_last_line_counts(void **state)
{
    (void)state;
    expect("user_pref(\"" HTTP3 "\", true);\nuser_pref(\"" HTTP3 "\", false);\n", "false", false);
}

static void test_other_lines_do_not_count(void **state)
{
    (void)state;
    expect_none("");
    expect_none("// user_pref(\"" HTTP3 "\", false);\n");
    expect_none("user_pref(\"" HTTP3 ".other\", false);\n");
    expect_none("user_pref(\"" HTTP3 "\"");
    expect_none("user_pref(\"" HTTP3 "\", false");
    expect_none("set_pref(\"" HTTP3 "\", false);");
}

static void test_lines_of_any_length(void **state)
{
    char text[4096];

    (void)state;
    memset(text, 'x', sizeof text);
    memcpy(text, "pref(\"" HTTP3 "\", \"", strlen("pref(\"" HTTP3 "\", \""));
    text[sizeof text - 1] = '\0';
    expect_none(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_profile_s_line),
        cmocka_unit_test(test_lines_that_lock),
        cmocka_unit_test(test_the_last_line_counts),
        cmocka_unit_test(test_other_lines_do_not_count),
        cmocka_unit_test(test_lines_of_any_length),
    };

    return cmocka_run_group_tests_name("mozilla-prefs", tests, NULL, NULL);
}
