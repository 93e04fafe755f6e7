/* SPDX-License-Identifier: MIT */
/* Changes single members of a JSON text and leaves every other octet alone: its layout is
 * somebody's. Pure: text in, text out. The texts must be valid JSON whose members are unique. */
#ifndef CVG_TOOLS_JSON_EDIT_H
#define CVG_TOOLS_JSON_EDIT_H

#include <stddef.h>

#include "common/base/buffer.h"

#define CVG_JSON_DEPTH_MAX 8

/* A member by the names that lead to it, through objects only. */
struct cvg_json_path {
    const char *name[CVG_JSON_DEPTH_MAX];
    size_t depth;
};

/* Gives the member a value (JSON itself), making the objects that lead to it where they are
 * missing. SYNTAX: something on the way is no object. */
CVG_MUST_USE enum cvg_error cvg_json_put(struct cvg_buffer *text, const struct cvg_json_path *path,
                                         const char *value);

/* Takes the member out; what cvg_json_put() has added just before goes without a trace. NOT_FOUND
 * if there is none. */
CVG_MUST_USE enum cvg_error cvg_json_drop(struct cvg_buffer *text,
                                          const struct cvg_json_path *path);

#endif
