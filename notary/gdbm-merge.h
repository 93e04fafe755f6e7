/* SPDX-License-Identifier: MIT */
/* A new database file out of the old one and a segment of the journal, put in its place whole: at
 * every instant the path names a file that was written to its end. For a thread of its own. */
#ifndef CVG_NOTARY_GDBM_MERGE_H
#define CVG_NOTARY_GDBM_MERGE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "notary/segment.h"

struct cvg_gdbm_merge {
    const char *path; /* the database; beside it PATH.new is written */
    const struct cvg_segment *segment;
    uint64_t max_records;   /* beyond, the oldest are left out */
    int64_t forget_after_s; /* what is older is left out */
    int64_t now_s;
    const atomic_bool *stop; /* set by another thread: give up soon */
    uint64_t ret_records;    /* in the new file */
    uint64_t ret_rejected;   /* records that failed their checksum */
};

/* Removes what a process that was killed left of the file beside it. */
void cvg_gdbm_merge_clean(const char *path);

/* IO (gdbm_errno or errno tells, and so does the log), NOMEM or BUSY (stopped): the old file is as
 * it was. A damaged old file is set aside; the new one has what could be read of it. */
CVG_MUST_USE enum cvg_error cvg_gdbm_merge(struct cvg_gdbm_merge *merge);

#endif
