/* SPDX-License-Identifier: MIT */
/* The file: a head of magic, version and random salt, then records, each
 *
 *     checksum (8)  key length (2)  value length (2)  key  value
 *
 * The checksum is the beginning of a SHA-256 over salt, place, lengths, key and value. So a record
 * counts only at the place in the file where it was written: octets that an older file left on the
 * disk are no record. */
#include "notary/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/config.h"
#include "common/base/log.h"
#include "common/protocol/digest.h"

#define MAGIC     "cvg-jrnl\x01"
#define MAGIC_LEN 9
#define SALT_LEN  8
#define HEAD_LEN  CVG_SEGMENT_HEAD

_Static_assert(HEAD_LEN == MAGIC_LEN + SALT_LEN, "the head is magic and salt");

#define SUM_LEN    8
#define PLACE_LEN  8 /* takes the checksum's room while it is made */
#define RECORD_LEN (SUM_LEN + 4)
#define GUESS_LEN  1024 /* most records are shorter: one read */

struct cvg_segment {
    int fd;
    bool sealed;
    uint64_t size;
    uint8_t salt[SALT_LEN];
    char path[CVG_PATH_MAX];
};

static bool write_all(int fd, const uint8_t *octets, size_t len, uint64_t at)
{
    while (len > 0) {
        ssize_t written = pwrite(fd, octets, len, (off_t)at);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        octets += written;
        len -= (size_t)written;
        at += (uint64_t)written;
    }
    return true;
}

/* Reads up to len octets into the buffer; less at the file's end. */
static enum cvg_error read_more(const struct cvg_segment *segment, uint64_t at, size_t len,
                                struct cvg_buffer *buffer)
{
    size_t had = buffer->len;
    uint8_t *octets = cvg_buffer_extend(buffer, len);
    if (octets == NULL)
        return cvg_buffer_error(buffer);
    size_t got = 0;
    while (got < len) {
        ssize_t more = pread(segment->fd, octets + got, len - got, (off_t)(at + got));
        if (more < 0 && errno == EINTR)
            continue;
        if (more < 0)
            return CVG_ERR_IO;
        if (more == 0)
            break;
        got += (size_t)more;
    }
    buffer->len = had + got;
    return CVG_OK;
}

static void put_place(uint8_t octets[static PLACE_LEN], uint64_t at)
{
    for (size_t i = PLACE_LEN; i-- > 0; at >>= 8)
        octets[i] = (uint8_t)at;
}

static enum cvg_error begin(struct cvg_segment *segment)
{
    uint8_t head[HEAD_LEN];
    memcpy(head, MAGIC, MAGIC_LEN);
    if (getrandom(head + MAGIC_LEN, SALT_LEN, 0) != SALT_LEN)
        return CVG_ERR_IO;
    if (!write_all(segment->fd, head, HEAD_LEN, 0)) {
        int error = errno;
        (void)!ftruncate(segment->fd, 0);
        errno = error;
        return CVG_ERR_IO;
    }
    memcpy(segment->salt, head + MAGIC_LEN, SALT_LEN);
    segment->size = HEAD_LEN;
    return CVG_OK;
}

/* Finds the end of the last whole record; what follows goes. */
static enum cvg_error cut_tail(struct cvg_segment *segment, uint64_t size)
{
    struct cvg_buffer buffer;
    struct cvg_segment_record record;
    uint64_t at = 0;
    segment->size = size;
    cvg_buffer_init(&buffer, CVG_SEGMENT_BUFFER);
    enum cvg_error err = CVG_OK;
    while (err == CVG_OK)
        err = cvg_segment_next(segment, &at, &buffer, &record);
    cvg_buffer_free(&buffer);
    if (err != CVG_ERR_NOT_FOUND && err != CVG_ERR_CORRUPT)
        return err;
    segment->size = at;
    if (at == size)
        return CVG_OK;
    cvg_log(CVG_LOG_WARNING, "%s: the last %llu octets are no whole record: left out",
            segment->path, (unsigned long long)(size - at));
    return ftruncate(segment->fd, (off_t)at) == 0 ? CVG_OK : CVG_ERR_IO;
}

/* A file that is shorter than its head was begun an instant before the end of its process. */
static enum cvg_error open_found(struct cvg_segment *segment)
{
    uint8_t head[HEAD_LEN];
    struct stat info;
    if (fstat(segment->fd, &info) != 0)
        return CVG_ERR_IO;
    size_t len = info.st_size < HEAD_LEN ? (size_t)info.st_size : HEAD_LEN;
    if (pread(segment->fd, head, len, 0) != (ssize_t)len)
        return CVG_ERR_IO;
    if (memcmp(head, MAGIC, len < MAGIC_LEN ? len : MAGIC_LEN) != 0)
        return CVG_ERR_CORRUPT;
    if (len < HEAD_LEN)
        return begin(segment);
    memcpy(segment->salt, head + MAGIC_LEN, SALT_LEN);
    return cut_tail(segment, (uint64_t)info.st_size);
}

enum cvg_error cvg_segment_open(const char *path, struct cvg_segment **ret_segment,
                                struct cvg_why *ret_why)
{
    struct cvg_segment *segment = calloc(1, sizeof(*segment));
    size_t len = strlen(path);
    if (segment == NULL || len >= sizeof(segment->path)) {
        free(segment);
        return len >= CVG_PATH_MAX ? CVG_ERR_RANGE : CVG_ERR_NOMEM;
    }
    memcpy(segment->path, path, len + 1);
    segment->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    enum cvg_error err = segment->fd < 0 ? CVG_ERR_IO : open_found(segment);
    if (err != CVG_OK) {
        (void)cvg_fail(ret_why, err, "%s: %s", path,
                       err == CVG_ERR_IO ? strerror(errno) : "is no segment of a journal");
        cvg_segment_free(segment);
        return err;
    }
    *ret_segment = segment;
    return CVG_OK;
}

void cvg_segment_free(struct cvg_segment *segment)
{
    if (segment == NULL)
        return;
    if (segment->fd >= 0)
        close(segment->fd);
    free(segment);
}

void cvg_segment_discard(struct cvg_segment *segment)
{
    if (unlink(segment->path) != 0 && errno != ENOENT) {
        cvg_log(CVG_LOG_WARNING, "%s: %s; it is emptied", segment->path, strerror(errno));
        if (ftruncate(segment->fd, 0) != 0)
            cvg_log(CVG_LOG_ERROR, "%s: %s: remove it", segment->path, strerror(errno));
    }
    cvg_segment_free(segment);
}

/* buffer: salt, place, lengths, key, value. */
static enum cvg_error checksum(const struct cvg_buffer *buffer, uint8_t ret_sum[static SUM_LEN])
{
    uint8_t digest[CVG_SHA256_LEN];
    enum cvg_error err = cvg_sha256(buffer->data, buffer->len, digest);
    if (err == CVG_OK)
        memcpy(ret_sum, digest, SUM_LEN);
    return err;
}

enum cvg_error cvg_segment_append(struct cvg_segment *segment, const void *key, size_t key_len,
                                  const void *value, size_t value_len, uint64_t *ret_at)
{
    struct cvg_buffer buffer;
    uint8_t sum[SUM_LEN];
    if (key_len > CVG_KEY_MAX || value_len > CVG_VALUE_MAX || segment->sealed)
        return CVG_ERR_RANGE;
    cvg_buffer_init(&buffer, CVG_SEGMENT_BUFFER);
    cvg_buffer_put(&buffer, segment->salt, SALT_LEN);
    cvg_buffer_put_u64(&buffer, segment->size);
    cvg_buffer_put_u16(&buffer, (uint16_t)key_len);
    cvg_buffer_put_u16(&buffer, (uint16_t)value_len);
    cvg_buffer_put(&buffer, key, key_len);
    enum cvg_error err = cvg_buffer_put(&buffer, value, value_len);
    if (err == CVG_OK)
        err = checksum(&buffer, sum);
    if (err == CVG_OK) {
        size_t len = buffer.len - SALT_LEN;
        memcpy(buffer.data + SALT_LEN, sum, SUM_LEN);
        if (write_all(segment->fd, buffer.data + SALT_LEN, len, segment->size)) {
            *ret_at = segment->size;
            segment->size += len;
        } else {
            int error = errno;
            (void)!ftruncate(segment->fd, (off_t)segment->size);
            errno = error;
            err = CVG_ERR_IO;
        }
    }
    cvg_buffer_free(&buffer);
    return err;
}

void cvg_segment_seal(struct cvg_segment *segment)
{
    segment->sealed = true;
}

bool cvg_segment_is_sealed(const struct cvg_segment *segment)
{
    return segment->sealed;
}

uint64_t cvg_segment_size(const struct cvg_segment *segment)
{
    return segment->size;
}

bool cvg_segment_is_empty(const struct cvg_segment *segment)
{
    return segment->size == HEAD_LEN;
}

const char *cvg_segment_path(const struct cvg_segment *segment)
{
    return segment->path;
}

int cvg_segment_descriptor(const struct cvg_segment *segment)
{
    return fcntl(segment->fd, F_DUPFD_CLOEXEC, 0);
}

/* Reads the record's octets behind room for the salt: len is how many of them may be there. */
static enum cvg_error read_record(const struct cvg_segment *segment, uint64_t at, size_t left,
                                  struct cvg_buffer *buffer)
{
    cvg_buffer_clear(buffer);
    cvg_buffer_put(buffer, segment->salt, SALT_LEN);
    enum cvg_error err = read_more(segment, at, left < GUESS_LEN ? left : GUESS_LEN, buffer);
    if (err != CVG_OK)
        return err;
    if (buffer->len < SALT_LEN + RECORD_LEN)
        return CVG_ERR_CORRUPT;
    const uint8_t *lengths = buffer->data + SALT_LEN + SUM_LEN;
    size_t key_len = (size_t)lengths[0] << 8 | lengths[1];
    size_t value_len = (size_t)lengths[2] << 8 | lengths[3];
    size_t len = RECORD_LEN + key_len + value_len, has = buffer->len - SALT_LEN;
    if (key_len > CVG_KEY_MAX || value_len > CVG_VALUE_MAX || len > left)
        return CVG_ERR_CORRUPT;
    if (len > has)
        err = read_more(segment, at + has, len - has, buffer);
    if (err == CVG_OK && buffer->len < SALT_LEN + len)
        return CVG_ERR_CORRUPT;
    buffer->len = SALT_LEN + len;
    return err;
}

enum cvg_error cvg_segment_read(const struct cvg_segment *segment, uint64_t at,
                                struct cvg_buffer *buffer, struct cvg_segment_record *ret_record)
{
    uint8_t sum[SUM_LEN], expected[SUM_LEN];
    if (at < HEAD_LEN || at >= segment->size)
        return CVG_ERR_NOT_FOUND;
    uint64_t left = segment->size - at;
    enum cvg_error err = read_record(
        segment, at, left < CVG_SEGMENT_BUFFER ? (size_t)left : CVG_SEGMENT_BUFFER, buffer);
    if (err != CVG_OK)
        return err;
    memcpy(expected, buffer->data + SALT_LEN, SUM_LEN);
    put_place(buffer->data + SALT_LEN, at);
    err = checksum(buffer, sum);
    if (err == CVG_OK && memcmp(sum, expected, SUM_LEN) != 0)
        err = CVG_ERR_CORRUPT;
    if (err != CVG_OK)
        return err;
    const uint8_t *lengths = buffer->data + SALT_LEN + SUM_LEN;
    size_t key_len = (size_t)lengths[0] << 8 | lengths[1];
    *ret_record = (struct cvg_segment_record){
        .at = at,
        .key = lengths + 4,
        .key_len = key_len,
        .value = lengths + 4 + key_len,
        .value_len = (size_t)lengths[2] << 8 | lengths[3],
    };
    return CVG_OK;
}

enum cvg_error cvg_segment_next(const struct cvg_segment *segment, uint64_t *at,
                                struct cvg_buffer *buffer, struct cvg_segment_record *ret_record)
{
    if (*at == 0)
        *at = HEAD_LEN;
    enum cvg_error err = cvg_segment_read(segment, *at, buffer, ret_record);
    if (err == CVG_OK)
        *at += RECORD_LEN + ret_record->key_len + ret_record->value_len;
    return err;
}
