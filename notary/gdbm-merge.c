/* SPDX-License-Identifier: MIT */
/* Old file and segment in, new file out. */
#include "notary/gdbm-merge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/config.h"
#include "common/base/log.h"
#include "notary/gdbm-file.h"
#include "notary/observations.h"
#include "notary/places.h"
#include "notary/values.h"

#define ROOM_MIN     (64 * 1024) /* octets of the smallest file, and more */
#define NEW_PATH_MAX (CVG_PATH_MAX + 8)

struct work {
    struct cvg_gdbm_merge *merge;
    GDBM_FILE old; /* NULL: there is none */
    GDBM_FILE new;
    struct cvg_places *places; /* the segment's newest records */
    int64_t since_s;           /* what was last seen before goes */
    bool damaged;              /* the old file */
    int64_t *time;             /* see choose_since */
    size_t time_count, time_size;
    struct cvg_buffer read;   /* a record of the segment */
    struct cvg_buffer value;  /* what two became */
    struct cvg_buffer record; /* what is written */
    char new_path[NEW_PATH_MAX];
};

static void name_new(const char *path, char ret_path[static NEW_PATH_MAX])
{
    snprintf(ret_path, NEW_PATH_MAX, "%s.new", path);
}

void cvg_gdbm_merge_clean(const char *path)
{
    char new_path[NEW_PATH_MAX];
    name_new(path, new_path);
    (void)unlink(new_path);
}

/* The last time that anything was seen there. CORRUPT: it cannot be read. */
static enum cvg_error newest_of(const void *value, size_t len, int64_t *ret_newest_s)
{
    struct cvg_observations seen = {.count = 0};
    enum cvg_error err = cvg_observations_parse(value, len, &seen);
    if (err != CVG_OK)
        return err == CVG_ERR_NOMEM ? err : CVG_ERR_CORRUPT;
    *ret_newest_s = cvg_observations_newest(&seen);
    cvg_observations_free(&seen);
    return CVG_OK;
}

static enum cvg_error write_failed(struct work *work)
{
    cvg_log(CVG_LOG_ERROR, "%s cannot be written: %s", work->new_path, gdbm_strerror(gdbm_errno));
    return CVG_ERR_IO;
}

/* Writes the record to the new file, unless it has been forgotten. */
static enum cvg_error emit(struct work *work, const void *key, size_t key_len, const void *value,
                           size_t value_len)
{
    int64_t newest_s = 0;
    enum cvg_error err = newest_of(value, value_len, &newest_s);
    if (err == CVG_ERR_CORRUPT) {
        work->merge->ret_rejected++;
        return CVG_OK;
    }
    if (err != CVG_OK)
        return err;
    if (newest_s < work->since_s || work->merge->ret_records >= work->merge->max_records)
        return CVG_OK;
    cvg_buffer_clear(&work->record);
    err = cvg_gdbm_record(key, key_len, value, value_len, &work->record);
    if (err != CVG_OK)
        return err;
    if (gdbm_store(work->new, cvg_gdbm_datum(key, key_len),
                   cvg_gdbm_datum(work->record.data, work->record.len), GDBM_REPLACE) != 0)
        return write_failed(work);
    work->merge->ret_records++;
    return CVG_OK;
}

/* The segment's newest record of the key. NOT_FOUND: it has none, or none that can be read. */
static enum cvg_error find(struct work *work, const void *key, size_t key_len,
                           struct cvg_segment_record *ret_record)
{
    struct cvg_place place;
    if (!cvg_places_find(work->places, key, key_len, &place))
        return CVG_ERR_NOT_FOUND;
    enum cvg_error err = cvg_segment_read(work->merge->segment, place.at, &work->read, ret_record);
    if (err == CVG_OK &&
        (ret_record->key_len != key_len || memcmp(ret_record->key, key, key_len) != 0))
        err = CVG_ERR_NOT_FOUND;
    return err == CVG_ERR_CORRUPT ? CVG_ERR_NOT_FOUND : err;
}

/* One record of the old file; one that fails its checksum is left out. */
static enum cvg_error carry_over(struct work *work, datum key, const datum *old)
{
    struct cvg_segment_record record;
    size_t key_len = (size_t)key.dsize;
    enum cvg_error err = cvg_gdbm_check(key.dptr, key_len, old);
    if (err == CVG_ERR_CORRUPT) {
        work->merge->ret_rejected++;
        return CVG_OK;
    }
    if (err != CVG_OK)
        return err;
    struct cvg_stored value = {.octets = old->dptr + CVG_GDBM_HEAD,
                               .len = (size_t)old->dsize - CVG_GDBM_HEAD};
    err = find(work, key.dptr, key_len, &record);
    if (err == CVG_OK)
        err = cvg_values_merge(value,
                               (struct cvg_stored){.octets = record.value, .len = record.value_len},
                               work->merge->now_s, &work->value, &value);
    if (err != CVG_OK && err != CVG_ERR_NOT_FOUND)
        return err;
    return emit(work, key.dptr, key_len, value.octets, value.len);
}

typedef enum cvg_error visitor(struct work *work, datum key, const datum *record);

/* Visits all records of the old file. A file that cannot be followed to its end is damaged: what
 * was visited counts. More keys than it says it has are a circle. */
static enum cvg_error walk(struct work *work, visitor *visit)
{
    gdbm_count_t left = 0;
    enum cvg_error err = CVG_OK;
    if (gdbm_count(work->old, &left) != 0)
        work->damaged = true;
    gdbm_errno = GDBM_NO_ERROR;
    datum key = gdbm_firstkey(work->old);
    while (key.dptr != NULL && left-- > 0 && err == CVG_OK) {
        datum record = gdbm_fetch(work->old, key);
        if (record.dptr != NULL)
            err = visit(work, key, &record);
        else
            work->damaged = true;
        free(record.dptr);
        datum next = gdbm_nextkey(work->old, key);
        free(key.dptr);
        key = next;
        if (atomic_load(work->merge->stop))
            err = CVG_ERR_BUSY;
    }
    if (err == CVG_OK && gdbm_errno == GDBM_MALLOC_ERROR)
        err = CVG_ERR_NOMEM;
    if (err == CVG_OK && (key.dptr != NULL || gdbm_errno != GDBM_ITEM_NOT_FOUND))
        work->damaged = true;
    free(key.dptr);
    return err;
}

static enum cvg_error index_segment(struct work *work)
{
    struct cvg_segment_record record;
    uint64_t at = 0;
    enum cvg_error err = CVG_OK;
    while (err == CVG_OK) {
        err = cvg_segment_next(work->merge->segment, &at, &work->read, &record);
        if (err == CVG_OK)
            err = cvg_places_put(work->places, record.key, record.key_len,
                                 (struct cvg_place){.segment = 1, .at = (uint32_t)record.at});
    }
    if (err == CVG_ERR_CORRUPT)
        work->merge->ret_rejected++;
    return err == CVG_ERR_NOT_FOUND || err == CVG_ERR_CORRUPT ? CVG_OK : err;
}

/* What the old file did not have. */
static enum cvg_error add_new(struct work *work)
{
    struct cvg_segment_record record;
    struct cvg_place place;
    uint64_t at = 0;
    enum cvg_error err = CVG_OK;
    while (err == CVG_OK && !atomic_load(work->merge->stop)) {
        err = cvg_segment_next(work->merge->segment, &at, &work->read, &record);
        if (err == CVG_OK && cvg_places_find(work->places, record.key, record.key_len, &place) &&
            place.at == record.at &&
            gdbm_exists(work->new, cvg_gdbm_datum(record.key, record.key_len)) == 0)
            err = emit(work, record.key, record.key_len, record.value, record.value_len);
    }
    if (err == CVG_OK)
        return CVG_ERR_BUSY;
    return err == CVG_ERR_NOT_FOUND || err == CVG_ERR_CORRUPT ? CVG_OK : err;
}

static enum cvg_error put_in_place(struct work *work)
{
    char directory[CVG_PATH_MAX];
    const char *slash = strrchr(work->merge->path, '/');
    int len = slash == NULL ? 1 : (int)(slash - work->merge->path) + 1;
    if (gdbm_sync(work->new) != 0)
        return write_failed(work);
    int closed = gdbm_close(work->new);
    work->new = NULL;
    if (closed != 0)
        return write_failed(work);
    if (work->damaged && !cvg_gdbm_set_aside(work->merge->path))
        return CVG_ERR_IO;
    if (rename(work->new_path, work->merge->path) != 0)
        return CVG_ERR_IO;
    snprintf(directory, sizeof(directory), "%.*s", len, slash == NULL ? "." : work->merge->path);
    int descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum cvg_error err = descriptor >= 0 && fsync(descriptor) == 0 ? CVG_OK : CVG_ERR_IO;
    if (descriptor >= 0)
        close(descriptor);
    return err;
}

/* The times at which the records were last seen, to find which are too many. */
static enum cvg_error note_time(struct work *work, const void *value, size_t len)
{
    int64_t newest_s = 0;
    enum cvg_error err = newest_of(value, len, &newest_s);
    if (err != CVG_OK)
        return err == CVG_ERR_CORRUPT ? CVG_OK : err;
    if (work->time_count == work->time_size) {
        size_t size = work->time_size == 0 ? 4096 : work->time_size * 2;
        int64_t *time = realloc(work->time, size * sizeof(*time));
        if (time == NULL)
            return CVG_ERR_NOMEM;
        work->time = time;
        work->time_size = size;
    }
    work->time[work->time_count++] = newest_s;
    return CVG_OK;
}

static enum cvg_error note_old(struct work *work, datum key, const datum *old)
{
    struct cvg_place place;
    if (old->dsize < CVG_GDBM_HEAD ||
        cvg_places_find(work->places, key.dptr, (size_t)key.dsize, &place))
        return CVG_OK;
    return note_time(work, old->dptr + CVG_GDBM_HEAD, (size_t)old->dsize - CVG_GDBM_HEAD);
}

static enum cvg_error note_segment(struct work *work)
{
    struct cvg_segment_record record;
    struct cvg_place place;
    uint64_t at = 0;
    enum cvg_error err = CVG_OK;
    while (err == CVG_OK) {
        err = cvg_segment_next(work->merge->segment, &at, &work->read, &record);
        if (err == CVG_OK && cvg_places_find(work->places, record.key, record.key_len, &place) &&
            place.at == record.at)
            err = note_time(work, record.value, record.value_len);
    }
    return err == CVG_ERR_NOT_FOUND || err == CVG_ERR_CORRUPT ? CVG_OK : err;
}

static int compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* Sets from when on records stay: by age and, where they would be too many, by number. */
static enum cvg_error choose_since(struct work *work)
{
    gdbm_count_t old_count = 0;
    uint64_t max = work->merge->max_records;
    work->since_s = work->merge->now_s - work->merge->forget_after_s;
    if (work->old != NULL)
        (void)gdbm_count(work->old, &old_count);
    if (old_count + cvg_places_count(work->places) <= max)
        return CVG_OK;
    enum cvg_error err = work->old == NULL ? CVG_OK : walk(work, note_old);
    if (err == CVG_OK)
        err = note_segment(work);
    if (err != CVG_OK || work->time_count <= max)
        return err;
    qsort(work->time, work->time_count, sizeof(*work->time), compare_times);
    int64_t oldest_s = work->time[work->time_count - max];
    if (oldest_s > work->since_s)
        work->since_s = oldest_s;
    return CVG_OK;
}

/* Whether the disk has room for a file as large as the old one, before any work is done. (And GDBM
 * loses a page of memory when it cannot begin a file.) */
static enum cvg_error check_room(const struct work *work, off_t octets)
{
    enum cvg_error err = CVG_OK;
    int descriptor = open(work->new_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0 ||
        (fallocate(descriptor, 0, 0, octets) != 0 && errno != EOPNOTSUPP && errno != ENOSYS)) {
        cvg_log(CVG_LOG_ERROR, "%s cannot be written: %s", work->new_path, strerror(errno));
        err = CVG_ERR_IO;
    }
    if (descriptor >= 0)
        close(descriptor);
    return err;
}

static enum cvg_error open_both(struct work *work)
{
    const char *path = work->merge->path;
    struct stat info = {.st_size = 0};
    if (stat(path, &info) == 0 && info.st_size > 0) {
        work->old = gdbm_open(path, 0, GDBM_READER | GDBM_NOLOCK | CVG_GDBM_FLAGS, 0600, NULL);
        if (work->old == NULL && gdbm_errno == GDBM_MALLOC_ERROR)
            return CVG_ERR_NOMEM;
        if (work->old == NULL)
            work->damaged = true;
    }
    cvg_gdbm_merge_clean(path);
    enum cvg_error err = check_room(work, info.st_size > ROOM_MIN ? info.st_size : (off_t)ROOM_MIN);
    if (err != CVG_OK)
        return err;
    work->new =
        gdbm_open(work->new_path, 0, GDBM_NEWDB | CVG_GDBM_WHOLE | CVG_GDBM_FLAGS, 0600, NULL);
    return work->new == NULL ? write_failed(work) : CVG_OK;
}

static void close_both(struct work *work)
{
    if (work->old != NULL)
        gdbm_close(work->old);
    if (work->new != NULL)
        gdbm_close(work->new);
    cvg_places_free(work->places);
    cvg_buffer_free(&work->read);
    cvg_buffer_free(&work->value);
    cvg_buffer_free(&work->record);
    free(work->time);
}

enum cvg_error cvg_gdbm_merge(struct cvg_gdbm_merge *merge)
{
    struct work work = {.merge = merge};
    merge->ret_records = merge->ret_rejected = 0;
    name_new(merge->path, work.new_path);
    cvg_buffer_init(&work.read, CVG_SEGMENT_BUFFER);
    cvg_buffer_init(&work.value, CVG_VALUE_MAX);
    cvg_buffer_init(&work.record, CVG_VALUE_MAX + CVG_GDBM_HEAD);
    enum cvg_error err = cvg_places_new(&work.places);
    if (err == CVG_OK)
        err = open_both(&work);
    if (err == CVG_OK)
        err = index_segment(&work);
    if (err == CVG_OK)
        err = choose_since(&work);
    if (err == CVG_OK && work.old != NULL)
        err = walk(&work, carry_over);
    if (err == CVG_OK)
        err = add_new(&work);
    if (err == CVG_OK)
        err = put_in_place(&work);
    close_both(&work);
    if (err != CVG_OK)
        cvg_gdbm_merge_clean(merge->path);
    return err;
}
