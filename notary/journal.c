/* SPDX-License-Identifier: MIT */
/* The segments in their order, and the index over them. */
#include "notary/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/config.h"
#include "common/base/log.h"
#include "notary/places.h"

#define SUFFIX_MAX  32
#define SEGMENT_MAX (UINT64_C(1) << 31) /* a place in it is 32 bits */

struct part {
    uint32_t number;
    struct cvg_segment *segment;
};

struct cvg_journal {
    char path[CVG_PATH_MAX];
    struct part *part; /* by number; the last one is written to unless it is sealed */
    size_t count;
    uint32_t last_number;
    uint64_t begun_ms; /* when the last one got its first record */
    bool unsynced;
    struct cvg_places *places;
};

enum cvg_error cvg_journal_lock(const char *path, int *ret_descriptor, struct cvg_why *ret_why)
{
    char file[CVG_PATH_MAX + SUFFIX_MAX];
    snprintf(file, sizeof(file), "%s.lock", path);
    int descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return cvg_fail(ret_why, CVG_ERR_IO, "%s: %s", file, strerror(errno));
    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        bool busy = errno == EWOULDBLOCK;
        enum cvg_error err =
            cvg_fail(ret_why, busy ? CVG_ERR_BUSY : CVG_ERR_IO, "%s: %s", file,
                     busy ? "another process keeps its records there" : strerror(errno));
        close(descriptor);
        return err;
    }
    *ret_descriptor = descriptor;
    return CVG_OK;
}

static void name_segment(const struct cvg_journal *journal, uint32_t number, char *ret_path,
                         size_t size)
{
    snprintf(ret_path, size, "%s.%lu", journal->path, (unsigned long)number);
}

/* Room for one more. */
static enum cvg_error reserve(struct cvg_journal *journal)
{
    struct part *part = realloc(journal->part, (journal->count + 1) * sizeof(*part));
    if (part == NULL)
        return CVG_ERR_NOMEM;
    journal->part = part;
    return CVG_OK;
}

static struct part *last(const struct cvg_journal *journal)
{
    return journal->count == 0 ? NULL : &journal->part[journal->count - 1];
}

/* Enters a found segment's records in the index. */
static enum cvg_error replay(struct cvg_journal *journal, const struct part *part)
{
    struct cvg_buffer buffer;
    struct cvg_segment_record record;
    uint64_t at = 0;
    cvg_buffer_init(&buffer, CVG_SEGMENT_BUFFER);
    enum cvg_error err = CVG_OK;
    while (err == CVG_OK) {
        err = cvg_segment_next(part->segment, &at, &buffer, &record);
        if (err == CVG_OK)
            err = cvg_places_put(
                journal->places, record.key, record.key_len,
                (struct cvg_place){.segment = part->number, .at = (uint32_t)record.at});
    }
    cvg_buffer_free(&buffer);
    return err == CVG_ERR_NOT_FOUND ? CVG_OK : err;
}

static void set_aside(const char *path)
{
    char aside[CVG_PATH_MAX + 2 * SUFFIX_MAX];
    snprintf(aside, sizeof(aside), "%s.damaged.%lld", path, (long long)time(NULL));
    if (rename(path, aside) == 0)
        cvg_log(CVG_LOG_WARNING, "%s is damaged: moved to %s", path, aside);
}

/* Opens the segment of that number as the last one. */
static enum cvg_error open_part(struct cvg_journal *journal, uint32_t number, struct cvg_why *why)
{
    char path[CVG_PATH_MAX + SUFFIX_MAX];
    struct cvg_segment *segment = NULL;
    enum cvg_error err = reserve(journal);
    if (err != CVG_OK)
        return err;
    name_segment(journal, number, path, sizeof(path));
    err = cvg_segment_open(path, &segment, why);
    if (err != CVG_OK)
        return err;
    journal->part[journal->count++] = (struct part){.number = number, .segment = segment};
    return CVG_OK;
}

/* A file without a whole head, which a process left that had no time, or no room, for more. */
static bool is_stub(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && info.st_size < CVG_SEGMENT_HEAD;
}

static enum cvg_error take_up(struct cvg_journal *journal, uint32_t number, struct cvg_why *why)
{
    char path[CVG_PATH_MAX + SUFFIX_MAX];
    name_segment(journal, number, path, sizeof(path));
    if (is_stub(path)) {
        (void)unlink(path);
        return CVG_OK;
    }
    if (journal->count > 0)
        cvg_segment_seal(last(journal)->segment);
    enum cvg_error err = open_part(journal, number, why);
    journal->last_number = number;
    if (err == CVG_ERR_CORRUPT) {
        set_aside(path);
        return CVG_OK;
    }
    return err == CVG_OK ? replay(journal, last(journal)) : err;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* The number of a segment that is called so; 0: it is none. */
static uint32_t number_of(const char *name, const char *base)
{
    size_t len = strlen(base);
    if (strncmp(name, base, len) != 0 || name[len] != '.')
        return 0;
    const char *digits = name + len + 1;
    if (digits[0] < '1' || digits[0] > '9' || strspn(digits, "0123456789") != strlen(digits) ||
        strlen(digits) > 9)
        return 0;
    return (uint32_t)strtoul(digits, NULL, 10);
}

struct numbers {
    uint32_t *number;
    size_t count;
};

static enum cvg_error add_number(struct numbers *numbers, uint32_t number)
{
    uint32_t *more = realloc(numbers->number, (numbers->count + 1) * sizeof(*more));
    if (more == NULL)
        return CVG_ERR_NOMEM;
    numbers->number = more;
    more[numbers->count++] = number;
    return CVG_OK;
}

/* The numbers of the segments that are there, sorted. */
static enum cvg_error list(const char *path, struct numbers *ret_numbers, struct cvg_why *why)
{
    char directory[CVG_PATH_MAX];
    const char *slash = strrchr(path, '/');
    const char *base = slash == NULL ? path : slash + 1;
    snprintf(directory, sizeof(directory), "%.*s", slash == NULL ? 1 : (int)(slash - path) + 1,
             slash == NULL ? "." : path);
    DIR *entries = opendir(directory);
    if (entries == NULL)
        return cvg_fail(why, CVG_ERR_IO, "%s: %s", directory, strerror(errno));
    enum cvg_error err = CVG_OK;
    const struct dirent *entry = NULL;
    while (err == CVG_OK && (entry = readdir(entries)) != NULL) {
        uint32_t number = number_of(entry->d_name, base);
        if (number != 0)
            err = add_number(ret_numbers, number);
    }
    closedir(entries);
    if (ret_numbers->count > 0)
        qsort(ret_numbers->number, ret_numbers->count, sizeof(uint32_t), compare);
    return err;
}

enum cvg_error cvg_journal_open(const char *path, struct cvg_journal **ret_journal,
                                struct cvg_why *ret_why)
{
    struct cvg_journal *journal = calloc(1, sizeof(*journal));
    struct numbers numbers = {.count = 0};
    if (journal == NULL)
        return CVG_ERR_NOMEM;
    snprintf(journal->path, sizeof(journal->path), "%s", path);
    enum cvg_error err = cvg_places_new(&journal->places);
    if (err == CVG_OK)
        err = list(path, &numbers, ret_why);
    for (size_t i = 0; err == CVG_OK && i < numbers.count; i++)
        err = take_up(journal, numbers.number[i], ret_why);
    free(numbers.number);
    if (err != CVG_OK) {
        cvg_journal_free(journal);
        return err;
    }
    *ret_journal = journal;
    return CVG_OK;
}

void cvg_journal_free(struct cvg_journal *journal)
{
    if (journal == NULL)
        return;
    for (size_t i = 0; i < journal->count; i++)
        cvg_segment_free(journal->part[i].segment);
    free(journal->part);
    cvg_places_free(journal->places);
    free(journal);
}

/* The segment that is written to; a new one if the last is sealed. */
static enum cvg_error writable(struct cvg_journal *journal, struct part *ret_part)
{
    const struct part *part = last(journal);
    if (part == NULL || cvg_segment_is_sealed(part->segment)) {
        enum cvg_error err = open_part(journal, journal->last_number + 1, NULL);
        if (err != CVG_OK)
            return err;
        journal->last_number++;
    }
    *ret_part = journal->part[journal->count - 1];
    return CVG_OK;
}

enum cvg_error cvg_journal_put(struct cvg_journal *journal, const void *key, size_t key_len,
                               const void *value, size_t value_len, uint64_t now_ms)
{
    uint64_t at = 0;
    struct part part = {.number = 0};
    enum cvg_error err = writable(journal, &part);
    if (err != CVG_OK)
        return err;
    if (cvg_segment_is_empty(part.segment) || journal->begun_ms == 0)
        journal->begun_ms = now_ms;
    err = cvg_segment_append(part.segment, key, key_len, value, value_len, &at);
    if (err != CVG_OK)
        return err;
    journal->unsynced = true;
    if (cvg_segment_size(part.segment) >= SEGMENT_MAX)
        cvg_segment_seal(part.segment);
    return cvg_places_put(journal->places, key, key_len,
                          (struct cvg_place){.segment = part.number, .at = (uint32_t)at});
}

static const struct part *find(const struct cvg_journal *journal, uint32_t number)
{
    for (size_t i = 0; i < journal->count; i++)
        if (journal->part[i].number == number)
            return &journal->part[i];
    return NULL;
}

enum cvg_error cvg_journal_get(const struct cvg_journal *journal, const void *key, size_t key_len,
                               struct cvg_buffer *buffer, struct cvg_segment_record *ret_record)
{
    struct cvg_place place;
    if (!cvg_places_find(journal->places, key, key_len, &place))
        return CVG_ERR_NOT_FOUND;
    const struct part *part = find(journal, place.segment);
    if (part == NULL)
        return CVG_ERR_NOT_FOUND;
    struct cvg_segment_record record;
    enum cvg_error err = cvg_segment_read(part->segment, place.at, buffer, &record);
    if (err != CVG_OK)
        return err;
    if (record.key_len != key_len || memcmp(record.key, key, key_len) != 0)
        return CVG_ERR_NOT_FOUND;
    *ret_record = record;
    return CVG_OK;
}

bool cvg_journal_seal(struct cvg_journal *journal, uint64_t octets, uint64_t age_ms,
                      uint64_t now_ms)
{
    const struct part *part = last(journal);
    if (part == NULL || cvg_segment_is_sealed(part->segment) || cvg_segment_is_empty(part->segment))
        return false;
    if (journal->begun_ms == 0)
        journal->begun_ms = now_ms;
    if (cvg_segment_size(part->segment) < octets && now_ms - journal->begun_ms < age_ms)
        return false;
    cvg_segment_seal(part->segment);
    return true;
}

const struct cvg_segment *cvg_journal_first(const struct cvg_journal *journal)
{
    if (journal->count == 0 || !cvg_segment_is_sealed(journal->part[0].segment))
        return NULL;
    return journal->part[0].segment;
}

void cvg_journal_drop_first(struct cvg_journal *journal)
{
    const struct part first = journal->part[0];
    cvg_segment_discard(first.segment);
    journal->count--;
    memmove(journal->part, journal->part + 1, journal->count * sizeof(first));
    cvg_places_drop(journal->places, first.number);
}

int cvg_journal_unsynced(struct cvg_journal *journal)
{
    if (!journal->unsynced || journal->count == 0)
        return -1;
    journal->unsynced = false;
    return cvg_segment_descriptor(last(journal)->segment);
}

uint64_t cvg_journal_octets(const struct cvg_journal *journal)
{
    uint64_t octets = 0;
    for (size_t i = 0; i < journal->count; i++)
        octets += cvg_segment_size(journal->part[i].segment);
    return octets;
}
