/* SPDX-License-Identifier: MIT */
/* Reading files that decide about trust: whole, bounded, and only if nobody else could have
 * written them. */
#ifndef CVG_BASE_FILE_H
#define CVG_BASE_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/base/buffer.h"
#include "common/base/error.h"

/* Reads a regular file of at most max octets into ret_data (initialised by this function; the
 * caller frees it; a NUL follows the octets). Opened O_NOFOLLOW|O_CLOEXEC|O_NONBLOCK. The file, and
 * with check_directory the directory it is in, must belong to root or to owner and must not be
 * writable by group or others (OWNER otherwise). ret_why names the path and what is wrong. */
CVG_MUST_USE enum cvg_error cvg_file_read(const char *path, uid_t owner, size_t max,
                                          bool check_directory, struct cvg_buffer *ret_data,
                                          struct cvg_why *ret_why);

/* Replaces the file at path atomically: a temporary file beside it with the mode, written, synced,
 * renamed, directory synced. On failure the old file is untouched. */
CVG_MUST_USE enum cvg_error cvg_file_replace(const char *path, const void *data, size_t len,
                                             mode_t mode, struct cvg_why *ret_why);

/* Makes the directory with the mode if it is missing, and its parents (by root with 0755: they are not
 * ours alone, and the agent's own user has to pass), and checks that it belongs to owner or root and
 * that nobody else can write to it. */
CVG_MUST_USE enum cvg_error cvg_directory_make(const char *path, uid_t owner, mode_t mode,
                                               struct cvg_why *ret_why);

#endif
