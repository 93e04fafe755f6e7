/* SPDX-License-Identifier: MIT */
/* Memory for jansson while it parses. Internal to json.c. */
#ifndef CVG_PROTOCOL_JSON_MEMORY_H
#define CVG_PROTOCOL_JSON_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

/* What jansson gets when memory runs out in the middle of a parse, so that it never notices. */
struct cvg_json_reserve {
    uint8_t *start;
    size_t size, used;
    bool failed; /* something was taken from it: the parse's outcome means nothing */
};

/* Between the two calls this thread's jansson falls back on the reserve, which suffices for a text
 * of len octets if no octet is given to jansson after `failed` is set. Everything that jansson made
 * while it was set must be released before the end. NOMEM: nothing was begun. */
CVG_MUST_USE enum cvg_error cvg_json_reserve_begin(struct cvg_json_reserve *reserve, size_t len);
void cvg_json_reserve_end(struct cvg_json_reserve *reserve);

#endif
