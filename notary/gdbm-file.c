/* SPDX-License-Identifier: MIT */
/* Opening, walking through, and checking. */
#include "notary/gdbm-file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/base/config.h"
#include "common/base/log.h"
#include "common/protocol/digest.h"
#include "notary/segment.h"

#define RECORD_VERSION 1
#define CHECKSUM_LEN   (CVG_GDBM_HEAD - 1)

datum cvg_gdbm_datum(const void *octets, size_t len)
{
    return (datum){.dptr = (char *)(uintptr_t)octets, .dsize = (int)len};
}

/* Over version, key and value: a value under another key is as bad as a changed one. */
static enum cvg_error checksum(const void *key, size_t key_len, const void *value, size_t value_len,
                               uint8_t ret_sum[static CVG_SHA256_LEN])
{
    struct cvg_buffer all;
    cvg_buffer_init(&all, CVG_SEGMENT_BUFFER);
    cvg_buffer_put_u8(&all, RECORD_VERSION);
    cvg_buffer_put_u16(&all, (uint16_t)key_len);
    cvg_buffer_put(&all, key, key_len);
    enum cvg_error err = cvg_buffer_put(&all, value, value_len);
    if (err == CVG_OK)
        err = cvg_sha256(all.data, all.len, ret_sum);
    cvg_buffer_free(&all);
    return err;
}

enum cvg_error cvg_gdbm_record(const void *key, size_t key_len, const void *value, size_t value_len,
                               struct cvg_buffer *ret_record)
{
    uint8_t sum[CVG_SHA256_LEN];
    enum cvg_error err = checksum(key, key_len, value, value_len, sum);
    if (err != CVG_OK)
        return err;
    cvg_buffer_put_u8(ret_record, RECORD_VERSION);
    cvg_buffer_put(ret_record, sum, CHECKSUM_LEN);
    return cvg_buffer_put(ret_record, value, value_len);
}

enum cvg_error cvg_gdbm_check(const void *key, size_t key_len, const datum *record)
{
    uint8_t sum[CVG_SHA256_LEN];
    if (key_len > CVG_KEY_MAX || record->dsize < CVG_GDBM_HEAD ||
        record->dsize > CVG_GDBM_HEAD + CVG_VALUE_MAX || record->dptr[0] != RECORD_VERSION)
        return CVG_ERR_CORRUPT;
    enum cvg_error err = checksum(key, key_len, record->dptr + CVG_GDBM_HEAD,
                                  (size_t)record->dsize - CVG_GDBM_HEAD, sum);
    if (err == CVG_OK && memcmp(sum, record->dptr + 1, CHECKSUM_LEN) != 0)
        err = CVG_ERR_CORRUPT;
    return err;
}

/* Whether the file can be walked from end to end. What a single record holds is checked when it is
 * read; this finds a structure that GDBM itself cannot follow, as earlier releases, which wrote in
 * place, could leave one. */
static enum cvg_error walk(GDBM_FILE file)
{
    gdbm_count_t expected = 0, count = 0;
    gdbm_errno = GDBM_NO_ERROR;
    if (gdbm_count(file, &expected) != 0)
        return gdbm_errno == GDBM_MALLOC_ERROR ? CVG_ERR_IO : CVG_ERR_CORRUPT;
    gdbm_errno = GDBM_NO_ERROR;
    datum key = gdbm_firstkey(file);
    while (key.dptr != NULL && count < expected) {
        datum next = gdbm_nextkey(file, key);
        free(key.dptr);
        key = next;
        count++;
    }
    free(key.dptr);
    if (gdbm_errno == GDBM_MALLOC_ERROR)
        return CVG_ERR_IO; /* that says nothing about the file */
    return count == expected && gdbm_errno == GDBM_ITEM_NOT_FOUND && !gdbm_needs_recovery(file)
               ? CVG_OK
               : CVG_ERR_CORRUPT;
}

static bool is_whole(GDBM_FILE file)
{
    int format = 0;
    return gdbm_setopt(file, GDBM_GETDBFORMAT, &format, sizeof(format)) == 0 &&
           format == CVG_GDBM_WHOLE;
}

/* Problems of the place rather than of the file's content. */
static bool is_system_error(int error)
{
    return error == GDBM_FILE_OPEN_ERROR || error == GDBM_CANT_BE_WRITER ||
           error == GDBM_CANT_BE_READER || error == GDBM_MALLOC_ERROR ||
           error == GDBM_ERR_FILE_OWNER;
}

enum cvg_error cvg_gdbm_open(const char *path, bool check, GDBM_FILE *ret_file)
{
    struct stat info;
    if (stat(path, &info) != 0 || info.st_size == 0)
        return CVG_ERR_NOT_FOUND;
    GDBM_FILE file = gdbm_open(path, 0, GDBM_READER | CVG_GDBM_FLAGS, 0600, NULL);
    if (file == NULL)
        return is_system_error(gdbm_errno) ? CVG_ERR_IO : CVG_ERR_CORRUPT;
    enum cvg_error err = check || !is_whole(file) ? walk(file) : CVG_OK;
    if (err != CVG_OK) {
        int reason = gdbm_errno;
        gdbm_close(file);
        gdbm_errno = reason;
        return err;
    }
    *ret_file = file;
    return CVG_OK;
}

bool cvg_gdbm_set_aside(const char *path)
{
    char aside[CVG_PATH_MAX + 64];
    snprintf(aside, sizeof(aside), "%s.damaged.%lld", path, (long long)time(NULL));
    if (rename(path, aside) != 0)
        return false;
    cvg_log(CVG_LOG_WARNING, "%s is damaged: moved to %s", path, aside);
    return true;
}
