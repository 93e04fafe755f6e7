/* SPDX-License-Identifier: MIT */
/* What a notary keeps in a store that others can write to: its value under its own signature, so
 * that what comes back is what it, or another notary with the same key, once put there under this
 * very key. That it is the newest is nothing that a signature can tell (doc/notary.md). */
#ifndef CVG_NOTARY_REDIS_RECORD_H
#define CVG_NOTARY_REDIS_RECORD_H

#include "notary/record-keys.h"
#include "notary/segment.h"

#define CVG_RECORD_DOMAIN "converge notary record" /* signed with its NUL */
#define CVG_RECORD_MAX    16899                    /* octets of a record */
#define CVG_RECORD_LAST   "16899" /* the last octet to read of what may be one: one too many */

/* Replaces what is in ret_record, initialised by the caller, with the signed record. */
CVG_MUST_USE enum cvg_error cvg_record_seal(struct cvg_record_keys *keys, const void *key,
                                            size_t key_len, const void *value, size_t value_len,
                                            struct cvg_buffer *ret_record);

/* The value in the record; it points into it. SIGNATURE: nobody may believe it. CRYPTO, NOMEM: it
 * could not be checked. */
CVG_MUST_USE enum cvg_error cvg_record_open(const struct cvg_record_keys *keys, const void *key,
                                            size_t key_len, const void *record, size_t len,
                                            const void **ret_value, size_t *ret_value_len);

#endif
