/* SPDX-License-Identifier: MIT */
/* Strict JSON for what comes from outside: one object, bounded in size and depth, no member twice,
 * no NUL, nothing behind it. Everything that reads JSON in the tree reads it here. Pure; any
 * thread. */
#ifndef CVG_PROTOCOL_JSON_H
#define CVG_PROTOCOL_JSON_H

#include <stddef.h>
#include <stdint.h>
#include <jansson.h>

#include "common/base/error.h"

#define CVG_JSON_DEPTH_MAX 8

/* Parses len octets, at most max of them (RANGE); deeper than CVG_JSON_DEPTH_MAX is RANGE, anything
 * else that is wrong SYNTAX, with the line in ret_why. The caller gives the result to
 * json_decref(). */
CVG_MUST_USE enum cvg_error cvg_json_parse(const char *text, size_t len, size_t max,
                                           json_t **ret_object, struct cvg_why *ret_why);

/* A member of an object: NOT_FOUND if it is not there, SYNTAX if it is of another type, RANGE if it
 * is longer than max octets or outside min..max; ret_why names it. Texts hold no NUL and live as
 * long as the object. */
CVG_MUST_USE enum cvg_error cvg_json_text(const json_t *object, const char *name, size_t max,
                                          const char **ret_text, struct cvg_why *ret_why);
CVG_MUST_USE enum cvg_error cvg_json_integer(const json_t *object, const char *name, int64_t min,
                                             int64_t max, int64_t *ret_value,
                                             struct cvg_why *ret_why);
CVG_MUST_USE enum cvg_error cvg_json_array(const json_t *object, const char *name, size_t max,
                                           const json_t **ret_array, struct cvg_why *ret_why);

#endif
