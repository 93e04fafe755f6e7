/* SPDX-License-Identifier: MIT */
/* Reading files that a person named, or that OpenSSL would read: whose they are does not matter
 * here, as it does in common/base/file.h. */
#ifndef CVG_TOOLS_PLAIN_FILE_H
#define CVG_TOOLS_PLAIN_FILE_H

#include "common/base/buffer.h"

/* Appends the whole file; more than the buffer's maximum is RANGE. ret_why names the path. */
CVG_MUST_USE enum cvg_error cvg_plain_file_read(const char *path, struct cvg_buffer *ret_data,
                                                struct cvg_why *ret_why);

#endif
