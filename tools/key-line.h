/* SPDX-License-Identifier: MIT */
/* One key's line in converge.conf: changed or added, and every other octet stays. Pure: text in,
 * text out. */
#ifndef CVG_TOOLS_KEY_LINE_H
#define CVG_TOOLS_KEY_LINE_H

#include <stddef.h>

#include "common/base/buffer.h"

/* Appends the text with the key's value in place of the one that stands there; a comment behind it
 * stays. Without such a line, "KEY = VALUE" is added at the end, with the text's own kind of line
 * ends. Lines that are comments do not count. The text must be one that parses: the first line of
 * that key is taken. */
CVG_MUST_USE enum cvg_error cvg_key_line_set(const char *text, size_t len, const char *key,
                                             const char *value, struct cvg_buffer *ret_text);

#endif
