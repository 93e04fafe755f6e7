/* SPDX-License-Identifier: MIT */
/* A segment of the journal: what was appended comes back, also after every possible cut, and no
 * changed octet yields a record that was not written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "notary/segment.h"

static char directory[64];
static char path[128];

static const struct {
    const char *key, *value;
} written[] = {{"a", "first"}, {"longer key", "second value"}, {"a", ""}, {"z", "last"}};
#define WRITTEN (sizeof(written) / sizeof(written[0]))

static int set_up(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/converge-segment-XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/j.1", directory);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(directory);
}

static struct cvg_segment *open_segment(void)
{
    struct cvg_segment *segment = NULL;
    assert_int_equal(cvg_segment_open(path, &segment, NULL), CVG_OK);
    return segment;
}

/* Fills the file; place gets where each record begins, and the end. */
static void fill(uint64_t place[static WRITTEN + 1])
{
    struct cvg_segment *segment = open_segment();
    for (size_t i = 0; i < WRITTEN; i++)
        assert_int_equal(cvg_segment_append(segment, written[i].key, strlen(written[i].key),
                                            written[i].value, strlen(written[i].value), &place[i]),
                         CVG_OK);
    place[WRITTEN] = cvg_segment_size(segment);
    cvg_segment_free(segment);
}

static void is_written(const struct cvg_segment_record *record, size_t i)
{
    assert_int_equal(record->key_len, strlen(written[i].key));
    assert_memory_equal(record->key, written[i].key, record->key_len);
    assert_int_equal(record->value_len, strlen(written[i].value));
    assert_memory_equal(record->value, written[i].value, record->value_len);
}

/* How many of the written records a walk finds, all of them in order and as they were. */
static size_t walk(const struct cvg_segment *segment)
{
    struct cvg_buffer buffer;
    struct cvg_segment_record record;
    uint64_t at = 0;
    size_t count = 0;
    cvg_buffer_init(&buffer, CVG_SEGMENT_BUFFER);
    while (cvg_segment_next(segment, &at, &buffer, &record) == CVG_OK)
        is_written(&record, count++);
    cvg_buffer_free(&buffer);
    return count;
}

static void comes_back(void **state)
{
    uint64_t place[WRITTEN + 1];
    struct cvg_buffer buffer;
    struct cvg_segment_record record;
    (void)state;
    fill(place);
    struct cvg_segment *segment = open_segment();
    assert_int_equal(cvg_segment_size(segment), place[WRITTEN]);
    assert_int_equal(walk(segment), WRITTEN);
    cvg_buffer_init(&buffer, CVG_SEGMENT_BUFFER);
    for (size_t i = WRITTEN; i-- > 0;) {
        assert_int_equal(cvg_segment_read(segment, place[i], &buffer, &record), CVG_OK);
        is_written(&record, i);
    }
    assert_int_equal(cvg_segment_read(segment, place[WRITTEN], &buffer, &record),
                     CVG_ERR_NOT_FOUND);
    assert_int_equal(cvg_segment_read(segment, place[1] + 1, &buffer, &record), CVG_ERR_CORRUPT);
    cvg_buffer_free(&buffer);
    cvg_segment_free(segment);
}

static void longest_record(void **state)
{
    static char key[CVG_KEY_MAX + 1], value[CVG_VALUE_MAX + 1];
    struct cvg_segment *segment = open_segment();
    struct cvg_segment_record record;
    struct cvg_buffer buffer;
    uint64_t at;
    (void)state;
    memset(key, 'k', sizeof(key));
    memset(value, 'v', sizeof(value));
    assert_int_equal(cvg_segment_append(segment, key, CVG_KEY_MAX + 1, value, 1, &at),
                     CVG_ERR_RANGE);
    assert_int_equal(cvg_segment_append(segment, key, 1, value, CVG_VALUE_MAX + 1, &at),
                     CVG_ERR_RANGE);
    assert_true(cvg_segment_is_empty(segment));
    assert_int_equal(cvg_segment_append(segment, key, CVG_KEY_MAX, value, CVG_VALUE_MAX, &at),
                     CVG_OK);
    cvg_buffer_init(&buffer, CVG_SEGMENT_BUFFER);
    assert_int_equal(cvg_segment_read(segment, at, &buffer, &record), CVG_OK);
    assert_memory_equal(record.value, value, CVG_VALUE_MAX);
    cvg_buffer_free(&buffer);
    cvg_segment_seal(segment);
    assert_int_equal(cvg_segment_append(segment, key, 1, value, 1, &at), CVG_ERR_RANGE);
    cvg_segment_free(segment);
}

/* Whatever kill -9 leaves: the whole records before the cut, and room for more. */
static void cut_at_every_octet(void **state)
{
    uint64_t place[WRITTEN + 1], at;
    (void)state;
    fill(place);
    for (uint64_t size = place[WRITTEN]; size-- > 0;) {
        (void)unlink(path);
        fill(place);
        assert_int_equal(truncate(path, (off_t)size), 0);
        struct cvg_segment *segment = open_segment();
        size_t whole = 0;
        while (whole < WRITTEN && place[whole + 1] <= size)
            whole++;
        assert_int_equal(walk(segment), whole);
        assert_int_equal(cvg_segment_append(segment, written[whole].key, strlen(written[whole].key),
                                            written[whole].value, strlen(written[whole].value),
                                            &at),
                         CVG_OK);
        cvg_segment_free(segment);
        segment = open_segment();
        assert_int_equal(walk(segment), whole + 1);
        cvg_segment_free(segment);
    }
}

static void flip(uint64_t at, uint8_t bits)
{
    uint8_t octet;
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &octet, 1, (off_t)at), 1);
    octet ^= bits;
    assert_int_equal(pwrite(fd, &octet, 1, (off_t)at), 1);
    close(fd);
}

/* walk() asserts that what is found is what was written. */
static void flip_every_octet(void **state)
{
    static const uint8_t bits[] = {0x01, 0x80, 0xff};
    uint64_t place[WRITTEN + 1];
    (void)state;
    fill(place);
    for (uint64_t at = 0; at < place[WRITTEN]; at++) {
        for (size_t i = 0; i < sizeof(bits); i++) {
            struct cvg_segment *segment = NULL;
            (void)unlink(path);
            fill(place);
            flip(at, bits[i]);
            enum cvg_error err = cvg_segment_open(path, &segment, NULL);
            if (err != CVG_OK) {
                assert_int_equal(err, CVG_ERR_CORRUPT);
                assert_true(at < place[0]);
                continue;
            }
            size_t found = walk(segment);
            assert_true(found < WRITTEN);
            assert_true(place[found] <= at || at < place[0]);
            cvg_segment_free(segment);
        }
    }
}

/* An octet that changes while the file is open. */
static void flip_while_open(void **state)
{
    uint64_t place[WRITTEN + 1];
    (void)state;
    fill(place);
    struct cvg_segment *segment = open_segment();
    for (uint64_t at = place[0]; at < place[WRITTEN]; at++) {
        flip(at, 0x10);
        assert_true(walk(segment) < WRITTEN);
        flip(at, 0x10);
    }
    assert_int_equal(walk(segment), WRITTEN);
    cvg_segment_free(segment);
}

/* Octets of one segment are no record of another, though they lie at the same place. */
static void octets_of_an_older_file(void **state)
{
    uint64_t place[WRITTEN + 1];
    uint8_t old[512];
    (void)state;
    fill(place);
    int fd = open(path, O_RDONLY);
    ssize_t len = pread(fd, old, sizeof(old), (off_t)place[0]);
    close(fd);
    assert_int_equal(len, place[WRITTEN] - place[0]);
    (void)unlink(path);
    struct cvg_segment *segment = open_segment();
    cvg_segment_free(segment);
    fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, old, (size_t)len, (off_t)place[0]), len);
    close(fd);
    segment = open_segment();
    assert_int_equal(walk(segment), 0);
    cvg_segment_free(segment);
}

static void full_disk_leaves_nothing_half_written(void **state)
{
    struct rlimit before;
    uint64_t place[WRITTEN + 1], at;
    (void)state;
    fill(place);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    for (uint64_t room = 0; room < 17; room++) {
        const struct rlimit small = {.rlim_cur = place[WRITTEN] + room,
                                     .rlim_max = before.rlim_max};
        struct cvg_segment *segment = open_segment();
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        assert_int_equal(cvg_segment_append(segment, "key", 3, "value", 5, &at), CVG_ERR_IO);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(cvg_segment_size(segment), place[WRITTEN]);
        assert_int_equal(walk(segment), WRITTEN);
        cvg_segment_free(segment);
    }
    for (uint64_t room = 0; room < 12; room++) {
        const struct rlimit small = {.rlim_cur = room, .rlim_max = before.rlim_max};
        struct cvg_segment *segment = NULL;
        (void)unlink(path);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        assert_int_equal(cvg_segment_open(path, &segment, NULL), CVG_ERR_IO);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        segment = open_segment();
        assert_true(cvg_segment_is_empty(segment));
        cvg_segment_free(segment);
    }
}

static void something_else(void **state)
{
    struct cvg_segment *segment = NULL;
    struct cvg_why why = {.text = ""};
    (void)state;
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("this is no journal at all, but somebody's letter\n", file);
    fclose(file);
    assert_int_equal(cvg_segment_open(path, &segment, &why), CVG_ERR_CORRUPT);
    assert_non_null(strstr(why.text, path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(longest_record, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cut_at_every_octet, set_up, tear_down),
        cmocka_unit_test_setup_teardown(flip_every_octet, set_up, tear_down),
        cmocka_unit_test_setup_teardown(flip_while_open, set_up, tear_down),
        cmocka_unit_test_setup_teardown(octets_of_an_older_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(full_disk_leaves_nothing_half_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(something_else, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
