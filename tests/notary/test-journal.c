/* SPDX-License-Identifier: MIT */
/* The journal: its segments in their order, the index over them, and what a start finds of both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "notary/journal.h"
#include "notary/places.h"

static char directory[64];
static char path[128];
static struct cvg_journal *journal;

static void begin(void)
{
    assert_int_equal(cvg_journal_open(path, &journal, NULL), CVG_OK);
}

static void again(void)
{
    cvg_journal_free(journal);
    begin();
}

static int set_up(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/converge-journal-XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/o.gdbm.journal", directory);
    begin();
    return 0;
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    cvg_journal_free(journal);
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    return system(command);
}

static void put(const char *key, const char *value)
{
    assert_int_equal(cvg_journal_put(journal, key, strlen(key), value, strlen(value), 1), CVG_OK);
}

static void has(const char *key, const char *value)
{
    struct cvg_buffer buffer;
    struct cvg_segment_record record;
    cvg_buffer_init(&buffer, CVG_SEGMENT_BUFFER);
    enum cvg_error err = cvg_journal_get(journal, key, strlen(key), &buffer, &record);
    if (value == NULL) {
        assert_int_equal(err, CVG_ERR_NOT_FOUND);
    } else {
        assert_int_equal(err, CVG_OK);
        assert_int_equal(record.value_len, strlen(value));
        assert_memory_equal(record.value, value, record.value_len);
    }
    cvg_buffer_free(&buffer);
}

static void seal(void)
{
    assert_true(cvg_journal_seal(journal, 1, UINT64_MAX, 1));
}

static size_t count_files(const char *pattern)
{
    char text[128];
    glob_t found;
    snprintf(text, sizeof(text), "%s/%s", directory, pattern);
    if (glob(text, 0, NULL, &found) != 0)
        return 0;
    size_t count = found.gl_pathc;
    globfree(&found);
    return count;
}

static void newest_wins_across_segments(void **state)
{
    (void)state;
    put("a", "1");
    put("b", "1");
    seal();
    put("a", "2");
    seal();
    put("c", "1");
    for (int turn = 0; turn < 3; turn++) {
        has("a", "2");
        has("b", "1");
        has("c", "1");
        has("d", NULL);
        assert_int_equal(count_files("*.journal.[0-9]*"), 3);
        again();
    }
}

static void leaves_from_the_front(void **state)
{
    (void)state;
    put("a", "1");
    put("b", "1");
    assert_null(cvg_journal_first(journal)); /* not sealed */
    seal();
    put("a", "2");
    assert_non_null(cvg_journal_first(journal));
    cvg_journal_drop_first(journal);
    has("a", "2");
    has("b", NULL);
    assert_null(cvg_journal_first(journal));
    again();
    has("a", "2");
    has("b", NULL);
    seal();
    cvg_journal_drop_first(journal);
    assert_int_equal(cvg_journal_octets(journal), 0);
    assert_int_equal(count_files("*"), 0);
    put("a", "3");
    has("a", "3");
}

/* A name that cannot be removed must not bring back what newer records had replaced. */
static void what_cannot_be_removed_is_emptied(void **state)
{
    char name[160], aside[160];
    (void)state;
    put("a", "1");
    seal();
    put("b", "1");
    snprintf(name, sizeof(name), "%s.1", path);
    snprintf(aside, sizeof(aside), "%s.aside", path);
    assert_int_equal(rename(name, aside), 0);
    assert_int_equal(mkdir(name, 0700), 0); /* unlink fails, for root, too */
    cvg_journal_drop_first(journal);
    assert_int_equal(rmdir(name), 0);
    assert_int_equal(rename(aside, name), 0);
    again();
    has("a", NULL);
    has("b", "1");
    assert_int_equal(count_files("*.journal.[0-9]*"), 1);
}

/* The last segment that is found goes on; the others are sealed. */
static void start_goes_on_where_it_was(void **state)
{
    (void)state;
    put("a", "1");
    again();
    put("b", "1");
    assert_int_equal(count_files("*.journal.[0-9]*"), 1);
    seal();
    put("c", "1");
    again();
    assert_non_null(cvg_journal_first(journal));
    cvg_journal_drop_first(journal);
    assert_null(cvg_journal_first(journal));
    has("c", "1");
}

static void sealed_by_size_or_age(void **state)
{
    (void)state;
    assert_false(cvg_journal_seal(journal, 0, 0, 1));
    put("a", "1");
    assert_false(cvg_journal_seal(journal, 1000, 100, 100));
    assert_true(cvg_journal_seal(journal, 1000, 100, 101));
    assert_false(cvg_journal_seal(journal, 0, 0, 500));
    put("a", "2");
    assert_true(cvg_journal_seal(journal, cvg_journal_octets(journal) / 2, UINT64_MAX, 1));
}

static void write_file(const char *suffix, const char *text)
{
    char name[160];
    snprintf(name, sizeof(name), "%s%s", path, suffix);
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void what_is_no_segment(void **state)
{
    (void)state;
    put("a", "1");
    write_file(".2", "somebody's letter, which is long enough");
    write_file(".3", "cvg-j");
    write_file(".4", "");
    write_file(".x", "not a number");
    write_file(".05", "not how we write numbers");
    write_file(".1.damaged.1", "not ours");
    again();
    has("a", "1");
    assert_int_equal(count_files("*.journal.2.damaged.*"), 1);
    assert_int_equal(count_files("*.journal.[34]"), 0);
    assert_int_equal(count_files("*.journal.x") + count_files("*.journal.05"), 2);
    put("b", "1");
    assert_int_equal(count_files("*.journal.[0-9]"), 2);
    again();
    has("a", "1");
    has("b", "1");
}

static void one_process(void **state)
{
    int first = -1, second = -1;
    struct cvg_why why = {.text = ""};
    (void)state;
    assert_int_equal(cvg_journal_lock(path, &first, NULL), CVG_OK);
    assert_int_equal(cvg_journal_lock(path, &second, &why), CVG_ERR_BUSY);
    assert_non_null(strstr(why.text, path));
    close(first);
    assert_int_equal(cvg_journal_lock(path, &second, NULL), CVG_OK);
    close(second);
    assert_int_equal(cvg_journal_lock("/nonexistent/journal", &second, NULL), CVG_ERR_IO);
}

static void synced_once(void **state)
{
    (void)state;
    assert_int_equal(cvg_journal_unsynced(journal), -1);
    put("a", "1");
    int descriptor = cvg_journal_unsynced(journal);
    assert_true(descriptor >= 0);
    close(descriptor);
    assert_int_equal(cvg_journal_unsynced(journal), -1);
}

#define MANY 200000

static void places_grow_and_shrink(void **state)
{
    struct cvg_places *places = NULL;
    struct cvg_place place;
    (void)state;
    assert_int_equal(cvg_places_new(&places), CVG_OK);
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(cvg_places_put(places, &i, sizeof(i),
                                        (struct cvg_place){.segment = i % 3 + 1, .at = i}),
                         CVG_OK);
    assert_int_equal(cvg_places_count(places), MANY);
    cvg_places_drop(places, 2);
    assert_int_equal(cvg_places_count(places), MANY - MANY / 3 - 1);
    for (uint32_t i = 0; i < MANY; i++) {
        bool found = cvg_places_find(places, &i, sizeof(i), &place);
        assert_int_equal(found, i % 3 != 1);
        if (found)
            assert_int_equal(place.at, i);
    }
    cvg_places_drop(places, 1);
    cvg_places_drop(places, 3);
    assert_int_equal(cvg_places_count(places), 0);
    cvg_places_free(places);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(newest_wins_across_segments, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leaves_from_the_front, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_removed_is_emptied, set_up, tear_down),
        cmocka_unit_test_setup_teardown(start_goes_on_where_it_was, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sealed_by_size_or_age, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_segment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_process, set_up, tear_down),
        cmocka_unit_test_setup_teardown(synced_once, set_up, tear_down),
        cmocka_unit_test(places_grow_and_shrink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
