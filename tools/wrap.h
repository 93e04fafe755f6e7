/* SPDX-License-Identifier: MIT */
/* Breaks a text into lines for a person. */
#ifndef CVG_TOOLS_WRAP_H
#define CVG_TOOLS_WRAP_H

#include "common/base/buffer.h"

/* Appends the text, broken at blanks so that no line is longer than width columns, each line but
 * the first begun with indent blanks; column: where the first line begins. A word that is too long
 * has a line of its own. A character of UTF-8 counts as one column; what is no UTF-8 becomes '?',
 * and so does what would move the cursor. No newline at the end. NOMEM, RANGE: the buffer's. Pure.
 */
CVG_MUST_USE enum cvg_error cvg_wrap(const char *text, size_t column, size_t indent, size_t width,
                                     struct cvg_buffer *ret_lines);

#endif
