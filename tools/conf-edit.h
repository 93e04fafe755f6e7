/* SPDX-License-Identifier: MIT */
/* Our lines in somebody's file: between two marks, and nothing outside them is touched. Pure: text
 * in, text out. */
#ifndef CVG_TOOLS_CONF_EDIT_H
#define CVG_TOOLS_CONF_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buffer.h"

/* The first words of the marks' lines, in a file's own syntax of comments. */
struct cvg_conf_marks {
    const char *begin, *end;
};
extern const struct cvg_conf_marks cvg_openssl_marks, cvg_user_js_marks, cvg_shell_marks;

/* Copies the text without our lines, octet by octet what it was before they were added.
 * *ret_had: whether there were any. CONFIG if a mark has lost its other half: somebody edited
 * there, and guessing could take a stranger's line. */
CVG_MUST_USE enum cvg_error cvg_conf_strip(const struct cvg_conf_marks *marks, const char *text,
                                           size_t len, struct cvg_buffer *ret_text, bool *ret_had,
                                           struct cvg_why *ret_why);

/* Appends the block between marks to the text. */
CVG_MUST_USE enum cvg_error cvg_conf_append(const struct cvg_conf_marks *marks,
                                            struct cvg_buffer *text,
                                            const struct cvg_buffer *block);

#endif
