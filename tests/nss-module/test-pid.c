/* SPDX-License-Identifier: MIT */
/* The kept process id: in the process, in its children however they were made, and where the kernel
 * wipes no pages. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nss-module/pid.h"

static bool madvise_fails;

int __real_madvise(void *address, size_t len, int advice);
int __wrap_madvise(void *address, size_t len, int advice);
int __wrap_madvise(void *address, size_t len, int advice)
{
    if (!madvise_fails)
        return __real_madvise(address, len, advice);
    errno = EINVAL;
    return -1;
}

/* Twice: the first call may have to find it out. */
static bool is_right(void)
{
    return cvg_pid() == getpid() && cvg_pid() == getpid();
}

static void assert_right_in(pid_t child)
{
    int status;

    if (child == 0)
        _exit(is_right() ? 0 : 1);
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* First of all, before a page is made. */
static void without_wiped_pages(void **state)
{
    pid_t child = fork();
    int status;

    (void)state;
    if (child == 0) {
        madvise_fails = true;
        errno = 0;
        if (!is_right() || errno != 0)
            _exit(1);
        child = fork();
        if (child == 0)
            _exit(is_right() ? 0 : 1);
        _exit(waitpid(child, &status, 0) == child && status == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void in_the_process(void **state)
{
    (void)state;
    assert_true(is_right());
}

static void in_a_forked_child(void **state)
{
    (void)state;
    assert_right_in(fork());
    assert_true(is_right());
}

static void in_a_child_cloned_without_the_c_library(void **state)
{
    (void)state;
    assert_right_in((pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_wiped_pages),
        cmocka_unit_test(in_the_process),
        cmocka_unit_test(in_a_forked_child),
        cmocka_unit_test(in_a_child_cloned_without_the_c_library),
    };

    return cmocka_run_group_tests_name("the kept process id", tests, NULL, NULL);
}
