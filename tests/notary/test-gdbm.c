/* SPDX-License-Identifier: MIT */
/* The GDBM backend: what a segment brings comes back, merged with what was there; what is damaged
 * does not; a full disk leaves the old file; old, and too many, records go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <gdbm.h>
#include <glob.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "notary/backend-gdbm.h"
#include "notary/gdbm-file.h"
#include "notary/observations.h"

#define DAY 86400

static char directory[64];
static struct cvg_settings settings;
static struct cvg_metrics metrics;
static uv_loop_t loop;
static struct cvg_backend *backend;
static int64_t now_s;

static void begin(void)
{
    struct cvg_why why = {.text = ""};
    assert_int_equal(cvg_backend_gdbm_new(&loop, &settings, &metrics, &backend, &why), CVG_OK);
}

static void end(void)
{
    backend->free(backend);
    uv_run(&loop, UV_RUN_DEFAULT);
    backend = NULL;
}

static int set_up(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/converge-gdbm-XXXXXX");
    assert_non_null(mkdtemp(directory));
    cvg_settings_init(&settings);
    snprintf(settings.database, sizeof(settings.database), "%s/o.gdbm", directory);
    memset(&metrics, 0, sizeof(metrics));
    assert_int_equal(uv_loop_init(&loop), 0);
    signal(SIGXFSZ, SIG_IGN);
    now_s = (int64_t)time(NULL);
    begin();
    return 0;
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    if (backend != NULL)
        end();
    assert_int_equal(uv_loop_close(&loop), 0);
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    return system(command);
}

/* A value: that certificate, seen then. */
static void make_value(uint8_t id, int64_t when_s, struct cvg_buffer *ret_value)
{
    struct cvg_observations seen = {.count = 0};
    struct cvg_leaf leaf = {.key_type = CVG_KEY_EC};
    const struct cvg_address address = {.family = 4, .bytes = {192, 0, 2, 1}};
    memset(leaf.sha256, id, sizeof(leaf.sha256));
    cvg_buffer_init(ret_value, CVG_VALUE_MAX);
    assert_int_equal(cvg_observations_add(&seen, &leaf, &address, when_s), CVG_OK);
    assert_int_equal(cvg_observations_write(&seen, ret_value), CVG_OK);
    cvg_observations_free(&seen);
}

static struct cvg_segment *segment_new(void)
{
    char path[128];
    struct cvg_segment *segment = NULL;
    snprintf(path, sizeof(path), "%s/segment", directory);
    assert_int_equal(cvg_segment_open(path, &segment, NULL), CVG_OK);
    (void)unlink(path);
    return segment;
}

static void add(struct cvg_segment *segment, const char *key, uint8_t id, int64_t when_s)
{
    struct cvg_buffer value;
    uint64_t at;
    make_value(id, when_s, &value);
    assert_int_equal(cvg_segment_append(segment, key, strlen(key), value.data, value.len, &at),
                     CVG_OK);
    cvg_buffer_free(&value);
}

static void absorbed(enum cvg_error err, void *user)
{
    *(enum cvg_error *)user = err;
}

static enum cvg_error absorb(struct cvg_segment *segment)
{
    enum cvg_error err = CVG_ERR_COUNT;
    cvg_segment_seal(segment);
    backend->absorb(backend, segment, absorbed, &err);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_not_equal(err, CVG_ERR_COUNT);
    cvg_segment_free(segment);
    return err;
}

static void absorb_one(const char *key, uint8_t id, int64_t when_s)
{
    struct cvg_segment *segment = segment_new();
    add(segment, key, id, when_s);
    assert_int_equal(absorb(segment), CVG_OK);
}

struct got {
    enum cvg_error err;
    struct cvg_observations seen;
};

static void on_got(enum cvg_error err, const void *value, size_t len, void *user)
{
    struct got *got = user;
    got->err = err;
    if (err == CVG_OK)
        assert_int_equal(cvg_observations_parse(value, len, &got->seen), CVG_OK);
}

static struct got get(const char *key)
{
    struct got got = {.err = CVG_ERR_COUNT};
    backend->get(backend, key, strlen(key), on_got, &got);
    return got;
}

/* Exactly those certificates, a digit each, in any order; "" for no record. */
static void has(const char *key, const char *ids)
{
    struct got got = get(key);
    if (ids[0] == '\0') {
        assert_int_not_equal(got.err, CVG_OK);
        return;
    }
    assert_int_equal(got.err, CVG_OK);
    assert_int_equal(got.seen.count, strlen(ids));
    for (size_t i = 0; i < got.seen.count; i++)
        assert_non_null(strchr(ids, '0' + got.seen.record[i].leaf.sha256[0]));
    cvg_observations_free(&got.seen);
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
    end();
    begin();
    has("a", "13");
    has("b", "2");
    assert_int_equal(backend->count(backend), 2);
    assert_int_equal(stat(settings.database, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(count_files("*.new"), 0);
}

/* Writes a raw record past the backend, in place, as earlier releases did. */
static void put_raw(const char *key, const void *value, size_t len)
{
    GDBM_FILE file = gdbm_open(settings.database, 0, GDBM_WRCREAT, 0600, NULL);
    assert_non_null(file);
    assert_int_equal(gdbm_store(file, cvg_gdbm_datum(key, strlen(key)), cvg_gdbm_datum(value, len),
                                GDBM_REPLACE),
                     0);
    gdbm_close(file);
}

static void put_older_release(const char *key, uint8_t id, int64_t when_s)
{
    struct cvg_buffer value, record;
    make_value(id, when_s, &value);
    cvg_buffer_init(&record, CVG_VALUE_MAX + CVG_GDBM_HEAD);
    assert_int_equal(cvg_gdbm_record(key, strlen(key), value.data, value.len, &record), CVG_OK);
    put_raw(key, record.data, record.len);
    cvg_buffer_free(&value);
    cvg_buffer_free(&record);
}

static void database_of_an_earlier_release(void **state)
{
    (void)state;
    end();
    put_older_release("old", 1, now_s - DAY);
    put_older_release("both", 2, now_s - DAY);
    begin();
    has("old", "1");
    absorb_one("both", 3, now_s);
    has("old", "1");
    has("both", "23");
    assert_int_equal(count_files("*.damaged.*"), 0);
}

static void foreign_records_are_left_out(void **state)
{
    static const uint8_t zeros[64], newer[64] = {2};
    (void)state;
    end();
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
    end();
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

#define KEYS 2000

static const char *name(char ret_name[static 32], const char *word, int i)
{
    snprintf(ret_name, 32, "%s %d", word, i);
    return ret_name;
}

static void fill(const char *word, int count, int64_t first_s)
{
    struct cvg_segment *segment = segment_new();
    char key[32];
    for (int i = 0; i < count; i++)
        add(segment, name(key, word, i), (uint8_t)(i % 9 + 1), first_s + i);
    assert_int_equal(absorb(segment), CVG_OK);
}

/* How many are there; each must be what was written. */
static int count_found(const char *word, int count)
{
    int found = 0;
    char key[32];
    for (int i = 0; i < count; i++) {
        struct got got = get(name(key, word, i));
        if (got.err != CVG_OK)
            continue;
        assert_int_equal(got.seen.count, 1);
        assert_int_equal(got.seen.record[0].leaf.sha256[0], i % 9 + 1);
        cvg_observations_free(&got.seen);
        found++;
    }
    return found;
}

static void spoil(off_t from, off_t to)
{
    static const uint8_t junk[4096] = {0x55};
    int fd = open(settings.database, O_WRONLY);
    assert_true(fd >= 0);
    for (off_t at = from; at < to; at += (off_t)sizeof(junk))
        assert_int_equal(pwrite(fd, junk, sizeof(junk), at), sizeof(junk));
    close(fd);
}

/* As an earlier release could leave it after kill -9. The head is whole, so GDBM opens the file:
 * only a walk finds what is wrong. */
static void damage_in_a_file_written_in_place(void **state)
{
    char key[32];
    (void)state;
    end();
    for (int i = 0; i < KEYS; i++)
        put_older_release(name(key, "key", i), 1, now_s - DAY);
    begin();
    assert_int_equal(count_files("*.damaged.*"), 0);
    has("key 1", "1");
    end();
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
    end();
    begin();
    assert_int_equal(count_files("*.damaged.*"), 0);
    end();
    spoil(4096, 40 * 4096);
    begin();
    assert_true(count_found("key", KEYS) < KEYS);
    assert_int_equal(count_files("*.damaged.*"), 1);
    absorb_one("key 1", 2, now_s);
    has("key 1", "2");
    assert_true(backend->is_up(backend));
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

/* Wherever in the file octets change: nothing is read that was not written. */
static void damage_anywhere(void **state)
{
    struct stat info;
    unsigned seed = 3;
    (void)state;
    fill("key", 100, now_s - DAY);
    end();
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
        end();
        snprintf(command, sizeof(command), "mv %s/copy %s && rm -f %s/*.damaged.*", directory,
                 settings.database, directory);
        assert_int_equal(system(command), 0);
    }
    begin();
    assert_int_equal(count_found("key", 100), 100);
}

static void oldest_go_when_there_are_too_many(void **state)
{
    (void)state;
    end();
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
    end();
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
    end();
    snprintf(path, sizeof(path), "%s.new", settings.database);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("half", file);
    fclose(file);
    begin();
    assert_int_equal(count_files("*.new"), 0);
    has("a", "1");
}

static atomic_int allocations_left = -1;

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);

static bool allocation_fails(void)
{
    return atomic_load(&allocations_left) >= 0 && atomic_fetch_sub(&allocations_left, 1) == 0;
}

void *__wrap_malloc(size_t size)
{
    return allocation_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return allocation_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return allocation_fails() ? NULL : __real_realloc(memory, size);
}

/* Each allocation of a merge fails in turn: the old file stays, or nothing is missing in the new.
 */
static void no_memory(void **state)
{
    int failed = 0;
    (void)state;
    end();
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
    end();
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
        cmocka_unit_test_setup_teardown(foreign_records_are_left_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(record_under_another_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(clock_set_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damage_in_a_file_written_in_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damage_before_opening, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damage_while_open, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damage_anywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(oldest_go_when_there_are_too_many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(forgotten_after_a_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(full_disk_leaves_the_old_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(half_a_merge, set_up, tear_down),
        cmocka_unit_test_setup_teardown(freed_during_a_merge, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unusable_places, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
