/* SPDX-License-Identifier: MIT */
/* The GDBM backend over a file that is damaged, foreign or half written, and on a full disk: what
 * is damaged is not believed, what is whole stays. */
#include <fcntl.h>
#include <gdbm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "notary/gdbm-file.h"
#include "tests/notary/gdbmlab.h"

static void foreign_records_are_left_out(void **state)
{
    static const uint8_t zeros[64], newer[64] = {2};
    (void)state;
    finish();
    put_older_release("good", 1, now_s);
    put_raw("zeros", zeros, sizeof(zeros));
    put_raw("newer", newer, sizeof(newer));
    put_raw("short", newer, 3);
    begin();
    for (int turn = 0; turn < 2; turn++) {
        has("zeros", "");
        has("newer", "");
        has("short", "");
        has("good", "1");
        absorb_one("other", 1, now_s);
    }
    assert_int_equal(backend->count(backend), 2);
    assert_int_equal(atomic_load(&metrics.value[CVG_METRIC_STORE_REJECTED]), 3);
}

static void record_under_another_key(void **state)
{
    (void)state;
    absorb_one("site", 1, now_s);
    finish();
    GDBM_FILE file = gdbm_open(settings.database, 0, GDBM_READER, 0600, NULL);
    assert_non_null(file);
    datum record = gdbm_fetch(file, cvg_gdbm_datum("site", 4));
    gdbm_close(file);
    put_raw("evil", record.dptr, (size_t)record.dsize);
    free(record.dptr);
    begin();
    has("evil", "");
    has("site", "1");
    absorb_one("evil", 2, now_s);
    has("evil", "2");
}

/* As an earlier release could leave it after kill -9. The head is whole, so GDBM opens the file:
 * only a walk finds what is wrong. */
static void damage_in_a_file_written_in_place(void **state)
{
    char key[32];
    (void)state;
    finish();
    for (int i = 0; i < KEYS; i++)
        put_older_release(name(key, "key", i), 1, now_s - DAY);
    begin();
    assert_int_equal(count_files("*.damaged.*"), 0);
    has("key 1", "1");
    finish();
    spoil(4096, 40 * 4096);
    begin();
    assert_int_equal(count_files("*.damaged.*"), 1);
    has("key 1", "");
    absorb_one("key 1", 2, now_s);
    has("key 1", "2");
    assert_true(backend->is_up(backend));
}

/* Our own files are not walked through at every start: the first look that fails does it. */
static void damage_before_opening(void **state)
{
    (void)state;
    fill("key", KEYS, now_s - DAY);
    finish();
    begin();
    assert_int_equal(count_files("*.damaged.*"), 0);
    finish();
    spoil(4096, 40 * 4096);
    begin();
    assert_true(count_found("key", KEYS) < KEYS);
    assert_int_equal(count_files("*.damaged.*"), 1);
    absorb_one("key 1", 2, now_s);
    has("key 1", "2");
    assert_true(backend->is_up(backend));
}

/* Whatever is still found is whole; a merge saves what can be read, and sets the rest aside. */
static void damage_while_open(void **state)
{
    struct stat info;
    (void)state;
    fill("key", KEYS, now_s - DAY);
    assert_int_equal(stat(settings.database, &info), 0);
    spoil(info.st_size / 2 / 4096 * 4096, info.st_size / 2 / 4096 * 4096 + 8 * 4096);
    absorb_one("after", 1, now_s);
    has("after", "1");
    int found = count_found("key", KEYS);
    assert_true(found < KEYS);
    absorb_one("all", 2, now_s);
    has("after", "1");
    has("all", "2");
    assert_int_equal(count_found("key", KEYS), found);
}

/* What GDBM's next calls end with; GDBM_NO_ERROR: as they do. */
static gdbm_error fetch_error, nextkey_error;

datum __wrap_gdbm_fetch(GDBM_FILE file, datum key);
datum __wrap_gdbm_nextkey(GDBM_FILE file, datum key);
datum __real_gdbm_fetch(GDBM_FILE file, datum key);
datum __real_gdbm_nextkey(GDBM_FILE file, datum key);

datum __wrap_gdbm_fetch(GDBM_FILE file, datum key)
{
    if (fetch_error == GDBM_NO_ERROR)
        return __real_gdbm_fetch(file, key);
    gdbm_errno = fetch_error;
    return (datum){.dptr = NULL};
}

datum __wrap_gdbm_nextkey(GDBM_FILE file, datum key)
{
    if (nextkey_error == GDBM_NO_ERROR)
        return __real_gdbm_nextkey(file, key);
    gdbm_errno = nextkey_error;
    return (datum){.dptr = NULL};
}

/* A file that could not be read for want of memory is none that gives way. */
static void no_memory_is_no_damage(void **state)
{
    (void)state;
    fill("key", KEYS, now_s - DAY);
    fetch_error = GDBM_MALLOC_ERROR;
    (void)count_found("key", 3);
    fetch_error = GDBM_BAD_BUCKET; /* it looks damaged, and looking closer takes memory, too */
    nextkey_error = GDBM_MALLOC_ERROR;
    (void)count_found("key", 3);
    fetch_error = nextkey_error = GDBM_NO_ERROR;
    assert_int_equal(count_files("*.damaged.*"), 0);
    finish();
    begin();
    assert_int_equal(count_found("key", KEYS), KEYS);
}

/* Wherever in the file octets change: nothing is read that was not written. */
static void damage_anywhere(void **state)
{
    struct stat info;
    unsigned seed = 3;
    (void)state;
    fill("key", 100, now_s - DAY);
    finish();
    assert_int_equal(stat(settings.database, &info), 0);
    for (off_t at = 0; at < info.st_size; at += 1 + (off_t)(seed % 701)) {
        char command[CVG_PATH_MAX + 256];
        uint8_t octet;
        seed = seed * 1103515245U + 12345U;
        snprintf(command, sizeof(command), "%s/copy", directory);
        assert_int_equal(rename(settings.database, command), 0);
        snprintf(command, sizeof(command), "cp %s/copy %s", directory, settings.database);
        assert_int_equal(system(command), 0);
        int fd = open(settings.database, O_RDWR);
        assert_int_equal(pread(fd, &octet, 1, at), 1);
        octet ^= (uint8_t)(1U << (seed >> 16) % 8);
        assert_int_equal(pwrite(fd, &octet, 1, at), 1);
        close(fd);
        begin();
        (void)count_found("key", 100);
        absorb_one("more", 1, now_s);
        (void)count_found("key", 100);
        has("more", "1");
        finish();
        snprintf(command, sizeof(command), "mv %s/copy %s && rm -f %s/*.damaged.*", directory,
                 settings.database, directory);
        assert_int_equal(system(command), 0);
    }
    begin();
    assert_int_equal(count_found("key", 100), 100);
}

static void full_disk_leaves_the_old_file(void **state)
{
    struct rlimit before, small;
    struct stat first, second;
    (void)state;
    fill("key", KEYS, now_s - DAY);
    assert_int_equal(stat(settings.database, &first), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    for (rlim_t room = 0; room < 300 * 1024; room += 50 * 1024 + 7) {
        struct cvg_segment *segment = segment_new();
        add(segment, "more", 1, now_s);
        small = (struct rlimit){.rlim_cur = room, .rlim_max = before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        assert_int_equal(absorb(segment), CVG_ERR_IO);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(count_files("*.new"), 0);
        assert_false(backend->is_up(backend));
        has("key 7", "8");
    }
    assert_int_equal(stat(settings.database, &second), 0);
    assert_int_equal(first.st_ino, second.st_ino);
    absorb_one("more", 1, now_s);
    assert_true(backend->is_up(backend));
    assert_int_equal(count_found("key", KEYS), KEYS);
    has("more", "1");
}

/* What kill -9 leaves of a merge. */
static void half_a_merge(void **state)
{
    char path[CVG_PATH_MAX + 8];
    (void)state;
    absorb_one("a", 1, now_s);
    finish();
    snprintf(path, sizeof(path), "%s.new", settings.database);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("half", file);
    fclose(file);
    begin();
    assert_int_equal(count_files("*.new"), 0);
    has("a", "1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(foreign_records_are_left_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(record_under_another_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damage_in_a_file_written_in_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damage_before_opening, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damage_while_open, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_memory_is_no_damage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damage_anywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(full_disk_leaves_the_old_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(half_a_merge, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
