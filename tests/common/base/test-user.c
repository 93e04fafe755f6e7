/* SPDX-License-Identifier: MIT */
/* passwd(5) without the name service switch: whole names only, and lines that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "common/base/user.h"
#include "tests/common/base/scratch.h"

static enum cvg_error find(const char *text, uid_t *ret_uid)
{
    return cvg_user_find(scratch_file("passwd", text, 0644), "converge", ret_uid);
}

static void the_user_of_exactly_that_name_is_found(void **state)
{
    uid_t uid = 0;

    (void)state;
    assert_int_equal(find("root:x:0:0::/root:/bin/sh\n"
                          "converge2:x:1:1::/:/bin/false\n"
                          "xconverge:x:2:2::/:/bin/false\n"
                          "converge:x:997:996:Converge:/nonexistent:/usr/sbin/nologin\n",
                          &uid),
                     CVG_OK);
    assert_int_equal(uid, 997);
    assert_int_equal(find("converge::5:", &uid), CVG_OK);
    assert_int_equal(uid, 5);
}

static void malformed_lines_are_passed_over(void **state)
{
    static const char *const lines[] = {
        "",
        "converge",
        "converge:",
        "converge:x",
        "converge:x:",
        "converge:x::1:",
        "converge:x:1",
        "converge:x:-1:1:",
        "converge:x:+1:1:",
        "converge:x: 1:1:",
        "converge:x:1x:1:",
        "converge:x:4294967295:1:",
        "converge:x:4294967296:1:",
        "converge:x:99999999999999999999:1:",
        "Converge:x:1:1:",
        "#converge:x:1:1:",
    };
    uid_t uid = 77;

    (void)state;
    errno = EXDEV;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (find(lines[i], &uid) != CVG_ERR_NOT_FOUND)
            fail_msg("'%s'", lines[i]);
    assert_int_equal(uid, 77);
}

/* What looks like a line in the middle of an over-long one is not a line. */
static void a_long_line_hides_nothing(void **state)
{
    char text[3000];
    uid_t uid = 77;

    (void)state;
    for (size_t pad = 500; pad < 520; pad++) {
        memset(text, 'x', sizeof text);
        strcpy(text + pad, "converge:x:0:0:");
        assert_int_equal(find(text, &uid), CVG_ERR_NOT_FOUND);
    }
    memset(text, 'x', 2000);
    strcpy(text + 2000, "\nconverge:x:12:12:\n");
    assert_int_equal(find(text, &uid), CVG_OK);
    assert_int_equal(uid, 12);
}

static void a_file_that_cannot_be_read_is_an_error(void **state)
{
    uid_t uid = 77;

    (void)state;
    assert_int_equal(cvg_user_find(scratch_path("none"), "root", &uid), CVG_ERR_NOT_FOUND);
    assert_int_equal(cvg_user_find(scratch, "root", &uid), CVG_ERR_IO);
    scratch_file("file", "", 0600);
    assert_int_equal(cvg_user_find(scratch_path("file/below"), "root", &uid), CVG_ERR_IO);
    assert_int_equal(uid, 77);
    assert_int_equal(cvg_user_find("/etc/passwd", "root", &uid), CVG_OK);
    assert_int_equal(uid, 0);
}

#define SCRATCH_TEST(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(the_user_of_exactly_that_name_is_found),
        SCRATCH_TEST(malformed_lines_are_passed_over),
        SCRATCH_TEST(a_long_line_hides_nothing),
        SCRATCH_TEST(a_file_that_cannot_be_read_is_an_error),
    };

    return cmocka_run_group_tests_name("user", tests, NULL, NULL);
}
