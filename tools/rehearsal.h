/* SPDX-License-Identifier: MIT */
/* `--dry-run`: what would be written and run is told, and neither is done. */
#ifndef CVG_TOOLS_REHEARSAL_H
#define CVG_TOOLS_REHEARSAL_H

#include <stdbool.h>

#include "common/base/buffer.h"

/* From here on nothing is changed by this process. */
void cvg_rehearsal_begin(void);
bool cvg_rehearsal_is_on(void);

/* Tells of a file, as a unified diff; NULL where there was, or would be, none. With --json it is a
 * member of `changes` in the object that is printed last. */
CVG_MUST_USE enum cvg_error cvg_rehearsal_change(const char *path, const struct cvg_buffer *before,
                                                 const struct cvg_buffer *after,
                                                 struct cvg_why *ret_why);
/* Tells of what else would be done, in a line; with --json it is a member of `steps`. */
void cvg_rehearsal_step(const char *fmt, ...) CVG_PRINTF(1, 2);

/* The first if things are done, the second if they are rehearsed. */
const char *cvg_rehearsal_word(const char *done, const char *would);

#endif
