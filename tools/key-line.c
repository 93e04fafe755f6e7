/* SPDX-License-Identifier: MIT */
/* Finds the value of a key where it stands in a text, and puts another in its place. */
#include "tools/key-line.h"

#include <stdbool.h>
#include <string.h>

/* The octets of the text that are the value; an empty span behind '=' where it is empty. */
struct span {
    size_t begin, end;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The end of a line's value: before a comment, the line's end and the blanks before either. */
static size_t value_end(const char *line, size_t begin, size_t len)
{
    size_t end = begin;

    while (end < len && line[end] != '\n' && line[end] != '\r' &&
           !(line[end] == '#' && is_blank(line[end - 1])))
        end++;
    while (end > begin && is_blank(line[end - 1]))
        end--;
    return end;
}

static bool find_in_line(const char *line, size_t len, const char *key, struct span *ret_value)
{
    size_t at = 0, key_len = strlen(key);

    while (at < len && is_blank(line[at]))
        at++;
    if (len - at < key_len || memcmp(line + at, key, key_len) != 0)
        return false;
    at += key_len;
    while (at < len && is_blank(line[at]))
        at++;
    if (at == len || line[at] != '=')
        return false;
    at++;
    while (at < len && is_blank(line[at]) && (at + 1 == len || line[at + 1] != '#'))
        at++;
    *ret_value = (struct span){at, value_end(line, at, len)};
    return true;
}

static bool find(const char *text, size_t len, const char *key, struct span *ret_value)
{
    for (size_t pos = 0; pos < len;) {
        const char *end = memchr(text + pos, '\n', len - pos);
        size_t line_len = end != NULL ? (size_t)(end - text) - pos : len - pos;

        if (find_in_line(text + pos, line_len, key, ret_value)) {
            ret_value->begin += pos;
            ret_value->end += pos;
            return true;
        }
        pos += line_len + 1;
    }
    return false;
}

static enum cvg_error put_text(struct cvg_buffer *buffer, const char *text)
{
    return cvg_buffer_put(buffer, text, strlen(text));
}

static enum cvg_error add_line(const char *text, size_t len, const char *key, const char *value,
                               struct cvg_buffer *ret_text)
{
    const char *first = memchr(text, '\n', len);
    const char *line_end = first != NULL && first > text && first[-1] == '\r' ? "\r\n" : "\n";
    enum cvg_error err = cvg_buffer_put(ret_text, text, len);

    if (err == CVG_OK && len > 0 && text[len - 1] == '\r') /* half an end of a line */
        err = put_text(ret_text, "\n");
    else if (err == CVG_OK && len > 0 && text[len - 1] != '\n')
        err = put_text(ret_text, line_end);
    if (err == CVG_OK)
        err = put_text(ret_text, key);
    if (err == CVG_OK)
        err = put_text(ret_text, " = ");
    if (err == CVG_OK)
        err = put_text(ret_text, value);
    return err == CVG_OK ? put_text(ret_text, line_end) : err;
}

enum cvg_error cvg_key_line_set(const char *text, size_t len, const char *key, const char *value,
                                struct cvg_buffer *ret_text)
{
    struct span old;
    enum cvg_error err;

    if (!find(text, len, key, &old))
        return add_line(text, len, key, value, ret_text);
    err = cvg_buffer_put(ret_text, text, old.begin);
    if (err == CVG_OK)
        err = put_text(ret_text, value);
    return err == CVG_OK ? cvg_buffer_put(ret_text, text + old.end, len - old.end) : err;
}
