/* SPDX-License-Identifier: MIT */
/* A GDBM backend in a directory of its own. */
#include "tests/notary/gdbmlab.h"

#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "notary/gdbm-file.h"

char directory[64];
struct cvg_settings settings;
struct cvg_metrics metrics;
uv_loop_t loop;
struct cvg_backend *backend;
int64_t now_s;
atomic_int allocations_left = -1;

void begin(void)
{
    struct cvg_why why = {.text = ""};
    assert_int_equal(cvg_backend_gdbm_new(&loop, &settings, &metrics, &backend, &why), CVG_OK);
}

void finish(void)
{
    backend->free(backend);
    uv_run(&loop, UV_RUN_DEFAULT);
    backend = NULL;
}

int set_up(void **state)
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

int tear_down(void **state)
{
    char command[128];
    (void)state;
    if (backend != NULL)
        finish();
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

struct cvg_segment *segment_new(void)
{
    char path[128];
    struct cvg_segment *segment = NULL;
    snprintf(path, sizeof(path), "%s/segment", directory);
    assert_int_equal(cvg_segment_open(path, &segment, NULL), CVG_OK);
    (void)unlink(path);
    return segment;
}

void add(struct cvg_segment *segment, const char *key, uint8_t id, int64_t when_s)
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

enum cvg_error absorb(struct cvg_segment *segment)
{
    enum cvg_error err = CVG_ERR_COUNT;
    cvg_segment_seal(segment);
    backend->absorb(backend, segment, absorbed, &err);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_not_equal(err, CVG_ERR_COUNT);
    cvg_segment_free(segment);
    return err;
}

void absorb_one(const char *key, uint8_t id, int64_t when_s)
{
    struct cvg_segment *segment = segment_new();
    add(segment, key, id, when_s);
    assert_int_equal(absorb(segment), CVG_OK);
}

static void on_got(enum cvg_error err, const void *value, size_t len, void *user)
{
    struct got *got = user;
    got->err = err;
    if (err == CVG_OK)
        assert_int_equal(cvg_observations_parse(value, len, &got->seen), CVG_OK);
}

struct got get(const char *key)
{
    struct got got = {.err = CVG_ERR_COUNT};
    backend->get(backend, key, strlen(key), on_got, &got);
    return got;
}

/* Exactly those certificates, a digit each, in any order; "" for no record. */
void has(const char *key, const char *ids)
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

size_t count_files(const char *pattern)
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

/* Writes a raw record past the backend, in place, as earlier releases did. */
void put_raw(const char *key, const void *value, size_t len)
{
    GDBM_FILE file = gdbm_open(settings.database, 0, GDBM_WRCREAT, 0600, NULL);
    assert_non_null(file);
    assert_int_equal(gdbm_store(file, cvg_gdbm_datum(key, strlen(key)), cvg_gdbm_datum(value, len),
                                GDBM_REPLACE),
                     0);
    gdbm_close(file);
}

void put_older_release(const char *key, uint8_t id, int64_t when_s)
{
    struct cvg_buffer value, record;
    make_value(id, when_s, &value);
    cvg_buffer_init(&record, CVG_VALUE_MAX + CVG_GDBM_HEAD);
    assert_int_equal(cvg_gdbm_record(key, strlen(key), value.data, value.len, &record), CVG_OK);
    put_raw(key, record.data, record.len);
    cvg_buffer_free(&value);
    cvg_buffer_free(&record);
}

const char *name(char ret_name[static 32], const char *word, int i)
{
    snprintf(ret_name, 32, "%s %d", word, i);
    return ret_name;
}

void fill(const char *word, int count, int64_t first_s)
{
    struct cvg_segment *segment = segment_new();
    char key[32];
    for (int i = 0; i < count; i++)
        add(segment, name(key, word, i), (uint8_t)(i % 9 + 1), first_s + i);
    assert_int_equal(absorb(segment), CVG_OK);
}

/* How many are there; each must be what was written. */
int count_found(const char *word, int count)
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

void spoil(off_t from, off_t to)
{
    static const uint8_t junk[4096] = {0x55};
    int fd = open(settings.database, O_WRONLY);
    assert_true(fd >= 0);
    for (off_t at = from; at < to; at += (off_t)sizeof(junk))
        assert_int_equal(pwrite(fd, junk, sizeof(junk), at), sizeof(junk));
    close(fd);
}

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
