/* SPDX-License-Identifier: MIT */
/* The log handler: silence by default, levels, masking, cutting; and the clocks, errors and words
 * that have no test program of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/log.h"

static char last[2048];
static int lines;

static void remember(enum cvg_log_level level, const char *line, void *user)
{
    assert_ptr_equal(user, &lines);
    snprintf(last, sizeof last, "%d %s", (int)level, line);
    lines++;
    errno = EBADF;
}

static int silence(void **state)
{
    (void)state;
    cvg_log_set_handler(NULL, CVG_LOG_DEBUG, NULL);
    lines = 0;
    return 0;
}

static void nothing_is_written_without_a_handler(void **state)
{
    (void)state;
    cvg_log(CVG_LOG_ERROR, "lost");
    assert_int_equal(lines, 0);
}

static void levels_above_the_chosen_one_are_dropped(void **state)
{
    (void)state;
    cvg_log_set_handler(remember, CVG_LOG_NOTICE, &lines);
    cvg_log(CVG_LOG_INFO, "no");
    assert_int_equal(lines, 0);
    cvg_log(CVG_LOG_NOTICE, "yes %d", 1);
    assert_string_equal(last, "2 yes 1");
}

static void control_characters_are_masked_and_errno_kept(void **state)
{
    (void)state;
    cvg_log_set_handler(remember, CVG_LOG_DEBUG, &lines);
    errno = ENOENT;
    cvg_log(CVG_LOG_ERROR, "%s", "a\nb\rc\033[1m\x7f\xc3\xa4\xc2\x9b\xc2\xa0\xc2");
    assert_int_equal(errno, ENOENT);
    assert_string_equal(last, "0 a?b?c?[1m?\xc3\xa4??\xc2\xa0\xc2");
}

static void long_lines_are_cut(void **state)
{
    char text[3000];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    cvg_log_set_handler(remember, CVG_LOG_DEBUG, &lines);
    cvg_log(CVG_LOG_ERROR, "%s", text);
    assert_int_equal(strlen(last), 2 + 1023);
}

static void the_descriptor_handler_writes_one_line(void **state)
{
    char text[2048] = "";
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    cvg_log_set_handler(cvg_log_to_fd, CVG_LOG_DEBUG, &fds[1]);
    cvg_log(CVG_LOG_WARNING, "disk %s", "full");
    assert_true(read(fds[0], text, sizeof text - 1) > 0);
    assert_string_equal(text, "warning: disk full\n");
    close(fds[0]);
    close(fds[1]);
}

static void the_system_clocks_tell_their_units(void **state)
{
    const struct cvg_clock *clock = cvg_clock_system();
    uint64_t before = cvg_clock_ms(clock);
    struct timespec pause = {0, 3000000};

    (void)state;
    nanosleep(&pause, NULL);
    assert_in_range(cvg_clock_ms(clock) - before, 2, 60000);
    assert_true(cvg_clock_wall_s(clock) - (int64_t)time(NULL) <= 1);
    assert_true(cvg_clock_wall_s(clock) - (int64_t)time(NULL) >= -1);
}

static void every_error_has_its_own_phrase(void **state)
{
    (void)state;
    for (int a = 0; a < CVG_ERR_COUNT; a++)
        for (int b = 0; b < a; b++)
            assert_string_not_equal(cvg_strerror((enum cvg_error)a),
                                    cvg_strerror((enum cvg_error)b));
    assert_string_equal(cvg_strerror(CVG_ERR_COUNT), "unknown error");
    assert_string_equal(cvg_strerror((enum cvg_error) - 1), "unknown error");
}

static void a_failure_is_cut_and_keeps_errno(void **state)
{
    char text[2 * CVG_WHY_MAX];
    struct cvg_why why;

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    errno = EAGAIN;
    assert_int_equal(cvg_fail(&why, CVG_ERR_IO, "%s", text), CVG_ERR_IO);
    assert_int_equal(strlen(why.text), CVG_WHY_MAX - 1);
    assert_int_equal(cvg_fail(NULL, CVG_ERR_PIN, "%s", text), CVG_ERR_PIN);
    assert_int_equal(errno, EAGAIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_is_written_without_a_handler, silence),
        cmocka_unit_test_setup(levels_above_the_chosen_one_are_dropped, silence),
        cmocka_unit_test_setup(control_characters_are_masked_and_errno_kept, silence),
        cmocka_unit_test_setup(long_lines_are_cut, silence),
        cmocka_unit_test_setup(the_descriptor_handler_writes_one_line, silence),
        cmocka_unit_test(the_system_clocks_tell_their_units),
        cmocka_unit_test(every_error_has_its_own_phrase),
        cmocka_unit_test(a_failure_is_cut_and_keeps_errno),
    };

    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
