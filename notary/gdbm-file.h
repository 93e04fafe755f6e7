/* SPDX-License-Identifier: MIT */
/* The GDBM file of records as such: opening it for reading, telling a damaged one, and the form of
 * a record in it: a version, a checksum over key and value, the value. */
#ifndef CVG_NOTARY_GDBM_FILE_H
#define CVG_NOTARY_GDBM_FILE_H

#include <gdbm.h>
#include <stdbool.h>

#include "common/base/buffer.h"

/* Flags for every file: a full disk must be an error, not SIGBUS, so nothing is mapped. */
#define CVG_GDBM_FLAGS (GDBM_NOMMAP | GDBM_CLOEXEC)

#define CVG_GDBM_HEAD 9 /* octets of a record before its value */

datum cvg_gdbm_datum(const void *octets, size_t len); /* does not own them */

/* Appends the record to ret_record. */
CVG_MUST_USE enum cvg_error cvg_gdbm_record(const void *key, size_t key_len, const void *value,
                                            size_t value_len, struct cvg_buffer *ret_record);
/* CORRUPT: it is no record of that key. */
CVG_MUST_USE enum cvg_error cvg_gdbm_check(const void *key, size_t key_len, const datum *record);

/* What a merge writes: a format of GDBM's that no earlier release of ours used. Such a file was
 * written to its end and synced before it got its name. */
#define CVG_GDBM_WHOLE GDBM_NUMSYNC

/* Opens what is there, for reading. One that was written in place, and with check any, is walked
 * through, which costs some microseconds a record. NOT_FOUND: there is no file. CORRUPT: it is
 * damaged. IO: the place is at fault, and gdbm_errno tells. */
CVG_MUST_USE enum cvg_error cvg_gdbm_open(const char *path, bool check, GDBM_FILE *ret_file);

/* Renames a damaged file, and says so. */
bool cvg_gdbm_set_aside(const char *path);

#endif
