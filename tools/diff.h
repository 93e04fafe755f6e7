/* SPDX-License-Identifier: MIT */
/* What two texts differ in, as patch(1) reads it. Pure: text in, text out. */
#ifndef CVG_TOOLS_DIFF_H
#define CVG_TOOLS_DIFF_H

#include "common/base/buffer.h"

/* Appends a unified diff with three lines of context; nothing where the texts are the same. NULL:
 * there is no such file, before or after. */
CVG_MUST_USE enum cvg_error cvg_diff(const char *path, const struct cvg_buffer *before,
                                     const struct cvg_buffer *after, struct cvg_buffer *ret_diff);

#endif
