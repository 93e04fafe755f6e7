/* SPDX-License-Identifier: MIT */
/* The GDBM backend: what a segment brings comes back, merged with what was there; old, and too
 * many, records go; without memory, and in places that cannot be used, nothing is lost. */
#include <gdbm.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/notary/gdbmlab.h"

static void absorb_and_get(void **state)
{
    struct cvg_segment *segment = segment_new();
    struct stat info;
    (void)state;
    has("a", "");
    assert_int_equal(get("a").err, CVG_ERR_NOT_FOUND);
    assert_int_equal(count_files("o.gdbm"), 0);
    add(segment, "a", 1, now_s - 5);
    add(segment, "b", 2, now_s - 5);
    add(segment, "a", 3, now_s - 4); /* the newest of a key wins within a segment */
    assert_int_equal(absorb(segment), CVG_OK);
    has("a", "3");
    has("b", "2");
    has("c", "");
    assert_int_equal(backend->count(backend), 2);
    assert_true(backend->is_up(backend));
    absorb_one("a", 1, now_s - 3); /* over nothing of what is in the store */
    has("a", "13");
    has("b", "2");
    finish();
    begin();
    has("a", "13");
    has("b", "2");
    assert_int_equal(backend->count(backend), 2);
    assert_int_equal(stat(settings.database, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(count_files("*.new"), 0);
}

static void database_of_an_earlier_release(void **state)
{
    (void)state;
    finish();
    put_older_release("old", 1, now_s - DAY);
    put_older_release("both", 2, now_s - DAY);
    begin();
    has("old", "1");
    absorb_one("both", 3, now_s);
    has("old", "1");
    has("both", "23");
    assert_int_equal(count_files("*.damaged.*"), 0);
}

/* The clock was an hour ahead when one certificate was seen; the next, seen later, replaces it. */
static void clock_set_back(void **state)
{
    struct cvg_observations seen = {.count = 0};
    struct cvg_leaf leaf = {.key_type = CVG_KEY_EC};
    const struct cvg_address address = {.family = 4, .bytes = {192, 0, 2, 1}};
    struct cvg_segment *segment = segment_new();
    struct cvg_buffer value;
    uint64_t at;
    (void)state;
    absorb_one("a", 1, now_s - 10);
    memset(leaf.sha256, 1, sizeof(leaf.sha256));
    assert_int_equal(cvg_observations_add(&seen, &leaf, &address, now_s - 10), CVG_OK);
    memset(leaf.sha256, 2, sizeof(leaf.sha256));
    assert_int_equal(cvg_observations_add(&seen, &leaf, &address, now_s - 3600), CVG_OK);
    cvg_buffer_init(&value, CVG_VALUE_MAX);
    assert_int_equal(cvg_observations_write(&seen, &value), CVG_OK);
    assert_int_equal(cvg_segment_append(segment, "a", 1, value.data, value.len, &at), CVG_OK);
    assert_int_equal(absorb(segment), CVG_OK);
    cvg_observations_free(&seen);
    cvg_buffer_free(&value);
    struct got got = get("a");
    assert_int_equal(got.err, CVG_OK);
    for (size_t i = 0; i < got.seen.count; i++)
        assert_int_equal(cvg_observations_current(&got.seen, i, now_s, DAY),
                         got.seen.record[i].leaf.sha256[0] == 2);
    cvg_observations_free(&got.seen);
}

static void oldest_go_when_there_are_too_many(void **state)
{
    (void)state;
    finish();
    settings.max_stored = 1000;
    begin();
    fill("old", 600, now_s - 5 * DAY);
    fill("new", 600, now_s - 2 * DAY);
    assert_int_equal(count_found("new", 600), 600);
    assert_int_equal(count_found("old", 600), 400);
    has("old 199", "");
    has("old 200", "3");
    assert_int_equal(backend->count(backend), 1000);
    struct cvg_segment *segment = segment_new();
    char key[32];
    for (int i = 0; i < 1200; i++) /* all equally old: nothing to choose between */
        add(segment, name(key, "flood", i), (uint8_t)(i % 9 + 1), now_s);
    assert_int_equal(absorb(segment), CVG_OK);
    assert_int_equal(count_found("flood", 1200), 1000);
    assert_int_equal(backend->count(backend), 1000);
}

static void forgotten_after_a_time(void **state)
{
    (void)state;
    finish();
    settings.forget_after_s = 30 * DAY;
    begin();
    absorb_one("gone", 1, now_s - 30 * DAY - 60);
    absorb_one("stays", 1, now_s - 30 * DAY + 600);
    absorb_one("seen again", 1, now_s - 30 * DAY + 600);
    absorb_one("seen again", 2, now_s);
    has("gone", "");
    has("stays", "1");
    has("seen again", "12");
}

/* Each allocation of a merge fails in turn: the old file stays, or nothing is missing in the new.
 */
static void no_memory(void **state)
{
    int failed = 0;
    (void)state;
    finish();
    settings.max_stored = 30; /* so that the times are looked at, too */
    begin();
    fill("key", 20, now_s - DAY);
    for (int n = 0;; n++) {
        struct cvg_segment *segment = segment_new();
        add(segment, "key 3", 9, now_s);
        for (int i = 0; i < 15; i++)
            add(segment, i % 2 == 0 ? "more" : "key 5", 8, now_s + i);
        atomic_store(&allocations_left, n);
        enum cvg_error err = absorb(segment);
        bool was_reached = atomic_load(&allocations_left) < 0;
        atomic_store(&allocations_left, -1);
        has("key 3", err == CVG_OK ? "49" : failed == n ? "4" : "49");
        has("key 5", err == CVG_OK ? "68" : failed == n ? "6" : "68");
        has("key 7", "8");
        if (err != CVG_OK)
            failed++;
        if (!was_reached)
            break;
        assert_int_equal(count_files("*.damaged.*") + count_files("*.new"), 0);
    }
    assert_true(failed > 100);
    has("more", "8");
}

static void not_called(enum cvg_error err, void *user)
{
    (void)err;
    (void)user;
    fail();
}

static void freed_during_a_merge(void **state)
{
    struct cvg_segment *segment = segment_new();
    (void)state;
    fill("key", KEYS, now_s - DAY);
    add(segment, "more", 1, now_s);
    cvg_segment_seal(segment);
    backend->absorb(backend, segment, not_called, NULL);
    finish();
    cvg_segment_free(segment);
    assert_int_equal(count_files("*.new"), 0);
    begin();
    assert_int_equal(count_found("key", KEYS), KEYS);
}

static void unusable_places(void **state)
{
    struct cvg_backend *other = NULL;
    struct cvg_why why = {.text = ""};
    struct cvg_settings elsewhere = settings;
    (void)state;
    strcpy(elsewhere.database, "/nonexistent/o.gdbm");
    assert_int_equal(cvg_backend_gdbm_new(&loop, &elsewhere, &metrics, &other, &why), CVG_ERR_IO);
    assert_non_null(strstr(why.text, "/nonexistent/"));
    /* A process of an earlier release that has it open for writing. */
    snprintf(elsewhere.database, sizeof(elsewhere.database), "%s/taken", directory);
    GDBM_FILE file = gdbm_open(elsewhere.database, 0, GDBM_WRCREAT, 0600, NULL);
    assert_non_null(file);
    assert_int_equal(cvg_backend_gdbm_new(&loop, &elsewhere, &metrics, &other, &why), CVG_ERR_IO);
    gdbm_close(file);
    uv_run(&loop, UV_RUN_DEFAULT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(absorb_and_get, set_up, tear_down),
        cmocka_unit_test_setup_teardown(database_of_an_earlier_release, set_up, tear_down),
        cmocka_unit_test_setup_teardown(clock_set_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(oldest_go_when_there_are_too_many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(forgotten_after_a_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(freed_during_a_merge, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unusable_places, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
