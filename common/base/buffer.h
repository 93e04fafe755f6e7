/* SPDX-License-Identifier: MIT */
/* A growable byte buffer with a maximum set when it is made: what is put in may be hostile.
 *
 * The first failure sticks: later puts do nothing, and cvg_buffer_error() tells. So a writer can
 * put many fields and check once. Not thread-safe. */
#ifndef CVG_BASE_BUFFER_H
#define CVG_BASE_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

struct cvg_buffer {
    uint8_t *data; /* len octets; a NUL octet always follows them once anything was put */
    size_t len;
    size_t capacity;
    size_t max;
    enum cvg_error error;
};

/* max: the most octets it will ever hold. Allocates nothing. */
void cvg_buffer_init(struct cvg_buffer *buffer, size_t max);
void cvg_buffer_clear(struct cvg_buffer *buffer); /* empty, no error, memory kept */
void cvg_buffer_free(struct cvg_buffer *buffer);  /* memory released; NULL is allowed */

/* Appends. RANGE past the maximum, NOMEM without memory; the buffer then keeps what it had. data may
 * be NULL if len is 0, and must not point into the buffer. */
enum cvg_error cvg_buffer_put(struct cvg_buffer *buffer, const void *data, size_t len);
enum cvg_error cvg_buffer_put_u8(struct cvg_buffer *buffer, uint8_t value);
enum cvg_error cvg_buffer_put_u16(struct cvg_buffer *buffer, uint16_t value); /* big-endian */
enum cvg_error cvg_buffer_put_u32(struct cvg_buffer *buffer, uint32_t value);
enum cvg_error cvg_buffer_put_u64(struct cvg_buffer *buffer, uint64_t value);
enum cvg_error cvg_buffer_put_text(struct cvg_buffer *buffer, const char *text);
enum cvg_error cvg_buffer_printf(struct cvg_buffer *buffer, const char *fmt, ...) CVG_PRINTF(2, 3);
/* Appends len octets for the caller to fill in, and returns where they are; NULL on failure. */
uint8_t *cvg_buffer_extend(struct cvg_buffer *buffer, size_t len);
static inline enum cvg_error cvg_buffer_error(const struct cvg_buffer *buffer)
{
    return buffer->error;
}

/* A reader over octets it does not own. Same idea: the first short read sticks and returns zeros, and
 * `error`, or cvg_reader_done() at the end, tells (SYNTAX). */
struct cvg_reader {
    const uint8_t *data;
    size_t left;
    enum cvg_error error;
};

void cvg_reader_init(struct cvg_reader *reader, const void *data, size_t len);
uint8_t cvg_reader_u8(struct cvg_reader *reader);
uint16_t cvg_reader_u16(struct cvg_reader *reader);
uint32_t cvg_reader_u32(struct cvg_reader *reader);
uint64_t cvg_reader_u64(struct cvg_reader *reader);
/* The next len octets in place, or NULL (error set). With len 0 and a reader over NULL it is NULL,
 * too: the error tells. */
const uint8_t *cvg_reader_take(struct cvg_reader *reader, size_t len);
/* CVG_OK, or SYNTAX if a read was short or octets are left over. */
CVG_MUST_USE enum cvg_error cvg_reader_done(const struct cvg_reader *reader);

#endif
