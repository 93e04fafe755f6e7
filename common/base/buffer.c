/* SPDX-License-Identifier: MIT */
/* The bounded buffer and the reader: big-endian fields in and out, first failure sticks. */
#include "common/base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 64

void cvg_buffer_init(struct cvg_buffer *buffer, size_t max)
{
    memset(buffer, 0, sizeof *buffer);
    buffer->max = max;
}

void cvg_buffer_clear(struct cvg_buffer *buffer)
{
    buffer->len = 0;
    buffer->error = CVG_OK;
    if (buffer->data != NULL)
        buffer->data[0] = 0;
}

void cvg_buffer_free(struct cvg_buffer *buffer)
{
    if (buffer == NULL)
        return;
    free(buffer->data);
    cvg_buffer_init(buffer, buffer->max);
}

static enum cvg_error buffer_fail(struct cvg_buffer *buffer, enum cvg_error err)
{
    buffer->error = err;
    return err;
}

/* Makes room for more octets and the NUL behind them. */
static enum cvg_error buffer_reserve(struct cvg_buffer *buffer, size_t more)
{
    size_t needed, capacity;
    uint8_t *data;

    if (buffer->error != CVG_OK)
        return buffer->error;
    if (more > buffer->max - buffer->len || buffer->len + more == SIZE_MAX)
        return buffer_fail(buffer, CVG_ERR_RANGE);
    needed = buffer->len + more + 1;
    if (needed <= buffer->capacity)
        return CVG_OK;
    capacity = buffer->capacity < FIRST_CAPACITY ? FIRST_CAPACITY : buffer->capacity;
    while (capacity < needed)
        capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
    data = realloc(buffer->data, capacity);
    if (data == NULL)
        return buffer_fail(buffer, CVG_ERR_NOMEM);
    buffer->data = data;
    buffer->capacity = capacity;
    return CVG_OK;
}

uint8_t *cvg_buffer_extend(struct cvg_buffer *buffer, size_t len)
{
    uint8_t *place;

    if (buffer_reserve(buffer, len) != CVG_OK)
        return NULL;
    place = buffer->data + buffer->len;
    buffer->len += len;
    buffer->data[buffer->len] = 0;
    return place;
}

enum cvg_error cvg_buffer_put(struct cvg_buffer *buffer, const void *data, size_t len)
{
    uint8_t *place = cvg_buffer_extend(buffer, len);

    if (place != NULL && len > 0)
        memcpy(place, data, len);
    return buffer->error;
}

static enum cvg_error buffer_put_number(struct cvg_buffer *buffer, uint64_t value, size_t octets)
{
    uint8_t bytes[8];

    for (size_t i = octets; i-- > 0; value >>= 8)
        bytes[i] = (uint8_t)value;
    return cvg_buffer_put(buffer, bytes, octets);
}

enum cvg_error cvg_buffer_put_u8(struct cvg_buffer *buffer, uint8_t value)
{
    return buffer_put_number(buffer, value, 1);
}

enum cvg_error cvg_buffer_put_u16(struct cvg_buffer *buffer, uint16_t value)
{
    return buffer_put_number(buffer, value, 2);
}

enum cvg_error cvg_buffer_put_u32(struct cvg_buffer *buffer, uint32_t value)
{
    return buffer_put_number(buffer, value, 4);
}

enum cvg_error cvg_buffer_put_u64(struct cvg_buffer *buffer, uint64_t value)
{
    return buffer_put_number(buffer, value, 8);
}

enum cvg_error cvg_buffer_put_text(struct cvg_buffer *buffer, const char *text)
{
    return cvg_buffer_put(buffer, text, strlen(text));
}

enum cvg_error cvg_buffer_printf(struct cvg_buffer *buffer, const char *fmt, ...)
{
    va_list args;
    int len;
    enum cvg_error err;

    va_start(args, fmt);
    len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (buffer->error != CVG_OK)
        return buffer->error;
    if (len < 0)
        return buffer_fail(buffer, CVG_ERR_ARGUMENT);
    err = buffer_reserve(buffer, (size_t)len);
    if (err != CVG_OK)
        return err;
    va_start(args, fmt);
    vsnprintf((char *)buffer->data + buffer->len, (size_t)len + 1, fmt, args);
    va_end(args);
    buffer->len += (size_t)len;
    return CVG_OK;
}

void cvg_reader_init(struct cvg_reader *reader, const void *data, size_t len)
{
    reader->data = data;
    reader->left = len;
    reader->error = CVG_OK;
}

const uint8_t *cvg_reader_take(struct cvg_reader *reader, size_t len)
{
    const uint8_t *taken = reader->data;

    if (reader->error == CVG_OK && len > reader->left)
        reader->error = CVG_ERR_SYNTAX;
    if (reader->error != CVG_OK)
        return NULL;
    reader->left -= len;
    if (len > 0)
        reader->data += len;
    return taken;
}

static uint64_t reader_number(struct cvg_reader *reader, size_t octets)
{
    const uint8_t *bytes = cvg_reader_take(reader, octets);
    uint64_t value = 0;

    for (size_t i = 0; bytes != NULL && i < octets; i++)
        value = value << 8 | bytes[i];
    return value;
}

uint8_t cvg_reader_u8(struct cvg_reader *reader)
{
    return (uint8_t)reader_number(reader, 1);
}

uint16_t cvg_reader_u16(struct cvg_reader *reader)
{
    return (uint16_t)reader_number(reader, 2);
}

uint32_t cvg_reader_u32(struct cvg_reader *reader)
{
    return (uint32_t)reader_number(reader, 4);
}

uint64_t cvg_reader_u64(struct cvg_reader *reader)
{
    return reader_number(reader, 8);
}

enum cvg_error cvg_reader_done(const struct cvg_reader *reader)
{
    if (reader->error != CVG_OK)
        return reader->error;
    return reader->left == 0 ? CVG_OK : CVG_ERR_SYNTAX;
}
