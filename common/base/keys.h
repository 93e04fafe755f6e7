/* SPDX-License-Identifier: MIT */
/* The grammar of every configuration file of the tree, as a table of keys: "key = value" lines, '#'
 * comments (at the start of a line or after a blank), blank lines; LF or CRLF.
 *
 * An unknown key, a bad value, a key given twice, a line without '=', an over-long line or a
 * control character is an error that names file and line and what is allowed. Pure; any thread. */
#ifndef CVG_BASE_KEYS_H
#define CVG_BASE_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

#define CVG_LINE_MAX 4096 /* octets of a line, without its end */
#define CVG_KEYS_MAX 64   /* keys of a table */

/* A value without the blanks around it; not NUL-terminated. */
struct cvg_value {
    const char *text;
    size_t len;
};

struct cvg_key {
    const char *name;
    /* Stores the value in the structure that target points to; false if it is not allowed. */
    bool (*set)(const struct cvg_key *key, const struct cvg_value *value, void *target);
    size_t offset;       /* of the field, for the setters below */
    uint64_t min, max;   /* what they allow, in the field's unit */
    const char *allowed; /* goes on "...: ALLOWED", for example "yes or no are allowed" */
};

/* Parses the text; each key of the table sets its field in target. name is only for messages. On
 * failure target may have been changed in part. */
CVG_MUST_USE enum cvg_error cvg_keys_parse(const char *text, size_t len, const char *name,
                                           const struct cvg_key *keys, size_t count, void *target,
                                           struct cvg_why *ret_why);

/* Setters: the field at key->offset is of the type named. */
bool cvg_set_bool(const struct cvg_key *key, const struct cvg_value *value, void *target);
bool cvg_set_unsigned(const struct cvg_key *key, const struct cvg_value *value, void *target);
/* Durations: a number and ms, s, m, h or d; 0 needs no unit. Into unsigned milliseconds, unsigned
 * seconds or uint64_t seconds; what is no whole number of them is not allowed. */
bool cvg_set_duration_ms(const struct cvg_key *key, const struct cvg_value *value, void *target);
bool cvg_set_duration_s(const struct cvg_key *key, const struct cvg_value *value, void *target);
bool cvg_set_duration_s64(const struct cvg_key *key, const struct cvg_value *value, void *target);
/* Octets into uint64_t: a number and K, M or G (of 1024); 0 needs no unit. */
bool cvg_set_octets(const struct cvg_key *key, const struct cvg_value *value, void *target);
/* An absolute path into char[key->max]. */
bool cvg_set_path(const struct cvg_key *key, const struct cvg_value *value, void *target);

/* For setters of one's own. */
bool cvg_value_is(const struct cvg_value *value, const char *word);
bool cvg_value_number(const struct cvg_value *value, uint64_t min, uint64_t max,
                      uint64_t *ret_number);
/* The next word of a list, separated by blanks; false at the end. Advances rest. */
bool cvg_value_word(struct cvg_value *rest, struct cvg_value *ret_word);

#endif
