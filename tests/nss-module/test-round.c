/* SPDX-License-Identifier: MIT */
/* How long a thread may wait for first answers, and patiently, over a clock and a poll of its own:
 * whoever makes many connections wait does not stop the thread. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <time.h>

#include "nss-module/round.h"

#define MS      INT64_C(1000000)
#define SECOND  (1000 * MS)
#define SOME_FD 100

static int64_t now = SECOND * 1000;
static int64_t answer_after; /* 0: never */
static int64_t waited;       /* all of it */

int __wrap_clock_gettime(clockid_t which, struct timespec *ret_time);
int __wrap_clock_gettime(clockid_t which, struct timespec *ret_time)
{
    (void)which;
    *ret_time = (struct timespec){now / SECOND, now % SECOND};
    return 0;
}

int __wrap_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                 const sigset_t *mask);
int __wrap_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                 const sigset_t *mask)
{
    int64_t most = timeout->tv_sec * SECOND + timeout->tv_nsec;
    int64_t waits = answer_after != 0 && answer_after < most ? answer_after : most;

    (void)mask;
    assert_int_equal(count, 1);
    assert_int_equal(fds[0].fd, SOME_FD);
    now += waits;
    waited += waits;
    return waits < most;
}

static int64_t wait_often(void wait(int), int times, int64_t every)
{
    waited = 0;
    for (int i = 0; i < times; i++) {
        wait(SOME_FD);
        now += every;
    }
    return waited;
}

static int setup(void **state)
{
    (void)state;
    now += 60 * SECOND;
    answer_after = 0;
    return 0;
}

static void first_waits_end_together(void **state)
{
    (void)state;
    assert_int_equal(wait_often(cvg_round_first_wait, 100, 1), 2 * MS);
}

static void first_waits_come_again(void **state)
{
    (void)state;
    assert_int_equal(wait_often(cvg_round_first_wait, 50, 20 * MS), 50 * 2 * MS);
}

static void patience_lasts_once(void **state)
{
    (void)state;
    assert_int_equal(wait_often(cvg_round_patient_wait, 1, 0), 200 * MS);
}

static void patience_ends_for_all_together(void **state)
{
    (void)state;
    assert_int_equal(wait_often(cvg_round_patient_wait, 1000, 1), 200 * MS);
}

static void patience_comes_again_in_seconds(void **state)
{
    (void)state;
    assert_int_equal(wait_often(cvg_round_patient_wait, 90, SECOND / 10), 400 * MS);
}

static void answers_that_are_there_cost_what_they_take(void **state)
{
    (void)state;
    answer_after = MS;
    assert_int_equal(wait_often(cvg_round_patient_wait, 150, 1), 150 * MS);
}

static void neither_eats_up_the_other(void **state)
{
    (void)state;
    wait_often(cvg_round_patient_wait, 2, 0);
    assert_int_equal(wait_often(cvg_round_first_wait, 1, 0), 2 * MS);
}

static void nothing_to_poll(void **state)
{
    (void)state;
    waited = 0;
    cvg_round_first_wait(-1);
    cvg_round_patient_wait(-1);
    assert_int_equal(waited, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(first_waits_end_together, setup),
        cmocka_unit_test_setup(first_waits_come_again, setup),
        cmocka_unit_test_setup(patience_lasts_once, setup),
        cmocka_unit_test_setup(patience_ends_for_all_together, setup),
        cmocka_unit_test_setup(patience_comes_again_in_seconds, setup),
        cmocka_unit_test_setup(answers_that_are_there_cost_what_they_take, setup),
        cmocka_unit_test_setup(neither_eats_up_the_other, setup),
        cmocka_unit_test_setup(nothing_to_poll, setup),
    };

    return cmocka_run_group_tests_name("round", tests, NULL, NULL);
}
