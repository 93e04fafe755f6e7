/* SPDX-License-Identifier: MIT */
/* The list of what is enabled: its text, and its file. */
#include "tools/enabled-list.h"

#include <string.h>

#include "common/base/file.h"
#include "tools/edit-file.h"
#include "tools/rehearsal.h"
#include "tools/root-path.h"

#define LIST_PATH CVG_SYSCONFDIR "/enabled"
#define HEAD                                                                                       \
    "# Kept by `converge enable` and `converge disable`: what is enabled, and which units were\n"  \
    "# switched on for it.\n"

/* Where a line begins and how long it is, with its newline; false at the end. */
static bool next_line(const struct cvg_buffer *text, size_t *at, size_t *ret_len)
{
    const char *start, *newline;

    if (*at >= text->len)
        return false;
    start = (const char *)text->data + *at;
    newline = memchr(start, '\n', text->len - *at);
    *ret_len = newline != NULL ? (size_t)(newline - start) + 1 : text->len - *at;
    return true;
}

static bool find(const struct cvg_buffer *text, const char *line, size_t *ret_at, size_t *ret_len)
{
    size_t wanted = strlen(line);

    for (*ret_at = 0; next_line(text, ret_at, ret_len); *ret_at += *ret_len) {
        const char *start = (const char *)text->data + *ret_at;
        size_t len = *ret_len - (start[*ret_len - 1] == '\n' ? 1 : 0);

        if (len == wanted && memcmp(start, line, len) == 0)
            return true;
    }
    return false;
}

static bool is_line(const char *line)
{
    return line[0] != '\0' && line[0] != '#' && strpbrk(line, "\r\n") == NULL;
}

bool cvg_enabled_text_has(const struct cvg_buffer *text, const char *line)
{
    size_t at, len;

    return is_line(line) && find(text, line, &at, &len);
}

static bool has_any(const struct cvg_buffer *text, bool units_count)
{
    size_t len;

    for (size_t at = 0; next_line(text, &at, &len); at += len) {
        const char *start = (const char *)text->data + at;
        bool unit = len >= strlen(CVG_ENABLED_UNIT) &&
                    memcmp(start, CVG_ENABLED_UNIT, strlen(CVG_ENABLED_UNIT)) == 0;

        if (start[0] != '#' && start[0] != '\n' && (units_count || !unit))
            return true;
    }
    return false;
}

bool cvg_enabled_text_has_target(const struct cvg_buffer *text)
{
    return has_any(text, false);
}

enum cvg_error cvg_enabled_text_add(struct cvg_buffer *text, const char *line)
{
    if (!is_line(line))
        return CVG_ERR_ARGUMENT;
    if (cvg_enabled_text_has(text, line))
        return CVG_OK;
    if (text->len == 0)
        cvg_buffer_put_text(text, HEAD);
    else if (text->data[text->len - 1] != '\n')
        cvg_buffer_put_text(text, "\n");
    cvg_buffer_printf(text, "%s\n", line);
    return cvg_buffer_error(text);
}

enum cvg_error cvg_enabled_text_remove(struct cvg_buffer *text, const char *line)
{
    struct cvg_buffer rest;
    size_t at, len;
    enum cvg_error err;

    if (!is_line(line))
        return CVG_ERR_ARGUMENT;
    cvg_buffer_init(&rest, text->max);
    for (at = 0; next_line(text, &at, &len); at += len) {
        const char *start = (const char *)text->data + at;
        size_t bare = len - (start[len - 1] == '\n' ? 1 : 0);

        if (bare != strlen(line) || memcmp(start, line, bare) != 0)
            cvg_buffer_put(&rest, start, len);
    }
    err = cvg_buffer_error(&rest);
    if (err != CVG_OK) {
        cvg_buffer_free(&rest);
        return err;
    }
    cvg_buffer_free(text);
    *text = rest;
    if (!has_any(text, true))
        cvg_buffer_clear(text);
    return CVG_OK;
}

static enum cvg_error open_list(struct cvg_edit_file *ret_file, struct cvg_why *ret_why)
{
    enum cvg_error err = cvg_root_path_check(LIST_PATH, ret_why);

    if (err == CVG_OK)
        err = cvg_edit_file_read(LIST_PATH, CVG_ENABLED_LIST_MAX, ret_file, ret_why);
    if (err == CVG_ERR_NOT_FOUND)
        err = cvg_edit_file_new(LIST_PATH, 0644, CVG_ENABLED_LIST_MAX, ret_file, ret_why);
    return err;
}

bool cvg_enabled_has(const char *line)
{
    struct cvg_edit_file file;
    bool has;

    if (open_list(&file, NULL) != CVG_OK)
        return false;
    has = cvg_enabled_text_has(&file.text, line);
    cvg_edit_file_free(&file);
    return has;
}

bool cvg_enabled_has_target_but(const char *line)
{
    struct cvg_edit_file file;
    bool has;

    if (open_list(&file, NULL) != CVG_OK)
        return true;
    /* A line that the list cannot hold is none of its targets. */
    has = (is_line(line) && cvg_enabled_text_remove(&file.text, line) != CVG_OK) ||
          cvg_enabled_text_has_target(&file.text);
    cvg_edit_file_free(&file);
    return has;
}

static enum cvg_error put(const struct cvg_edit_file *file, const struct cvg_buffer *text,
                          struct cvg_why *ret_why)
{
    if (cvg_edit_same(text, &file->text))
        return CVG_OK;
    if (text->len == 0)
        return cvg_edit_file_remove(file, ret_why);
    return cvg_edit_file_replace(file, text, ret_why);
}

static enum cvg_error change(const char *line, bool adding, struct cvg_why *ret_why)
{
    struct cvg_edit_file file;
    struct cvg_buffer text;
    enum cvg_error err = CVG_OK;

    if (adding && !cvg_rehearsal_is_on())
        err = cvg_directory_make(CVG_SYSCONFDIR, 0, 0755, ret_why);
    if (err == CVG_OK)
        err = open_list(&file, ret_why);
    if (err != CVG_OK)
        return err;
    cvg_buffer_init(&text, CVG_ENABLED_LIST_MAX);
    err = cvg_buffer_put(&text, file.text.data, file.text.len);
    if (err == CVG_OK)
        err = adding ? cvg_enabled_text_add(&text, line) : cvg_enabled_text_remove(&text, line);
    if (err == CVG_OK)
        err = put(&file, &text, ret_why);
    else
        cvg_fail(ret_why, err, LIST_PATH ": %s", cvg_strerror(err));
    cvg_buffer_free(&text);
    cvg_edit_file_free(&file);
    return err;
}

enum cvg_error cvg_enabled_add(const char *line, struct cvg_why *ret_why)
{
    return change(line, true, ret_why);
}

enum cvg_error cvg_enabled_remove(const char *line, struct cvg_why *ret_why)
{
    return change(line, false, ret_why);
}
