/* SPDX-License-Identifier: MIT */
/* Finds, makes, changes and removes a user's files. */
#include "tools/user-files.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "tools/conf-edit.h"
#include "tools/edit-file.h"
#include "tools/rehearsal.h"

#define TEXT_MAX 1048576

bool cvg_user_path_is_plain(const char *path)
{
    for (; *path != '\0'; path++)
        if (!isalnum((unsigned char)*path) && strchr("/._-+,:@=~ ", *path) == NULL)
            return false;
    return true;
}

enum cvg_error cvg_user_places_find(struct cvg_user_places *ret_places, struct cvg_why *ret_why)
{
    struct cvg_user_places places = {.home = ""};
    const char *home = secure_getenv("HOME"), *config = secure_getenv("XDG_CONFIG_HOME");

    if (home == NULL || home[0] != '/' || strlen(home) > 1024 ||
        (config != NULL && strlen(config) > 1024))
        return cvg_fail(ret_why, CVG_ERR_CONFIG, "HOME does not name this user's directory");
    snprintf(places.home, sizeof places.home, "%s", home);
    if (config != NULL && config[0] == '/')
        snprintf(places.config, sizeof places.config, "%s", config);
    else
        snprintf(places.config, sizeof places.config, "%s/.config", home);
    if (!cvg_user_path_is_plain(places.home) || !cvg_user_path_is_plain(places.config))
        return cvg_fail(
            ret_why, CVG_ERR_CONFIG,
            "%.300s: this name would need quoting, which shells, systemd and OpenSSL do "
            "in ways of their own",
            places.config);
    snprintf(places.directory, PATH_MAX, "%s/converge", places.config);
    snprintf(places.conf, PATH_MAX, "%s/converge/openssl.cnf", places.config);
    snprintf(places.environment, PATH_MAX, "%s/environment.d/60-converge.conf", places.config);
    snprintf(places.socket_unit, PATH_MAX, "%s/systemd/user/" CVG_USER_UNIT, places.config);
    snprintf(places.service_unit, PATH_MAX, "%s/systemd/user/converge-agent.service",
             places.config);
    *ret_places = places;
    return CVG_OK;
}

static bool is_ours(const struct cvg_buffer *text)
{
    size_t len = strlen(CVG_USER_HEAD);

    return text->len >= len && memcmp(text->data, CVG_USER_HEAD, len) == 0;
}

static enum cvg_error open_file(const char *path, mode_t mode, struct cvg_edit_file *ret_file,
                                struct cvg_why *ret_why)
{
    enum cvg_error err = cvg_edit_file_read(path, TEXT_MAX, ret_file, ret_why);

    return err == CVG_ERR_NOT_FOUND ? cvg_edit_file_new(path, mode, TEXT_MAX, ret_file, ret_why)
                                    : err;
}

static enum cvg_error make_directory_of(const char *path, struct cvg_why *ret_why)
{
    char directory[PATH_MAX];

    if (cvg_rehearsal_is_on())
        return CVG_OK;
    snprintf(directory, sizeof directory, "%s", path);
    *strrchr(directory, '/') = '\0';
    return cvg_directory_make(directory, geteuid(), 0700, ret_why);
}

static enum cvg_error refuse_foreign(const struct cvg_edit_file *file, struct cvg_why *ret_why)
{
    if (!file->exists || is_ours(&file->text))
        return CVG_OK;
    return cvg_fail(ret_why, CVG_ERR_EXISTS, "%.400s: is there, and not of our making; move it",
                    file->path);
}

enum cvg_error cvg_user_file_check(const char *path, struct cvg_why *ret_why)
{
    struct cvg_edit_file file;
    enum cvg_error err = open_file(path, 0600, &file, ret_why);

    if (err != CVG_OK)
        return err;
    err = refuse_foreign(&file, ret_why);
    cvg_edit_file_free(&file);
    return err;
}

enum cvg_error cvg_user_file_put(const char *path, const struct cvg_buffer *text, bool *ret_changed,
                                 struct cvg_why *ret_why)
{
    struct cvg_edit_file file;
    enum cvg_error err = open_file(path, 0600, &file, ret_why);

    if (err != CVG_OK)
        return err;
    err = refuse_foreign(&file, ret_why);
    if (err == CVG_OK && !cvg_edit_same(&file.text, text)) {
        err = make_directory_of(path, ret_why);
        if (err == CVG_OK)
            err = cvg_edit_file_replace(&file, text, ret_why);
        *ret_changed = *ret_changed || err == CVG_OK;
    }
    cvg_edit_file_free(&file);
    return err;
}

enum cvg_error cvg_user_file_remove(const char *path, bool *ret_changed, struct cvg_why *ret_why)
{
    struct cvg_edit_file file;
    char directory[PATH_MAX];
    enum cvg_error err = cvg_edit_file_read(path, TEXT_MAX, &file, ret_why);

    if (err != CVG_OK)
        return err == CVG_ERR_NOT_FOUND ? CVG_OK : err;
    if (is_ours(&file.text)) {
        err = cvg_edit_file_remove(&file, ret_why);
        *ret_changed = *ret_changed || err == CVG_OK;
        snprintf(directory, sizeof directory, "%s", path);
        *strrchr(directory, '/') = '\0';
        if (err == CVG_OK && !cvg_rehearsal_is_on())
            rmdir(directory); /* stays if anything is in it */
    }
    cvg_edit_file_free(&file);
    return err;
}

bool cvg_user_file_read(const char *path, struct cvg_buffer *ret_text)
{
    struct cvg_edit_file file;

    if (cvg_edit_file_read(path, TEXT_MAX, &file, NULL) != CVG_OK)
        return false;
    if (!is_ours(&file.text)) {
        cvg_edit_file_free(&file);
        return false;
    }
    *ret_text = file.text;
    return true;
}

static bool is_kept(const struct cvg_edit_file *file)
{
    struct cvg_buffer kept;
    bool is = cvg_edit_file_kept(file, &kept);

    cvg_buffer_free(&kept);
    return is;
}

/* had: our lines are in the file as it is. */
static enum cvg_error write_profile(const struct cvg_edit_file *file, bool had,
                                    const struct cvg_buffer *text, struct cvg_why *ret_why)
{
    enum cvg_error err = CVG_OK;

    if (had && text->len == 0 && !is_kept(file))
        return cvg_edit_file_remove(file, ret_why);
    if (!had && file->exists)
        err = cvg_edit_file_keep(file, ret_why);
    if (err == CVG_OK)
        err = cvg_edit_file_replace(file, text, ret_why);
    if (err == CVG_OK && had)
        cvg_edit_file_drop_kept(file, text);
    return err;
}

static enum cvg_error change_profile(const char *path, const struct cvg_buffer *block,
                                     bool *ret_changed, struct cvg_why *ret_why)
{
    struct cvg_edit_file file;
    struct cvg_buffer text;
    struct cvg_why why = {""};
    bool had = false;
    enum cvg_error err = open_file(path, 0644, &file, ret_why);

    if (err != CVG_OK)
        return err;
    cvg_buffer_init(&text, TEXT_MAX);
    err = cvg_conf_strip(&cvg_shell_marks, (const char *)file.text.data, file.text.len, &text, &had,
                         &why);
    if (err == CVG_OK && block != NULL)
        err = cvg_conf_append(&cvg_shell_marks, &text, block);
    if (err != CVG_OK) {
        cvg_fail(ret_why, err, "%.200s: %.300s", file.path,
                 why.text[0] != '\0' ? why.text : cvg_strerror(err));
    } else if (!cvg_edit_same(&text, &file.text)) {
        err = write_profile(&file, had, &text, ret_why);
        *ret_changed = *ret_changed || err == CVG_OK;
    }
    cvg_buffer_free(&text);
    cvg_edit_file_free(&file);
    return err;
}

enum cvg_error cvg_user_profiles_change(const struct cvg_user_places *places,
                                        const struct cvg_buffer *block, bool *ret_changed,
                                        struct cvg_why *ret_why)
{
    /* bash reads the first of its own that is there in .profile's stead, zsh only its own. */
    static const char *const names[] = {".profile", ".bash_profile", ".bash_login", ".zprofile"};
    enum cvg_error err = CVG_OK;

    for (size_t i = 0; err == CVG_OK && i < sizeof names / sizeof names[0]; i++) {
        char path[PATH_MAX];

        snprintf(path, sizeof path, "%s/%s", places->home, names[i]);
        if ((i == 0 && block != NULL) || access(path, F_OK) == 0)
            err = change_profile(path, block, ret_changed, ret_why);
    }
    return err;
}
