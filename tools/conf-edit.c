/* SPDX-License-Identifier: MIT */
/* Finds, takes away and adds our marked lines. */
#include "tools/conf-edit.h"

#include <string.h>

#define MARK_JOINED " (no newline before)"

const struct cvg_conf_marks cvg_openssl_marks = {
    "# >>> converge: the lines to the next mark are removed by `converge disable openssl`",
    "# <<< converge"};
const struct cvg_conf_marks cvg_user_js_marks = {
    "// >>> converge: the lines to the next mark are removed by `converge disable nss`",
    "// <<< converge"};
const struct cvg_conf_marks cvg_shell_marks = {
    "# >>> converge: the lines to the next mark are removed by `converge disable --user`",
    "# <<< converge"};

/* The first line that begins with the mark, from a line's beginning on. */
static const char *find_line(const char *text, const char *end, const char *mark)
{
    size_t len = strlen(mark);

    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));

        if ((size_t)(end - text) >= len && memcmp(text, mark, len) == 0)
            return text;
        if (newline == NULL)
            return NULL;
        text = newline + 1;
    }
    return NULL;
}

static const char *after_line(const char *line, const char *end)
{
    const char *newline = memchr(line, '\n', (size_t)(end - line));

    return newline != NULL ? newline + 1 : end;
}

/* Whether the block was put behind a last line without a newline, which then is not ours to keep.
 */
static bool was_joined(const struct cvg_conf_marks *marks, const char *mark, const char *end)
{
    const char *tail = mark + strlen(marks->begin);

    return (size_t)(end - tail) >= strlen(MARK_JOINED) &&
           memcmp(tail, MARK_JOINED, strlen(MARK_JOINED)) == 0;
}

enum cvg_error cvg_conf_strip(const struct cvg_conf_marks *marks, const char *text, size_t len,
                              struct cvg_buffer *ret_text, bool *ret_had, struct cvg_why *ret_why)
{
    const char *end = text + len;
    const char *mark;
    bool had = false;

    while ((mark = find_line(text, end, marks->begin)) != NULL) {
        const char *last = find_line(mark, end, marks->end);
        size_t keep = (size_t)(mark - text);

        if (last == NULL)
            return cvg_fail(ret_why, CVG_ERR_CONFIG,
                            "a line \"%s\" has no \"%s\" behind it: restore them by hand",
                            marks->begin, marks->end);
        if (keep > 0 && was_joined(marks, mark, end))
            keep--;
        cvg_buffer_put(ret_text, text, keep);
        text = after_line(last, end);
        had = true;
    }
    if (find_line(text, end, marks->end) != NULL)
        return cvg_fail(ret_why, CVG_ERR_CONFIG,
                        "a line \"%s\" has no mark before it: restore it by hand", marks->end);
    cvg_buffer_put(ret_text, text, (size_t)(end - text));
    *ret_had = had;
    if (cvg_buffer_error(ret_text) != CVG_OK)
        return cvg_fail(ret_why, cvg_buffer_error(ret_text), "%s",
                        cvg_strerror(cvg_buffer_error(ret_text)));
    return CVG_OK;
}

enum cvg_error cvg_conf_append(const struct cvg_conf_marks *marks, struct cvg_buffer *text,
                               const struct cvg_buffer *block)
{
    bool joined = text->len > 0 && text->data[text->len - 1] != '\n';

    cvg_buffer_printf(text, "%s%s%s\n", joined ? "\n" : "", marks->begin,
                      joined ? MARK_JOINED : "");
    cvg_buffer_put(text, block->data, block->len);
    cvg_buffer_printf(text, "%s\n", marks->end);
    return cvg_buffer_error(text);
}
