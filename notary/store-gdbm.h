/* SPDX-License-Identifier: MIT */
/* The embedded store: one GDBM file, checksummed and versioned records. */
#ifndef CVG_NOTARY_STORE_GDBM_H
#define CVG_NOTARY_STORE_GDBM_H

#include "notary/store.h"

/* Opens the file, or makes it. A file that is damaged (kill -9 leaves one now and then) or of
 * another version is moved aside to PATH.damaged.TIME, told in the log, and a fresh one begun; the
 * same if it turns out later. Beyond max_records old records give way to new ones. A full disk is
 * told, and nothing is kept. IO: the file cannot be used at all (permissions, another process). */
CVG_MUST_USE enum cvg_error cvg_store_gdbm_open(const char *path, uint64_t max_records,
                                                struct cvg_store **ret_store,
                                                struct cvg_why *ret_why);

#endif
