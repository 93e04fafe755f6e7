/* SPDX-License-Identifier: MIT */
/* The GDBM store: what is put comes back, what is damaged does not, and a full or unwritable disk
 * is borne. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <gdbm.h>
#include <glob.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "notary/store-gdbm.h"

#define MAX_RECORDS 3000

static char directory[64];
static char path[128];

static int set_up(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/converge-store-XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/o.gdbm", directory);
    return 0;
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    return system(command);
}

static struct cvg_store *open_store(void)
{
    struct cvg_store *store = NULL;
    struct cvg_why why = {.text = ""};
    assert_int_equal(cvg_store_gdbm_open(path, MAX_RECORDS, &store, &why), CVG_OK);
    return store;
}

static void has(struct cvg_store *store, const char *key, const char *value)
{
    struct cvg_buffer got;
    cvg_buffer_init(&got, CVG_STORE_VALUE_MAX);
    enum cvg_error err = store->get(store, key, strlen(key), &got);
    if (value == NULL) {
        assert_int_not_equal(err, CVG_OK);
    } else {
        assert_int_equal(err, CVG_OK);
        assert_int_equal(got.len, strlen(value));
        assert_memory_equal(got.data, value, got.len);
    }
    cvg_buffer_free(&got);
}

static void put(struct cvg_store *store, const char *key, const char *value)
{
    assert_int_equal(store->put(store, key, strlen(key), value, strlen(value)), CVG_OK);
}

static void put_and_get(void **state)
{
    struct cvg_store *store = open_store();
    (void)state;
    has(store, "a", NULL);
    put(store, "a", "first");
    put(store, "b", "other");
    put(store, "a", "second");
    store->sync(store);
    has(store, "a", "second");
    store->free(store);
    store = open_store();
    has(store, "a", "second");
    has(store, "b", "other");
    store->free(store);
}

static void only_ours_may_read_it(void **state)
{
    struct stat info;
    (void)state;
    struct cvg_store *store = open_store();
    store->free(store);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

/* Writes a raw record past the store. */
static void put_raw(const char *key, const void *value, size_t len)
{
    char copy[64];
    GDBM_FILE file = gdbm_open(path, 0, GDBM_WRITER, 0600, NULL);
    assert_non_null(file);
    snprintf(copy, sizeof(copy), "%s", key);
    datum k = {.dptr = copy, .dsize = (int)strlen(key)};
    datum v = {.dptr = malloc(len), .dsize = (int)len};
    assert_non_null(v.dptr);
    memcpy(v.dptr, value, len);
    assert_int_equal(gdbm_store(file, k, v, GDBM_REPLACE), 0);
    free(v.dptr);
    gdbm_close(file);
}

static void foreign_records_are_left_out(void **state)
{
    static const uint8_t zeros[64];
    static const uint8_t newer[64] = {2};
    struct cvg_store *store = open_store();
    (void)state;
    put(store, "good", "value");
    store->free(store);
    put_raw("zeros", zeros, sizeof(zeros));
    put_raw("newer", newer, sizeof(newer));
    put_raw("short", newer, 3);
    store = open_store();
    has(store, "zeros", NULL);
    has(store, "newer", NULL);
    has(store, "short", NULL);
    has(store, "good", "value");
    store->free(store);
}

static void record_under_another_key(void **state)
{
    struct cvg_store *store = open_store();
    char key[] = "site";
    (void)state;
    put(store, "site", "value");
    store->free(store);
    GDBM_FILE file = gdbm_open(path, 0, GDBM_READER, 0600, NULL);
    assert_non_null(file);
    datum record = gdbm_fetch(file, (datum){.dptr = key, .dsize = 4});
    gdbm_close(file);
    put_raw("evil", record.dptr, (size_t)record.dsize);
    free(record.dptr);
    store = open_store();
    has(store, "evil", NULL);
    has(store, "site", "value");
    store->free(store);
}

#define KEYS 2000

static void fill(struct cvg_store *store)
{
    char key[16];
    for (int i = 0; i < KEYS; i++) {
        snprintf(key, sizeof(key), "key %d", i);
        put(store, key, "value");
    }
    store->sync(store);
}

/* Overwrites the blocks behind the file's head: buckets and records. */
static void spoil(void)
{
    static const uint8_t junk[4096] = {0x55};
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    for (int i = 1; i < 40; i++) {
        assert_int_equal(fseek(file, i * 4096, SEEK_SET), 0);
        assert_int_equal(fwrite(junk, sizeof(junk), 1, file), 1);
    }
    fclose(file);
}

static size_t moved_aside(void)
{
    char pattern[160];
    glob_t found;
    snprintf(pattern, sizeof(pattern), "%s.damaged.*", path);
    if (glob(pattern, 0, NULL, &found) != 0)
        return 0;
    size_t count = found.gl_pathc;
    globfree(&found);
    return count;
}

/* The head is whole, so GDBM opens the file: only a walk finds what is wrong. */
static void damage_before_opening(void **state)
{
    struct cvg_store *store = open_store();
    (void)state;
    fill(store);
    store->free(store);
    store = open_store();
    store->free(store);
    assert_int_equal(moved_aside(), 0);
    spoil();
    store = open_store();
    assert_int_equal(moved_aside(), 1);
    has(store, "key 1", NULL);
    put(store, "key 1", "new");
    has(store, "key 1", "new");
    store->free(store);
}

static void damage_while_open(void **state)
{
    struct cvg_store *store = open_store();
    char key[16];
    (void)state;
    fill(store);
    spoil();
    /* Whatever is still found is whole; whatever fails, the store goes on. */
    for (int i = 0; i < KEYS; i++) {
        struct cvg_buffer got;
        cvg_buffer_init(&got, CVG_STORE_VALUE_MAX);
        snprintf(key, sizeof(key), "key %d", i);
        if (store->get(store, key, strlen(key), &got) == CVG_OK)
            assert_memory_equal(got.data, "value", 5);
        cvg_buffer_free(&got);
        (void)!store->put(store, key, strlen(key), "again", 5);
    }
    store->free(store);
    store = open_store();
    put(store, "after", "all");
    has(store, "after", "all");
    store->free(store);
}

static size_t count_found(struct cvg_store *store, const char *word, int count)
{
    size_t found = 0;
    char key[32];
    for (int i = 0; i < count; i++) {
        struct cvg_buffer got;
        cvg_buffer_init(&got, CVG_STORE_VALUE_MAX);
        snprintf(key, sizeof(key), "%s %d", word, i);
        if (store->get(store, key, strlen(key), &got) == CVG_OK)
            found++;
        cvg_buffer_free(&got);
    }
    return found;
}

static void full_file_makes_room(void **state)
{
    struct cvg_store *store = open_store();
    char key[32];
    (void)state;
    fill(store);
    for (int i = 0; i < MAX_RECORDS; i++) {
        snprintf(key, sizeof(key), "flood %d", i);
        put(store, key, "value");
        has(store, key, "value");
        put(store, key, "again"); /* what is there already needs no room */
    }
    size_t old = count_found(store, "key", KEYS);
    size_t new = count_found(store, "flood", MAX_RECORDS);
    assert_int_equal(old + new, MAX_RECORDS);
    assert_true(old > 0 && new > 0);
    store->free(store);
    store = open_store();
    put(store, "one more", "value");
    old = count_found(store, "key", KEYS);
    new = count_found(store, "flood", MAX_RECORDS);
    assert_int_equal(old + new, MAX_RECORDS - 1);
    store->free(store);
}

static void full_disk_is_borne(void **state)
{
    const struct rlimit small = {.rlim_cur = 256 * 1024, .rlim_max = RLIM_INFINITY};
    const struct rlimit none = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    struct cvg_store *store = open_store();
    static char value[8000];
    char key[16];
    bool failed = false;
    (void)state;
    memset(value, 'v', sizeof(value) - 1);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (int i = 0; i < 200; i++) {
        snprintf(key, sizeof(key), "key %d", i);
        failed = store->put(store, key, strlen(key), value, strlen(value)) != CVG_OK || failed;
        store->sync(store);
    }
    assert_true(failed);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    store->free(store);
    store = open_store();
    put(store, "after", "all");
    store->free(store);
}

static void unusable_place(void **state)
{
    struct cvg_store *store = NULL;
    struct cvg_why why = {.text = ""};
    (void)state;
    assert_int_equal(cvg_store_gdbm_open("/nonexistent/o.gdbm", 1, &store, &why), CVG_ERR_IO);
    assert_non_null(strstr(why.text, "/nonexistent/o.gdbm"));
    struct cvg_store *first = open_store();
    assert_int_equal(cvg_store_gdbm_open(path, MAX_RECORDS, &store, &why), CVG_ERR_IO);
    put(first, "still", "here");
    first->free(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(put_and_get, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_ours_may_read_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(foreign_records_are_left_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(record_under_another_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damage_before_opening, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damage_while_open, set_up, tear_down),
        cmocka_unit_test_setup_teardown(full_file_makes_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(full_disk_is_borne, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unusable_place, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
