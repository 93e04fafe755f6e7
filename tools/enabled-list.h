/* SPDX-License-Identifier: MIT */
/* What `enable` has switched on, so that `disable` switches off what it added and nothing that
 * others need: a file of one line a thing. */
#ifndef CVG_TOOLS_ENABLED_LIST_H
#define CVG_TOOLS_ENABLED_LIST_H

#include <stdbool.h>

#include "common/base/buffer.h"

#define CVG_ENABLED_LIST_MAX 262144
#define CVG_ENABLED_UNIT     "unit " /* lines that begin so name a unit, all others a target */

/* Pure, on the file's text. Add: nothing is changed if the line is there, or cannot be one (it is
 * empty, a comment or has line breaks: ARGUMENT). */
bool cvg_enabled_text_has(const struct cvg_buffer *text, const char *line);
bool cvg_enabled_text_has_target(const struct cvg_buffer *text);
CVG_MUST_USE enum cvg_error cvg_enabled_text_add(struct cvg_buffer *text, const char *line);
CVG_MUST_USE enum cvg_error cvg_enabled_text_remove(struct cvg_buffer *text, const char *line);

/* The file SYSCONFDIR/enabled, which only root writes. */
bool cvg_enabled_has(const char *line);
/* Whether a target is there that is another than this; true, too, where that cannot be told. */
bool cvg_enabled_has_target_but(const char *line);
/* Taking the last one away removes the file. */
CVG_MUST_USE enum cvg_error cvg_enabled_add(const char *line, struct cvg_why *ret_why);
CVG_MUST_USE enum cvg_error cvg_enabled_remove(const char *line, struct cvg_why *ret_why);

#endif
