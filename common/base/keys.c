/* SPDX-License-Identifier: MIT */
/* The configuration grammar: lines, keys, and the setters that several files share. */
#include "common/base/keys.h"

#include <stdio.h>
#include <string.h>

#define SHOWN_MAX 40 /* octets of what was found that a message repeats */

/* Where the parser is, for messages. */
struct place {
    const char *name;
    unsigned line;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct cvg_value trim(const char *text, size_t len)
{
    while (len > 0 && is_blank(text[0])) {
        text++;
        len--;
    }
    while (len > 0 && is_blank(text[len - 1]))
        len--;
    return (struct cvg_value){text, len};
}

static size_t without_comment(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] == '#' && (i == 0 || is_blank(text[i - 1])))
            return i;
    return len;
}

/* What was found, fit to be shown: cut, and without anything that drives a terminal. */
static const char *shown(const struct cvg_value *value, char buf[static SHOWN_MAX + 4])
{
    size_t len = value->len < SHOWN_MAX ? value->len : SHOWN_MAX;

    for (size_t i = 0; i < len; i++)
        buf[i] = value->text[i] >= ' ' && value->text[i] <= '~' ? value->text[i] : '?';
    strcpy(buf + len, value->len > len ? "..." : "");
    return buf;
}

static enum cvg_error fail_unknown(const struct place *at, const struct cvg_value *key,
                                   const struct cvg_key *keys, size_t count, struct cvg_why *why)
{
    char buf[SHOWN_MAX + 4], names[CVG_WHY_MAX] = "";
    size_t len = 0;

    for (size_t i = 0; i < count && len < sizeof names; i++)
        len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", i > 0 ? ", " : "",
                                keys[i].name);
    return cvg_fail(why, CVG_ERR_SYNTAX, "%s:%u: unknown key '%s'; allowed are %s", at->name,
                    at->line, shown(key, buf), names);
}

static enum cvg_error set_key(const struct place *at, const struct cvg_key *key,
                              const struct cvg_value *value, void *target, struct cvg_why *why)
{
    char buf[SHOWN_MAX + 4];

    if (key->set(key, value, target))
        return CVG_OK;
    return cvg_fail(why, CVG_ERR_SYNTAX, "%s:%u: %s = '%s': %s", at->name, at->line, key->name,
                    shown(value, buf), key->allowed);
}

static enum cvg_error parse_line(const struct place *at, struct cvg_value line,
                                 const struct cvg_key *keys, size_t count, uint64_t *seen,
                                 void *target, struct cvg_why *why)
{
    const char *equals = memchr(line.text, '=', line.len);
    struct cvg_value key, value;

    if (equals == NULL)
        return cvg_fail(why, CVG_ERR_SYNTAX, "%s:%u: no '='; 'key = value' is expected", at->name,
                        at->line);
    key = trim(line.text, (size_t)(equals - line.text));
    value = trim(equals + 1, line.len - (size_t)(equals + 1 - line.text));
    for (size_t i = 0; i < count; i++) {
        if (!cvg_value_is(&key, keys[i].name))
            continue;
        if ((*seen >> i & 1) != 0)
            return cvg_fail(why, CVG_ERR_SYNTAX, "%s:%u: '%s' is given a second time", at->name,
                            at->line, keys[i].name);
        *seen |= UINT64_C(1) << i;
        return set_key(at, &keys[i], &value, target, why);
    }
    return fail_unknown(at, &key, keys, count, why);
}

/* Checks the octets of a line, which may end in the CR of a CRLF. */
static enum cvg_error check_line(const struct place *at, const char *line, size_t *len,
                                 struct cvg_why *why)
{
    if (*len > 0 && line[*len - 1] == '\r')
        --*len;
    if (*len > CVG_LINE_MAX)
        return cvg_fail(why, CVG_ERR_RANGE, "%s:%u: a line of %zu octets; at most %d are allowed",
                        at->name, at->line, *len, CVG_LINE_MAX);
    for (size_t i = 0; i < *len; i++)
        if (((unsigned char)line[i] < ' ' && line[i] != '\t') || line[i] == 0x7f)
            return cvg_fail(why, CVG_ERR_SYNTAX,
                            "%s:%u: control character 0x%02x at column %zu; text is expected",
                            at->name, at->line, (unsigned char)line[i], i + 1);
    return CVG_OK;
}

enum cvg_error cvg_keys_parse(const char *text, size_t len, const char *name,
                              const struct cvg_key *keys, size_t count, void *target,
                              struct cvg_why *ret_why)
{
    struct place at = {name, 1};
    uint64_t seen = 0;

    if (count > CVG_KEYS_MAX)
        return cvg_fail(ret_why, CVG_ERR_ARGUMENT, "%s: a table of %zu keys", name, count);
    for (size_t pos = 0; pos < len; at.line++) {
        const char *line = text + pos;
        const char *end = memchr(line, '\n', len - pos);
        size_t line_len = end != NULL ? (size_t)(end - line) : len - pos;
        struct cvg_value content;
        enum cvg_error err;

        pos += line_len + 1;
        err = check_line(&at, line, &line_len, ret_why);
        if (err != CVG_OK)
            return err;
        content = trim(line, without_comment(line, line_len));
        if (content.len == 0)
            continue;
        err = parse_line(&at, content, keys, count, &seen, target, ret_why);
        if (err != CVG_OK)
            return err;
    }
    return CVG_OK;
}

bool cvg_value_is(const struct cvg_value *value, const char *word)
{
    return strlen(word) == value->len && memcmp(value->text, word, value->len) == 0;
}

bool cvg_value_number(const struct cvg_value *value, uint64_t min, uint64_t max,
                      uint64_t *ret_number)
{
    uint64_t number = 0;

    if (value->len == 0)
        return false;
    for (size_t i = 0; i < value->len; i++) {
        unsigned digit = (unsigned)(value->text[i] - '0');

        if (digit > 9 || number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    if (number < min || number > max)
        return false;
    *ret_number = number;
    return true;
}

bool cvg_value_word(struct cvg_value *rest, struct cvg_value *ret_word)
{
    struct cvg_value left = trim(rest->text, rest->len);
    size_t len = 0;

    if (left.len == 0)
        return false;
    while (len < left.len && !is_blank(left.text[len]))
        len++;
    *ret_word = (struct cvg_value){left.text, len};
    *rest = (struct cvg_value){left.text + len, left.len - len};
    return true;
}

static void *field_of(const struct cvg_key *key, void *target)
{
    return (char *)target + key->offset;
}

bool cvg_set_bool(const struct cvg_key *key, const struct cvg_value *value, void *target)
{
    bool *field = field_of(key, target);

    if (!cvg_value_is(value, "yes") && !cvg_value_is(value, "no"))
        return false;
    *field = value->text[0] == 'y';
    return true;
}

bool cvg_set_unsigned(const struct cvg_key *key, const struct cvg_value *value, void *target)
{
    unsigned *field = field_of(key, target);
    uint64_t number;

    if (!cvg_value_number(value, key->min, key->max, &number))
        return false;
    *field = (unsigned)number;
    return true;
}

/* The milliseconds of a unit, 0 if there is no such unit. */
static uint64_t unit_ms(const struct cvg_value *unit)
{
    static const struct {
        const char *word;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (cvg_value_is(unit, units[i].word))
            return units[i].ms;
    return 0;
}

/* The value in units of so many milliseconds, if it is a whole number of them within the limits. */
static bool duration(const struct cvg_key *key, const struct cvg_value *value, uint64_t per_ms,
                     uint64_t *ret_count)
{
    struct cvg_value digits = *value, unit;
    uint64_t number, ms;

    while (digits.len > 0 &&
           (digits.text[digits.len - 1] < '0' || digits.text[digits.len - 1] > '9'))
        digits.len--;
    unit = (struct cvg_value){value->text + digits.len, value->len - digits.len};
    if (!cvg_value_number(&digits, 0, UINT32_MAX, &number))
        return false;
    ms = unit.len == 0 && number == 0 ? 1 : unit_ms(&unit);
    if (ms == 0 || number * ms % per_ms != 0)
        return false;
    *ret_count = number * ms / per_ms;
    return *ret_count >= key->min && *ret_count <= key->max;
}

static bool set_duration(const struct cvg_key *key, const struct cvg_value *value, uint64_t per_ms,
                         void *target)
{
    unsigned *field = field_of(key, target);
    uint64_t count;

    if (!duration(key, value, per_ms, &count))
        return false;
    *field = (unsigned)count;
    return true;
}

bool cvg_set_duration_ms(const struct cvg_key *key, const struct cvg_value *value, void *target)
{
    return set_duration(key, value, 1, target);
}

bool cvg_set_duration_s(const struct cvg_key *key, const struct cvg_value *value, void *target)
{
    return set_duration(key, value, 1000, target);
}

bool cvg_set_duration_s64(const struct cvg_key *key, const struct cvg_value *value, void *target)
{
    uint64_t *field = field_of(key, target);
    uint64_t count;

    if (!duration(key, value, 1000, &count))
        return false;
    *field = count;
    return true;
}

bool cvg_set_octets(const struct cvg_key *key, const struct cvg_value *value, void *target)
{
    static const char units[] = "KMG";
    uint64_t *field = field_of(key, target), number, octets;
    const char *unit;

    if (cvg_value_is(value, "0") && key->min == 0) {
        *field = 0;
        return true;
    }
    unit = value->len == 0 ? NULL : memchr(units, value->text[value->len - 1], strlen(units));
    if (unit == NULL ||
        !cvg_value_number(&(struct cvg_value){value->text, value->len - 1}, 0, UINT32_MAX, &number))
        return false;
    octets = number << 10 * (unit - units + 1);
    if (octets < key->min || octets > key->max)
        return false;
    *field = octets;
    return true;
}

bool cvg_set_path(const struct cvg_key *key, const struct cvg_value *value, void *target)
{
    char *field = field_of(key, target);

    if (value->len == 0 || value->len >= key->max || value->text[0] != '/')
        return false;
    memcpy(field, value->text, value->len);
    field[value->len] = '\0';
    return true;
}
