/* SPDX-License-Identifier: MIT */
/* The embedded store over GDBM. Records carry a version and the first octets of a SHA-256, so that
 * a damaged one is never believed. Not mapped into memory: a full disk must be an error, not
 * SIGBUS. */
#include "notary/store-gdbm.h"

#include <errno.h>
#include <gdbm.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/config.h"
#include "common/base/log.h"
#include "common/protocol/digest.h"

#define RECORD_VERSION 1
#define CHECKSUM_LEN   8
#define HEAD_LEN       (1 + CHECKSUM_LEN)
#define FLAGS          (GDBM_WRCREAT | GDBM_NOMMAP | GDBM_CLOEXEC)

struct gdbm_store {
    struct cvg_store store; /* first: casts */
    GDBM_FILE file;         /* NULL: given up for this run */
    char path[CVG_PATH_MAX];
    uint64_t max_records;
    uint64_t records;
    datum victim; /* the next record to go when the file is full; dptr owned, NULL: the first one */
    bool told;    /* that writing fails */
};

static struct gdbm_store *of(struct cvg_store *store)
{
    return (struct gdbm_store *)(void *)store;
}

static datum datum_of(const void *data, size_t len)
{
    return (datum){.dptr = (char *)(uintptr_t)data, .dsize = (int)len};
}

/* Over version, key and value: a value under another key is as bad as a changed one. */
static enum cvg_error checksum(const void *key, size_t key_len, const void *value, size_t value_len,
                               uint8_t ret_sum[static CVG_SHA256_LEN])
{
    struct cvg_buffer all;
    cvg_buffer_init(&all, CVG_STORE_VALUE_MAX + 1024);
    cvg_buffer_put_u8(&all, RECORD_VERSION);
    cvg_buffer_put_u16(&all, (uint16_t)key_len);
    cvg_buffer_put(&all, key, key_len);
    enum cvg_error err = cvg_buffer_put(&all, value, value_len);
    if (err == CVG_OK)
        err = cvg_sha256(all.data, all.len, ret_sum);
    cvg_buffer_free(&all);
    return err;
}

static enum cvg_error check(const void *key, size_t key_len, const datum *record)
{
    uint8_t sum[CVG_SHA256_LEN];
    if (record->dsize < HEAD_LEN || record->dptr[0] != RECORD_VERSION)
        return CVG_ERR_CORRUPT;
    enum cvg_error err =
        checksum(key, key_len, record->dptr + HEAD_LEN, (size_t)record->dsize - HEAD_LEN, sum);
    if (err == CVG_OK && memcmp(sum, record->dptr + 1, CHECKSUM_LEN) != 0)
        err = CVG_ERR_CORRUPT;
    return err;
}

/* Whether the file can be walked from end to end. What a single record holds is checked when it is
 * read; this finds a structure that GDBM itself cannot follow. */
static bool walks(GDBM_FILE file)
{
    gdbm_count_t expected = 0, count = 0;
    if (gdbm_count(file, &expected) != 0)
        return false;
    gdbm_errno = GDBM_NO_ERROR;
    datum key = gdbm_firstkey(file);
    while (key.dptr != NULL && count < expected) {
        datum next = gdbm_nextkey(file, key);
        free(key.dptr);
        key = next;
        count++;
    }
    free(key.dptr);
    return count == expected && gdbm_errno == GDBM_ITEM_NOT_FOUND && !gdbm_needs_recovery(file);
}

static bool move_aside(const char *path)
{
    char aside[CVG_PATH_MAX + 64];
    snprintf(aside, sizeof(aside), "%s.damaged.%lld", path, (long long)time(NULL));
    if (rename(path, aside) != 0)
        return false;
    cvg_log(CVG_LOG_WARNING, "%s is damaged: moved to %s, a fresh one is begun", path, aside);
    return true;
}

/* Problems of the place rather than of the file's content. */
static bool is_system_error(int error)
{
    return error == GDBM_FILE_OPEN_ERROR || error == GDBM_CANT_BE_WRITER ||
           error == GDBM_CANT_BE_READER || error == GDBM_MALLOC_ERROR ||
           error == GDBM_BACKUP_FAILED || error == GDBM_ERR_FILE_OWNER;
}

/* A disk that is full, or a limit that is reached: not the file's fault. */
static bool is_full_disk(int error)
{
    return error == GDBM_FILE_WRITE_ERROR || error == GDBM_FILE_SYNC_ERROR;
}

/* A fresh file that could not be written whole goes again: the next start would take it for
 * damaged. */
static GDBM_FILE open_file(const char *path)
{
    struct stat info;
    bool fresh = stat(path, &info) != 0 || info.st_size == 0;
    GDBM_FILE file = gdbm_open(path, 0, FLAGS, 0600, NULL);
    int error = gdbm_errno;
    if (file == NULL && fresh && is_full_disk(error))
        (void)unlink(path);
    gdbm_errno = error;
    if (file != NULL && !walks(file)) {
        gdbm_close(file);
        gdbm_errno = GDBM_NEED_RECOVERY;
        return NULL;
    }
    return file;
}

/* Opens the file; a damaged one gives way to a fresh one. */
static GDBM_FILE open_or_begin(const char *path)
{
    GDBM_FILE file = open_file(path);
    if (file != NULL || is_system_error(gdbm_errno) || is_full_disk(gdbm_errno) ||
        !move_aside(path))
        return file;
    return open_file(path);
}

static void tell_once(struct gdbm_store *store, const char *what)
{
    if (!store->told)
        cvg_log(CVG_LOG_ERROR, "%s: %s failed: %s; going on in memory", store->path, what,
                gdbm_strerror(gdbm_errno));
    store->told = true;
}

static void forget_victim(struct gdbm_store *store)
{
    free(store->victim.dptr);
    store->victim.dptr = NULL;
}

/* Counts what is there; a file that was just opened or begun. */
static void count_records(struct gdbm_store *store)
{
    gdbm_count_t count = 0;
    forget_victim(store);
    store->records = 0;
    if (store->file != NULL && gdbm_count(store->file, &count) == 0)
        store->records = count;
}

/* After an operation failed: a structure found damaged is replaced; else it is told and borne. */
static void failed(struct gdbm_store *store, const char *what)
{
    if (!gdbm_needs_recovery(store->file)) {
        tell_once(store, what);
        return;
    }
    gdbm_close(store->file);
    store->file = move_aside(store->path) ? open_file(store->path) : NULL;
    if (store->file == NULL)
        tell_once(store, "reopening");
    count_records(store);
}

/* Lets one record go. Which one is in the order of GDBM's own hash, going round, so that a flood of
 * new names cannot choose: it mostly pushes out itself. */
static void make_room(struct gdbm_store *store)
{
    if (store->victim.dptr == NULL)
        store->victim = gdbm_firstkey(store->file);
    if (store->victim.dptr == NULL)
        return;
    datum next = gdbm_nextkey(store->file, store->victim);
    if (gdbm_delete(store->file, store->victim) == 0)
        store->records--;
    forget_victim(store);
    store->victim = next;
}

static enum cvg_error get(struct cvg_store *base, const void *key, size_t key_len,
                          struct cvg_buffer *ret_value)
{
    struct gdbm_store *store = of(base);
    if (store->file == NULL)
        return CVG_ERR_IO;
    datum record = gdbm_fetch(store->file, datum_of(key, key_len));
    if (record.dptr == NULL) {
        if (gdbm_errno == GDBM_ITEM_NOT_FOUND)
            return CVG_ERR_NOT_FOUND;
        failed(store, "reading");
        return CVG_ERR_IO;
    }
    enum cvg_error err = check(key, key_len, &record);
    if (err == CVG_OK)
        err = cvg_buffer_put(ret_value, record.dptr + HEAD_LEN, (size_t)record.dsize - HEAD_LEN);
    else if (err == CVG_ERR_CORRUPT && gdbm_delete(store->file, datum_of(key, key_len)) == 0)
        store->records--;
    free(record.dptr);
    return err;
}

static enum cvg_error put(struct cvg_store *base, const void *key, size_t key_len,
                          const void *value, size_t value_len)
{
    struct gdbm_store *store = of(base);
    struct cvg_buffer record;
    uint8_t sum[CVG_SHA256_LEN];
    if (store->file == NULL)
        return CVG_ERR_IO;
    enum cvg_error err = checksum(key, key_len, value, value_len, sum);
    if (err != CVG_OK)
        return err;
    bool is_new = gdbm_exists(store->file, datum_of(key, key_len)) == 0;
    if (is_new && store->records >= store->max_records)
        make_room(store);
    cvg_buffer_init(&record, CVG_STORE_VALUE_MAX + HEAD_LEN);
    cvg_buffer_put_u8(&record, RECORD_VERSION);
    cvg_buffer_put(&record, sum, CHECKSUM_LEN);
    err = cvg_buffer_put(&record, value, value_len);
    if (err == CVG_OK && gdbm_store(store->file, datum_of(key, key_len),
                                    datum_of(record.data, record.len), GDBM_REPLACE) != 0) {
        failed(store, "writing");
        err = CVG_ERR_IO;
    }
    if (err == CVG_OK && is_new)
        store->records++;
    cvg_buffer_free(&record);
    return err;
}

static void sync_store(struct cvg_store *base)
{
    struct gdbm_store *store = of(base);
    if (store->file != NULL && gdbm_sync(store->file) != 0)
        failed(store, "syncing");
}

static void free_store(struct cvg_store *base)
{
    struct gdbm_store *store = of(base);
    forget_victim(store);
    if (store->file != NULL)
        gdbm_close(store->file);
    free(store);
}

enum cvg_error cvg_store_gdbm_open(const char *path, uint64_t max_records,
                                   struct cvg_store **ret_store, struct cvg_why *ret_why)
{
    struct gdbm_store *store = calloc(1, sizeof(*store));
    if (store == NULL)
        return CVG_ERR_NOMEM;
    store->store =
        (struct cvg_store){.get = get, .put = put, .sync = sync_store, .free = free_store};
    store->max_records = max_records;
    snprintf(store->path, sizeof(store->path), "%s", path);
    store->file = open_or_begin(path);
    if (store->file == NULL && is_full_disk(gdbm_errno)) {
        tell_once(store, "beginning the database");
    } else if (store->file == NULL) {
        free(store);
        return cvg_fail(ret_why, CVG_ERR_IO, "%s: %s", path, gdbm_strerror(gdbm_errno));
    }
    count_records(store);
    *ret_store = &store->store;
    return CVG_OK;
}
