/* SPDX-License-Identifier: MIT */
/* Inside the cache: the GDBM file, the only place that calls GDBM. A file of pages, each under its
 * id, and a mark that says whose file it is. Nothing here ends the process. One thread. */
#ifndef CVG_ENGINE_CACHE_FILE_H
#define CVG_ENGINE_CACHE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

struct cvg_cache_file;

/* Opens the file, or makes it (mode 0600). OWNER: somebody else's, or others may write to it.
 * CORRUPT or VERSION: not a cache file of this version, or a damaged one. BUSY: another process has
 * it. IO: it cannot be opened or made. The caller closes it. */
CVG_MUST_USE enum cvg_error cvg_cache_file_open(const char *path, struct cvg_cache_file **ret_file,
                                                struct cvg_why *ret_why);
void cvg_cache_file_close(struct cvg_cache_file *file);

/* Gives every page to the callback until it fails. CORRUPT, or what the callback said. */
typedef enum cvg_error cvg_cache_file_page(uint32_t id, const void *data, size_t len, void *user);
CVG_MUST_USE enum cvg_error cvg_cache_file_each(struct cvg_cache_file *file,
                                                cvg_cache_file_page *each, void *user,
                                                struct cvg_why *ret_why);

/* Writes a page in place of one with the same id; removes one (none: no error). IO after which the
 * file must be closed. */
CVG_MUST_USE enum cvg_error cvg_cache_file_put(struct cvg_cache_file *file, uint32_t id,
                                               const void *data, size_t len,
                                               struct cvg_why *ret_why);
CVG_MUST_USE enum cvg_error cvg_cache_file_remove(struct cvg_cache_file *file, uint32_t id,
                                                  struct cvg_why *ret_why);

uint64_t cvg_cache_file_octets(struct cvg_cache_file *file);

#endif
