/* SPDX-License-Identifier: MIT */
/* Breaks a text into lines of a terminal's width, by characters of UTF-8. */
#include "tools/wrap.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* The octets of the valid character at the text's beginning; 0: none. Overlong forms, surrogates
 * and what is beyond Unicode are none. */
static size_t character(const unsigned char *text)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = text[0] < 0x80             ? 1
                 : (text[0] & 0xe0) == 0xc0 ? 2
                 : (text[0] & 0xf0) == 0xe0 ? 3
                 : (text[0] & 0xf8) == 0xf0 ? 4
                                            : 0;
    uint32_t value = len < 2 ? text[0] : text[0] & (0x7fU >> len);

    for (size_t i = 1; i < len; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (text[i] & 0x3f);
    }
    if (len > 1 && (value < least[len] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)))
        return 0;
    return len;
}

static bool moves_the_cursor(const unsigned char *text, size_t len)
{
    return (len == 1 && (text[0] < 0x20 || text[0] == 0x7f)) ||
           (len == 2 && text[0] == 0xc2 && text[1] < 0xa0);
}

/* The columns and octets of the word at the text's beginning. */
static size_t measure(const unsigned char *word, size_t *ret_len)
{
    size_t columns = 0, at = 0;

    for (; word[at] != '\0' && word[at] != ' ' && word[at] != '\n'; columns++) {
        size_t len = character(word + at);

        at += len == 0 ? 1 : len;
    }
    *ret_len = at;
    return columns;
}

static enum cvg_error put_word(const unsigned char *word, size_t len, struct cvg_buffer *lines)
{
    enum cvg_error err = CVG_OK;

    for (size_t at = 0; err == CVG_OK && at < len;) {
        size_t step = character(word + at);
        bool masked = step == 0 || moves_the_cursor(word + at, step);

        err = masked ? cvg_buffer_put(lines, "?", 1) : cvg_buffer_put(lines, word + at, step);
        at += step == 0 ? 1 : step;
    }
    return err;
}

static enum cvg_error break_line(size_t indent, struct cvg_buffer *lines)
{
    enum cvg_error err = cvg_buffer_put(lines, "\n", 1);

    for (size_t i = 0; err == CVG_OK && i < indent; i++)
        err = cvg_buffer_put(lines, " ", 1);
    return err;
}

enum cvg_error cvg_wrap(const char *text, size_t column, size_t indent, size_t width,
                        struct cvg_buffer *ret_lines)
{
    const unsigned char *at = (const unsigned char *)text;
    bool first = true;
    enum cvg_error err = CVG_OK;

    while (err == CVG_OK) {
        size_t len, columns;

        at += strspn((const char *)at, " \n");
        if (*at == '\0')
            break;
        columns = measure(at, &len);
        if (!first && column + 1 + columns > width) {
            err = break_line(indent, ret_lines);
            column = indent;
        } else if (!first) {
            err = cvg_buffer_put(ret_lines, " ", 1);
            column++;
        }
        if (err == CVG_OK)
            err = put_word(at, len, ret_lines);
        column += columns;
        at += len;
        first = false;
    }
    return err;
}
