/* SPDX-License-Identifier: MIT */
/* A key's value changed in a text, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tools/key-line.h"

static void assert_set(const char *text, const char *expected)
{
    struct cvg_buffer out;

    cvg_buffer_init(&out, 4096);
    assert_int_equal(cvg_key_line_set(text, strlen(text), "mode", "augment", &out), CVG_OK);
    assert_int_equal(out.len, strlen(expected));
    assert_memory_equal(out.data, expected, out.len);
    cvg_buffer_free(&out);
}

static void the_value_is_replaced_where_it_stands(void **state)
{
    (void)state;
    assert_set("mode = monitor\n", "mode = augment\n");
    assert_set("quorum = 4\nmode = monitor\nlock = no\n",
               "quorum = 4\nmode = augment\nlock = no\n");
    assert_set("mode=monitor", "mode=augment");
    assert_set("\t mode\t=  monitor \t\n", "\t mode\t=  augment \t\n");
    assert_set("mode =\n", "mode =augment\n");
}

static void comments_and_line_ends_stay(void **state)
{
    (void)state;
    assert_set("mode = monitor # until # Friday\n", "mode = augment # until # Friday\n");
    assert_set("# mode = replace\r\nmode = monitor\r\n", "# mode = replace\r\nmode = augment\r\n");
    assert_set("mode = # none\n", "mode =augment # none\n");
}

static void other_keys_are_not_it(void **state)
{
    (void)state;
    assert_set("modes = x\nmod = e\na mode = b\n",
               "modes = x\nmod = e\na mode = b\nmode = augment\n");
    assert_set("log = /mode = x\n", "log = /mode = x\nmode = augment\n");
}

static void without_a_line_one_is_added(void **state)
{
    (void)state;
    assert_set("", "mode = augment\n");
    assert_set("quorum = 4", "quorum = 4\nmode = augment\n");
    assert_set("quorum = 4\r\nlock = no", "quorum = 4\r\nlock = no\r\nmode = augment\r\n");
    assert_set("lock = no\r\n\r", "lock = no\r\n\r\nmode = augment\r\n");
    assert_set("# mode = monitor\n", "# mode = monitor\nmode = augment\n");
}

static void what_does_not_fit_is_an_error(void **state)
{
    struct cvg_buffer out;

    (void)state;
    for (size_t max = 0; max < 15; max++) {
        cvg_buffer_init(&out, max);
        assert_int_not_equal(cvg_key_line_set("mode = x # ab", 13, "mode", "augment", &out),
                             CVG_OK);
        assert_int_not_equal(cvg_key_line_set("", 0, "mode", "augment", &out), CVG_OK);
        cvg_buffer_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_value_is_replaced_where_it_stands),
        cmocka_unit_test(comments_and_line_ends_stay),
        cmocka_unit_test(other_keys_are_not_it),
        cmocka_unit_test(without_a_line_one_is_added),
        cmocka_unit_test(what_does_not_fit_is_an_error),
    };

    return cmocka_run_group_tests_name("key-line", tests, NULL, NULL);
}
