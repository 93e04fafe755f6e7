/* SPDX-License-Identifier: MIT */
/* A segment of the journal: a file to which records are only ever appended, each with a checksum.
 * kill -9 at any instant leaves all records before the last whole; a torn tail is left out when the
 * file is read again. One thread writes; a sealed segment may be read by several. */
#ifndef CVG_NOTARY_SEGMENT_H
#define CVG_NOTARY_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"

#define CVG_KEY_MAX      1024 /* octets of a record's key */
#define CVG_VALUE_MAX    16384
#define CVG_SEGMENT_HEAD 17 /* octets; a file that has fewer has no records */
/* What buffers for reading must be able to hold. */
#define CVG_SEGMENT_BUFFER (CVG_KEY_MAX + CVG_VALUE_MAX + 64)

struct cvg_segment;

struct cvg_segment_record {
    uint64_t at; /* where it begins in the file */
    const void *key;
    size_t key_len;
    const void *value;
    size_t value_len;
};

/* Opens the file, or begins it, for appending; what follows the last whole record is cut off.
 * CORRUPT: it is no segment. */
CVG_MUST_USE enum cvg_error cvg_segment_open(const char *path, struct cvg_segment **ret_segment,
                                             struct cvg_why *ret_why);
void cvg_segment_free(struct cvg_segment *segment); /* closes the file */
/* Removes the file, or at least what is in it: what the store has already must not come back as
 * something newer. */
void cvg_segment_discard(struct cvg_segment *segment);

/* IO: it could not be written whole (a full disk), and nothing of it is in the file. */
CVG_MUST_USE enum cvg_error cvg_segment_append(struct cvg_segment *segment, const void *key,
                                               size_t key_len, const void *value, size_t value_len,
                                               uint64_t *ret_at);
/* No more appending from here on. */
void cvg_segment_seal(struct cvg_segment *segment);
bool cvg_segment_is_sealed(const struct cvg_segment *segment);

uint64_t cvg_segment_size(const struct cvg_segment *segment); /* octets */
bool cvg_segment_is_empty(const struct cvg_segment *segment); /* of records */
/* Another descriptor of the file, for a thread that syncs it; the caller closes it. -1: none. */
int cvg_segment_descriptor(const struct cvg_segment *segment);
const char *cvg_segment_path(const struct cvg_segment *segment);

/* The record at that place; buffer, initialised by the caller with CVG_SEGMENT_BUFFER, holds what
 * the result points to. NOT_FOUND: behind the last. CORRUPT: there is no whole record. */
CVG_MUST_USE enum cvg_error cvg_segment_read(const struct cvg_segment *segment, uint64_t at,
                                             struct cvg_buffer *buffer,
                                             struct cvg_segment_record *ret_record);
/* The record at *at (0: the first), and *at moves on to the next. NOT_FOUND: that was the last.
 * CORRUPT: damaged after it was opened; nothing behind it can be read. */
CVG_MUST_USE enum cvg_error cvg_segment_next(const struct cvg_segment *segment, uint64_t *at,
                                             struct cvg_buffer *buffer,
                                             struct cvg_segment_record *ret_record);

#endif
