/* SPDX-License-Identifier: MIT */
/* Strict JSON: jansson parses, and what it would let through (depth, other values than an object,
 * octets behind it) is refused here. */
#include "common/protocol/json.h"

#include "common/protocol/json-memory.h"

#include <stdbool.h>
#include <string.h>

/* The depth is measured before jansson recurses into it. Brackets inside strings do not count; a
 * text that is not JSON may be measured wrongly and is refused by the parser. */
static bool too_deep(const char *text, size_t len)
{
    size_t depth = 0;
    bool in_string = false;

    for (size_t i = 0; i < len; i++) {
        char c = text[i];

        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == '{' || c == '['))
            depth++;
        else if (!in_string && (c == '}' || c == ']') && depth > 0)
            depth--;
        if (depth > CVG_JSON_DEPTH_MAX)
            return true;
    }
    return false;
}

/* jansson quotes the place it stumbled over, so the sentence may hold hostile octets. */
static enum cvg_error fail_as_told(const json_error_t *error, struct cvg_why *ret_why)
{
    char text[JSON_ERROR_TEXT_LENGTH];
    size_t i;

    for (i = 0; i + 1 < sizeof text && error->text[i] != '\0'; i++)
        text[i] = error->text[i] >= 0x20 && error->text[i] <= 0x7e ? error->text[i] : '?';
    text[i] = '\0';
    return cvg_fail(ret_why, CVG_ERR_SYNTAX, "line %d of the JSON text: %s", error->line, text);
}

/* Gives jansson the text piece by piece, and nothing more once memory has run out. */
struct feed {
    struct cvg_json_reserve reserve;
    const char *text;
    size_t left;
};

static size_t feed_next(void *buffer, size_t size, void *user)
{
    struct feed *feed = user;
    size_t len = feed->left < size ? feed->left : size;

    if (feed->reserve.failed)
        return 0;
    memcpy(buffer, feed->text, len);
    feed->text += len;
    feed->left -= len;
    return len;
}

static enum cvg_error value_parse(const char *text, size_t len, json_t **ret_value,
                                  struct cvg_why *ret_why)
{
    struct feed feed = {.text = text, .left = len};
    json_error_t error;
    json_t *value;

    if (cvg_json_reserve_begin(&feed.reserve, len) != CVG_OK)
        return cvg_fail(ret_why, CVG_ERR_NOMEM, "memory is exhausted");
    value = json_load_callback(feed_next, &feed, JSON_REJECT_DUPLICATES, &error);
    if (feed.reserve.failed) {
        json_decref(value);
        value = NULL;
    }
    cvg_json_reserve_end(&feed.reserve);
    if (feed.reserve.failed)
        return cvg_fail(ret_why, CVG_ERR_NOMEM, "memory is exhausted");
    if (!value)
        return fail_as_told(&error, ret_why);
    *ret_value = value;
    return CVG_OK;
}

enum cvg_error cvg_json_parse(const char *text, size_t len, size_t max, json_t **ret_object,
                              struct cvg_why *ret_why)
{
    json_t *value = NULL;
    enum cvg_error err;

    if (len > max)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "%zu octets of JSON, at most %zu are allowed", len,
                        max);
    if (len == 0 || memchr(text, '\0', len))
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "empty, or a NUL in the JSON text");
    if (too_deep(text, len))
        return cvg_fail(ret_why, CVG_ERR_RANGE, "the JSON text is more than %d levels deep",
                        CVG_JSON_DEPTH_MAX);
    err = value_parse(text, len, &value, ret_why);
    if (err != CVG_OK)
        return err;
    if (!json_is_object(value)) {
        json_decref(value);
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "the JSON text is not an object");
    }
    *ret_object = value;
    return CVG_OK;
}

static enum cvg_error member(const json_t *object, const char *name, json_type type,
                             const char *expected, const json_t **ret_value,
                             struct cvg_why *ret_why)
{
    const json_t *value = json_object_get(object, name);

    if (!value)
        return cvg_fail(ret_why, CVG_ERR_NOT_FOUND, "the member %s is missing", name);
    if (json_typeof(value) != type)
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "the member %s is not %s", name, expected);
    *ret_value = value;
    return CVG_OK;
}

enum cvg_error cvg_json_text(const json_t *object, const char *name, size_t max,
                             const char **ret_text, struct cvg_why *ret_why)
{
    const json_t *value = NULL;
    enum cvg_error err = member(object, name, JSON_STRING, "a string", &value, ret_why);

    if (err != CVG_OK)
        return err;
    if (json_string_length(value) > max)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "the member %s has more than %zu octets", name,
                        max);
    *ret_text = json_string_value(value);
    return CVG_OK;
}

enum cvg_error cvg_json_integer(const json_t *object, const char *name, int64_t min, int64_t max,
                                int64_t *ret_value, struct cvg_why *ret_why)
{
    const json_t *value = NULL;
    enum cvg_error err = member(object, name, JSON_INTEGER, "an integer", &value, ret_why);

    if (err != CVG_OK)
        return err;
    if (json_integer_value(value) < min || json_integer_value(value) > max)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "the member %s is not within %lld..%lld", name,
                        (long long)min, (long long)max);
    *ret_value = json_integer_value(value);
    return CVG_OK;
}

enum cvg_error cvg_json_array(const json_t *object, const char *name, size_t max,
                              const json_t **ret_array, struct cvg_why *ret_why)
{
    const json_t *value = NULL;
    enum cvg_error err = member(object, name, JSON_ARRAY, "an array", &value, ret_why);

    if (err != CVG_OK)
        return err;
    if (json_array_size(value) > max)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "the member %s has more than %zu entries", name,
                        max);
    *ret_array = value;
    return CVG_OK;
}
