/* SPDX-License-Identifier: MIT */
/* The history where the disk is full, and when there is space again; and after clock steps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common/engine/history.h"
#include "tests/common/base/scratch.h"

#define MEGABYTE (1U << 20)

static char directory[512];

static int set_up(void **state)
{
    if (scratch_make(state) != 0)
        return -1;
    snprintf(directory, sizeof directory, "%s/history", scratch);
    return 0;
}

/* A limit on the size of files stands in for the disk. */
static void allow(rlim_t octets)
{
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = octets;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void note(struct cvg_history *history, int64_t time_s, enum cvg_verdict verdict)
{
    struct cvg_verdict_entry entry = {.host = "site.example",
                                      .time_s = time_s,
                                      .verdict = verdict,
                                      .action = CVG_ACTION_ACCEPT,
                                      .reason = CVG_REASON_CACHE};

    assert_true(cvg_history_note(history, &entry));
}

/* How many entries there are; their times must rise by one from first. */
static int count(struct cvg_history *history, int64_t first)
{
    struct cvg_history_reading *reading;
    const struct cvg_verdict_entry *entry;
    bool pause;
    int found = 0;

    assert_int_equal(cvg_history_read(history, &reading), CVG_OK);
    while ((entry = cvg_history_next(reading, &pause)) != NULL || pause)
        if (entry != NULL)
            assert_int_equal(entry->time_s, first + found++);
    cvg_history_end(reading);
    return found;
}

static void a_full_disk_and_space_again(void **state)
{
    struct cvg_history *history;

    (void)state;
    assert_int_equal(cvg_history_new(directory, MEGABYTE, &history), CVG_OK);
    note(history, 0, CVG_VERDICT_AGREE);
    assert_false(cvg_history_flush(history));
    allow(100);
    for (int i = 1; i < 50; i++)
        note(history, i, CVG_VERDICT_AGREE);
    assert_true(cvg_history_flush(history));
    assert_true(cvg_history_flush(history));
    assert_int_equal(count(history, 0), 1);
    allow(RLIM_INFINITY);
    assert_false(cvg_history_flush(history));
    assert_int_equal(count(history, 0), 50);
    cvg_history_free(history);
}

static void a_disk_that_stays_full_costs_entries_only(void **state)
{
    struct cvg_history *history;

    (void)state;
    assert_int_equal(cvg_history_new(directory, MEGABYTE, &history), CVG_OK);
    allow(100);
    for (int i = 0; i < 5000; i++)
        note(history, i, CVG_VERDICT_AGREE);
    allow(RLIM_INFINITY);
    assert_in_range(count(history, 0), 500, 4999);
    cvg_history_free(history);
}

static void order_is_not_the_clocks(void **state)
{
    struct cvg_history *history;
    struct cvg_history_reading *reading;
    static const int64_t times[] = {1000, 5, 7000, -3, 2};
    bool pause;

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(cvg_history_new(directory, MEGABYTE, &history), CVG_OK);
        note(history, times[i], i % 2 == 0 ? CVG_VERDICT_DISAGREE : CVG_VERDICT_AGREE);
        cvg_history_free(history);
    }
    assert_int_equal(cvg_history_new(directory, MEGABYTE, &history), CVG_OK);
    assert_int_equal(cvg_history_read(history, &reading), CVG_OK);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(cvg_history_next(reading, &pause)->time_s, times[i]);
    assert_null(cvg_history_next(reading, &pause));
    cvg_history_end(reading);
    cvg_history_free(history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_full_disk_and_space_again, set_up, scratch_remove),
        cmocka_unit_test_setup_teardown(a_disk_that_stays_full_costs_entries_only, set_up,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(order_is_not_the_clocks, set_up, scratch_remove),
    };

    return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
