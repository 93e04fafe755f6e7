/* SPDX-License-Identifier: MIT */
/* Lines of prefs.js, which are always written in the same way, see prefs-js.h. */
#include "tools/prefs-js.h"

#include <stdio.h>
#include <string.h>

#include "tools/edit-file.h"

#define PREFS_JS_MAX 16777216
#define LINE_MAX_LEN 256

static enum cvg_error read_file(const char *profile, struct cvg_edit_file *ret_file,
                                struct cvg_why *ret_why)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof path, "%s/prefs.js", profile) >= (int)sizeof path)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "%.400s: too long a path", profile);
    return cvg_edit_file_read(path, PREFS_JS_MAX, ret_file, ret_why);
}

/* Where the line begins; NULL if there is none. */
static const char *find_line(const struct cvg_buffer *text, const char *name,
                             char ret_line[static LINE_MAX_LEN])
{
    const char *at = (const char *)text->data, *end = at + text->len;
    size_t len = (size_t)snprintf(ret_line, LINE_MAX_LEN, "user_pref(\"%s\", false);\n", name);

    while (at && (size_t)(end - at) >= len && memcmp(at, ret_line, len) != 0) {
        at = memchr(at, '\n', (size_t)(end - at));
        at = at ? at + 1 : NULL;
    }
    return at && (size_t)(end - at) >= len ? at : NULL;
}

bool cvg_prefs_js_is_off(const char *profile, const char *name)
{
    struct cvg_edit_file file;
    char line[LINE_MAX_LEN];
    bool off;

    if (read_file(profile, &file, NULL) != CVG_OK)
        return false;
    off = find_line(&file.text, name, line) != NULL;
    cvg_edit_file_free(&file);
    return off;
}

static enum cvg_error without(const struct cvg_buffer *text, const char *at, size_t len,
                              struct cvg_buffer *ret_text)
{
    size_t before = (size_t)(at - (const char *)text->data);
    enum cvg_error err;

    cvg_buffer_init(ret_text, PREFS_JS_MAX);
    err = cvg_buffer_put(ret_text, text->data, before);
    return err == CVG_OK ? cvg_buffer_put(ret_text, at + len, text->len - before - len) : err;
}

enum cvg_error cvg_prefs_js_forget(const char *profile, const char *name, struct cvg_why *ret_why)
{
    struct cvg_edit_file file;
    struct cvg_buffer text;
    char line[LINE_MAX_LEN];
    const char *at;
    enum cvg_error err = read_file(profile, &file, ret_why);

    if (err != CVG_OK)
        return err == CVG_ERR_NOT_FOUND ? CVG_OK : err;
    at = find_line(&file.text, name, line);
    if (at) {
        err = without(&file.text, at, strlen(line), &text);
        if (err == CVG_OK)
            err = cvg_edit_file_replace(&file, &text, ret_why);
        cvg_buffer_free(&text);
    }
    cvg_edit_file_free(&file);
    return err;
}
