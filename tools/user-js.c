/* SPDX-License-Identifier: MIT */
/* Our lines at the end of user.js, where no other line overrides them. */
#include "tools/user-js.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/conf-edit.h"
#include "tools/edit-file.h"
#include "tools/prefs-js.h"

#define USER_JS_MAX 1048576

static const char *const names[] = {"network.http.http3.enable", "network.webtransport.enabled",
                                    "network.http.http2.coalesce-hostnames",
                                    "security.utility_pkcs11_module_process.enabled"};
#define NAMES_COUNT (sizeof names / sizeof names[0])
#define SO_BEFORE   "// So before: "

struct user_js {
    struct cvg_edit_file file;
    struct cvg_buffer stripped;
    bool had;
};

static enum cvg_error open_file(const char *profile, struct user_js *ret, struct cvg_why *ret_why)
{
    char path[PATH_MAX];
    struct cvg_why why = {""};
    enum cvg_error err;

    if (snprintf(path, sizeof path, "%s/user.js", profile) >= (int)sizeof path)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "%.400s: too long a path", profile);
    err = cvg_edit_file_read(path, USER_JS_MAX, &ret->file, ret_why);
    if (err == CVG_ERR_NOT_FOUND)
        err = cvg_edit_file_new(path, 0600, USER_JS_MAX, &ret->file, ret_why);
    if (err != CVG_OK)
        return err;
    cvg_buffer_init(&ret->stripped, USER_JS_MAX);
    err = cvg_conf_strip(&cvg_user_js_marks, (const char *)ret->file.text.data, ret->file.text.len,
                         &ret->stripped, &ret->had, &why);
    if (err == CVG_OK)
        return CVG_OK;
    cvg_fail(ret_why, err, "%.200s: %.300s", ret->file.path, why.text);
    cvg_edit_file_free(&ret->file);
    cvg_buffer_free(&ret->stripped);
    return err;
}

static void close_file(struct user_js *js)
{
    cvg_edit_file_free(&js->file);
    cvg_buffer_free(&js->stripped);
}

/* What the person had switched off before us is not ours to switch on. */
static bool was_so_before(const struct user_js *js, const char *profile, const char *name)
{
    char line[256];

    if (!js->had)
        return cvg_prefs_js_is_off(profile, name);
    snprintf(line, sizeof line, SO_BEFORE "%s\n", name);
    return memmem(js->file.text.data, js->file.text.len, line, strlen(line)) != NULL;
}

static enum cvg_error put_lines(const struct user_js *js, const char *profile,
                                struct cvg_buffer *block)
{
    enum cvg_error err = CVG_OK;

    for (size_t i = 0; err == CVG_OK && i < NAMES_COUNT; i++) {
        err = cvg_buffer_printf(block, "user_pref(\"%s\", false);\n", names[i]);
        if (err == CVG_OK && was_so_before(js, profile, names[i]))
            err = cvg_buffer_printf(block, SO_BEFORE "%s\n", names[i]);
    }
    return err;
}

static enum cvg_error complete(const struct user_js *js, const char *profile,
                               struct cvg_buffer *ret_text)
{
    struct cvg_buffer block;
    enum cvg_error err;

    cvg_buffer_init(ret_text, USER_JS_MAX);
    cvg_buffer_init(&block, USER_JS_MAX);
    err = cvg_buffer_put(ret_text, js->stripped.data, js->stripped.len);
    if (err == CVG_OK)
        err = put_lines(js, profile, &block);
    if (err == CVG_OK)
        err = cvg_conf_append(&cvg_user_js_marks, ret_text, &block);
    cvg_buffer_free(&block);
    return err;
}

enum cvg_error cvg_user_js_enable(const char *profile, bool *ret_changed, struct cvg_why *ret_why)
{
    struct user_js js;
    struct cvg_buffer text;
    enum cvg_error err = open_file(profile, &js, ret_why);

    if (err != CVG_OK)
        return err;
    err = complete(&js, profile, &text);
    if (err != CVG_OK)
        cvg_fail(ret_why, err, "%.400s: %s", js.file.path, cvg_strerror(err));
    else if ((*ret_changed = !cvg_edit_same(&text, &js.file.text))) {
        if (!js.had && js.file.exists)
            err = cvg_edit_file_keep(&js.file, ret_why);
        if (err == CVG_OK)
            err = cvg_edit_file_replace(&js.file, &text, ret_why);
    }
    cvg_buffer_free(&text);
    close_file(&js);
    return err;
}

static enum cvg_error forget(const struct user_js *js, const char *profile, struct cvg_why *ret_why)
{
    enum cvg_error err = CVG_OK;

    for (size_t i = 0; err == CVG_OK && i < NAMES_COUNT; i++)
        if (!was_so_before(js, profile, names[i]))
            err = cvg_prefs_js_forget(profile, names[i], ret_why);
    return err;
}

enum cvg_error cvg_user_js_disable(const char *profile, bool *ret_changed, struct cvg_why *ret_why)
{
    struct user_js js;
    struct cvg_buffer kept;
    enum cvg_error err = open_file(profile, &js, ret_why);
    bool was_kept;

    if (err != CVG_OK)
        return err;
    was_kept = cvg_edit_file_kept(&js.file, &kept);
    cvg_buffer_free(&kept);
    *ret_changed = js.had;
    if (js.had)
        err = forget(&js, profile, ret_why);
    if (err == CVG_OK && js.had && js.stripped.len == 0 && !was_kept) {
        err = cvg_edit_file_remove(&js.file, ret_why);
    } else if (err == CVG_OK && js.had) {
        err = cvg_edit_file_replace(&js.file, &js.stripped, ret_why);
        if (err == CVG_OK)
            cvg_edit_file_drop_kept(&js.file, &js.stripped);
    }
    close_file(&js);
    return err;
}
