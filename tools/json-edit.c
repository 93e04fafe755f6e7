/* SPDX-License-Identifier: MIT */
/* Finds where members begin and end. Every step stays within the text, whatever is in it. */
#include "tools/json-edit.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct member {
    size_t open;      /* behind the "{" it is in */
    size_t before;    /* behind "{", or at the "," before it */
    size_t name;      /* at its quotation mark */
    size_t value;     /* where its value begins */
    size_t end;       /* behind its value */
    bool comma_after; /* ... and where one follows, end is still before that */
    size_t comma;
};

static bool is_space(char octet)
{
    return octet == ' ' || octet == '\t' || octet == '\n' || octet == '\r';
}

static size_t skip_space(const struct cvg_buffer *text, size_t at)
{
    while (at < text->len && is_space((char)text->data[at]))
        at++;
    return at;
}

static size_t skip_string(const struct cvg_buffer *text, size_t at)
{
    for (at++; at < text->len && text->data[at] != '"'; at++)
        if (text->data[at] == '\\' && at + 1 < text->len)
            at++;
    return at < text->len ? at + 1 : at;
}

/* An object or array up to its end, or what has no brackets up to what ends it. */
static size_t skip_value(const struct cvg_buffer *text, size_t at)
{
    size_t depth = 0;

    while (at < text->len) {
        char octet = (char)text->data[at];

        if (octet == '"') {
            at = skip_string(text, at);
            if (depth == 0)
                return at;
            continue;
        }
        if (depth == 0 && (is_space(octet) || octet == ',' || octet == '}' || octet == ']'))
            return at;
        at++;
        if (octet == '{' || octet == '[')
            depth++;
        else if ((octet == '}' || octet == ']') && --depth == 0)
            return at;
    }
    return at;
}

/* The name may be written with escapes. */
static bool name_is(const struct cvg_buffer *text, size_t begin, size_t end, const char *wanted)
{
    json_t *name = json_loadb((const char *)text->data + begin, end - begin, JSON_DECODE_ANY, NULL);
    bool same = json_is_string(name) && strcmp(json_string_value(name), wanted) == 0;

    json_decref(name);
    return same;
}

/* Looks for a member of the object whose "{" is at `at`. */
static bool find_in(const struct cvg_buffer *text, size_t at, const char *name,
                    struct member *ret_member)
{
    struct member member = {.open = at + 1, .before = at + 1};

    for (;;) {
        size_t name_end;

        member.name = skip_space(text, member.before + (member.before == member.open ? 0 : 1));
        if (member.name >= text->len || text->data[member.name] != '"')
            return false;
        name_end = skip_string(text, member.name);
        member.value = skip_space(text, skip_space(text, name_end) + 1);
        if (member.value >= text->len)
            return false;
        member.end = skip_value(text, member.value);
        member.comma = skip_space(text, member.end);
        member.comma_after = member.comma < text->len && text->data[member.comma] == ',';
        if (name_is(text, member.name, name_end, name)) {
            *ret_member = member;
            return true;
        }
        if (!member.comma_after)
            return false;
        member.before = member.comma;
    }
}

/* How many of the path's names are there; ret_member is the last one found, *ret_object the object
 * that the next one would be in. SYNTAX: that is none. */
static enum cvg_error walk(const struct cvg_buffer *text, const struct cvg_json_path *path,
                           size_t *ret_found, struct member *ret_member, size_t *ret_object)
{
    size_t at = skip_space(text, 0);

    for (size_t i = 0; i < path->depth; i++) {
        *ret_found = i;
        *ret_object = at;
        if (at >= text->len || text->data[at] != '{')
            return CVG_ERR_SYNTAX;
        if (!find_in(text, at, path->name[i], ret_member))
            return CVG_OK;
        at = ret_member->value;
    }
    *ret_found = path->depth;
    return CVG_OK;
}

/* The octets from begin to end give way to the other text. */
static enum cvg_error splice(struct cvg_buffer *text, size_t begin, size_t end,
                             const struct cvg_buffer *other)
{
    struct cvg_buffer made;
    enum cvg_error err;

    cvg_buffer_init(&made, text->max);
    cvg_buffer_put(&made, text->data, begin);
    if (other != NULL)
        cvg_buffer_put(&made, other->data, other->len);
    err = cvg_buffer_put(&made, text->data + end, text->len - end);
    if (err != CVG_OK) {
        cvg_buffer_free(&made);
        return err;
    }
    cvg_buffer_free(text);
    *text = made;
    return CVG_OK;
}

static enum cvg_error put_name(struct cvg_buffer *text, const char *name)
{
    json_t *string = json_string(name);
    char *dumped = string != NULL ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
    enum cvg_error err = dumped != NULL ? cvg_buffer_printf(text, "%s: ", dumped) : CVG_ERR_NOMEM;

    free(dumped);
    json_decref(string);
    return err;
}

/* The missing members, one within the other, as the first of the object, laid out as the one that
 * was first. */
static enum cvg_error insert(struct cvg_buffer *text, const struct cvg_json_path *path,
                             size_t found, size_t object, const char *value)
{
    size_t first = skip_space(text, object + 1);
    bool empty = first < text->len && text->data[first] == '}';
    struct cvg_buffer added;
    enum cvg_error err;

    cvg_buffer_init(&added, text->max);
    if (!empty)
        cvg_buffer_put(&added, text->data + object + 1, first - object - 1);
    err = put_name(&added, path->name[found]);
    for (size_t i = found + 1; err == CVG_OK && i < path->depth; i++) {
        cvg_buffer_put_text(&added, "{");
        err = put_name(&added, path->name[i]);
    }
    cvg_buffer_put_text(&added, value);
    for (size_t i = found + 1; i < path->depth; i++)
        cvg_buffer_put_text(&added, "}");
    if (!empty)
        cvg_buffer_put_text(&added, first == object + 1 ? ", " : ",");
    if (err == CVG_OK)
        err = cvg_buffer_error(&added);
    if (err == CVG_OK)
        err = splice(text, object + 1, object + 1, &added);
    cvg_buffer_free(&added);
    return err;
}

enum cvg_error cvg_json_put(struct cvg_buffer *text, const struct cvg_json_path *path,
                            const char *value)
{
    struct member member;
    struct cvg_buffer other;
    size_t found = 0, object = 0;
    enum cvg_error err = walk(text, path, &found, &member, &object);

    if (err != CVG_OK)
        return err;
    if (found < path->depth)
        return insert(text, path, found, object, value);
    cvg_buffer_init(&other, text->max);
    err = cvg_buffer_put_text(&other, value);
    if (err == CVG_OK)
        err = splice(text, member.value, member.end, &other);
    cvg_buffer_free(&other);
    return err;
}

enum cvg_error cvg_json_drop(struct cvg_buffer *text, const struct cvg_json_path *path)
{
    struct member member;
    size_t found = 0, object = 0;
    enum cvg_error err = walk(text, path, &found, &member, &object);

    if (err != CVG_OK || found < path->depth)
        return err != CVG_OK ? err : CVG_ERR_NOT_FOUND;
    if (member.before != member.open)
        return splice(text, member.before, member.end, NULL);
    if (!member.comma_after)
        return splice(text, member.open, member.end, NULL);
    /* Where members stand in one line, a blank came with the comma. */
    if (member.name == member.open && member.comma + 1 < text->len &&
        text->data[member.comma + 1] == ' ')
        member.comma++;
    return splice(text, member.open, member.comma + 1, NULL);
}
