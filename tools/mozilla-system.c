/* SPDX-License-Identifier: MIT */
/* Which files an application reads, and changing them. The policies of /etc hide those beside the
 * program: a file there is only made where nothing is hidden by it. */
#include "tools/mozilla-system.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "tools/edit-file.h"
#include "tools/mozilla-policies.h"
#include "tools/rehearsal.h"
#include "tools/root-path.h"

#define FILES_MAX 8
#define LOCK_TEXT                                                                                  \
    "// Made and removed by `converge enable nss` and `converge disable nss`.\n"                   \
    "pref(\"security.utility_pkcs11_module_process.enabled\", false, locked);\n"

struct files {
    char path[FILES_MAX][PATH_MAX];
    size_t count;
};

static void add_file(struct files *files, const char *directory, const char *below)
{
    if (files->count < FILES_MAX)
        snprintf(files->path[files->count++], PATH_MAX, "%s/%s/policies.json", directory, below);
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* Those that the installations read; with all: also those that /etc hides. */
static struct files find_files(const struct cvg_mozilla_app *app, bool all)
{
    struct files files = {.count = 0}, beside = {.count = 0};
    const char *directory;
    bool any_beside = false;

    add_file(&files, app->system, "policies");
    for (size_t i = 0; (directory = cvg_mozilla_directory(app, i)) != NULL; i++) {
        add_file(&beside, directory, "distribution");
        any_beside = any_beside || exists(beside.path[beside.count - 1]);
    }
    if (!all && (exists(files.path[0]) || !any_beside))
        return files;
    if (!all)
        return beside;
    for (size_t i = 0; i < beside.count && files.count < FILES_MAX; i++)
        strcpy(files.path[files.count++], beside.path[i]);
    return files;
}

static void lock_path(const struct cvg_mozilla_app *app, char ret_path[static PATH_MAX])
{
    snprintf(ret_path, PATH_MAX, "%s/defaults/pref/converge.js", app->system);
}

static enum cvg_error make_directory_of(const char *path, struct cvg_why *ret_why)
{
    char directory[PATH_MAX];

    if (cvg_rehearsal_is_on())
        return CVG_OK;
    snprintf(directory, sizeof directory, "%s", path);
    *strrchr(directory, '/') = '\0';
    return cvg_directory_make(directory, geteuid(), 0755, ret_why);
}

/* Directories that nothing is left in; those with something stay by themselves. */
static void remove_directories_of(const char *path, size_t levels)
{
    char directory[PATH_MAX];

    snprintf(directory, sizeof directory, "%s", path);
    while (!cvg_rehearsal_is_on() && levels-- > 0) {
        *strrchr(directory, '/') = '\0';
        if (rmdir(directory) != 0)
            return;
    }
}

static enum cvg_error read_or_begin(const char *path, struct cvg_edit_file *ret_file,
                                    struct cvg_why *ret_why)
{
    enum cvg_error err = cvg_edit_file_read(path, CVG_POLICIES_MAX, ret_file, ret_why);

    if (err == CVG_ERR_NOT_FOUND)
        err = cvg_edit_file_new(path, 0644, CVG_POLICIES_MAX, ret_file, ret_why);
    return err;
}

static enum cvg_error name_file(const struct cvg_edit_file *file, enum cvg_error err,
                                const struct cvg_why *why, struct cvg_why *ret_why)
{
    return cvg_fail(ret_why, err, "%.200s: %.300s", file->path, why->text);
}

static enum cvg_error add_to(const struct cvg_edit_file *file, const char *module,
                             struct cvg_buffer *ret_text, struct cvg_why *ret_why)
{
    struct cvg_why why = {""};
    enum cvg_error err;

    cvg_buffer_init(ret_text, CVG_POLICIES_MAX);
    if (file->text.len == 0)
        err = cvg_policies_begin(ret_text, module);
    else
        err = cvg_buffer_put(ret_text, file->text.data, file->text.len);
    if (err == CVG_OK && file->text.len > 0)
        err = cvg_policies_add(ret_text, module, &why);
    if (err == CVG_OK)
        return CVG_OK;
    cvg_buffer_free(ret_text);
    return name_file(file, err, &why, ret_why);
}

/* write: else it is only seen whether it could be done. */
static enum cvg_error enable_file(const char *path, const char *module, bool write,
                                  struct cvg_mozilla_system *system, struct cvg_why *ret_why)
{
    struct cvg_edit_file file;
    struct cvg_buffer text;
    struct cvg_policies_state state = {.module = false};
    enum cvg_error err = cvg_root_path_check(path, ret_why);

    if (err == CVG_OK)
        err = read_or_begin(path, &file, ret_why);
    if (err != CVG_OK)
        return err;
    snprintf(system->file, sizeof system->file, "%s", file.path);
    err = add_to(&file, module, &text, ret_why);
    if (err == CVG_OK && write && !cvg_edit_same(&text, &file.text)) {
        err = make_directory_of(path, ret_why);
        if (err == CVG_OK && file.text.len > 0 &&
            (cvg_policies_look(&file.text, module, &state, NULL) != CVG_OK || !state.module))
            err = cvg_edit_file_keep(&file, ret_why);
        if (err == CVG_OK)
            err = cvg_edit_file_replace(&file, &text, ret_why);
        system->changed = system->changed || err == CVG_OK;
    }
    cvg_buffer_free(&text);
    cvg_edit_file_free(&file);
    return err;
}

static enum cvg_error read_lock(const struct cvg_mozilla_app *app, struct cvg_edit_file *ret_file,
                                bool *ret_ours, struct cvg_why *ret_why)
{
    char path[PATH_MAX];
    enum cvg_error err;

    lock_path(app, path);
    err = read_or_begin(path, ret_file, ret_why);
    if (err == CVG_OK)
        *ret_ours = ret_file->text.len == strlen(LOCK_TEXT) &&
                    memcmp(ret_file->text.data, LOCK_TEXT, ret_file->text.len) == 0;
    return err;
}

/* To change it. */
static enum cvg_error open_lock(const struct cvg_mozilla_app *app, struct cvg_edit_file *ret_file,
                                bool *ret_ours, struct cvg_why *ret_why)
{
    char path[PATH_MAX];
    enum cvg_error err;

    lock_path(app, path);
    err = cvg_root_path_check(path, ret_why);
    return err == CVG_OK ? read_lock(app, ret_file, ret_ours, ret_why) : err;
}

static enum cvg_error enable_lock(const struct cvg_mozilla_app *app, bool write,
                                  struct cvg_mozilla_system *system, struct cvg_why *ret_why)
{
    struct cvg_edit_file file;
    struct cvg_buffer text;
    bool ours = false;
    enum cvg_error err = open_lock(app, &file, &ours, ret_why);

    if (err != CVG_OK)
        return err;
    cvg_buffer_init(&text, CVG_POLICIES_MAX);
    err = cvg_buffer_put_text(&text, LOCK_TEXT);
    if (err == CVG_OK && file.exists && !ours)
        err = cvg_fail(ret_why, CVG_ERR_EXISTS, "%.400s: is there, and not of our making; move it",
                       file.path);
    if (err == CVG_OK && write && !ours) {
        err = make_directory_of(file.path, ret_why);
        if (err == CVG_OK)
            err = cvg_edit_file_replace(&file, &text, ret_why);
        system->changed = system->changed || err == CVG_OK;
    }
    cvg_buffer_free(&text);
    cvg_edit_file_free(&file);
    return err;
}

static enum cvg_error enable_all(const struct cvg_mozilla_app *app, const char *module, bool write,
                                 struct cvg_mozilla_system *system, struct cvg_why *ret_why)
{
    struct files files = find_files(app, false);
    enum cvg_error err = enable_lock(app, write, system, ret_why);

    for (size_t i = 0; err == CVG_OK && i < files.count; i++)
        err = enable_file(files.path[i], module, write, system, ret_why);
    return err;
}

enum cvg_error cvg_mozilla_system_enable(const struct cvg_mozilla_app *app, const char *module,
                                         cvg_mozilla_ready_fn *ready, void *context,
                                         struct cvg_mozilla_system *ret_system,
                                         struct cvg_why *ret_why)
{
    enum cvg_error err;

    memset(ret_system, 0, sizeof *ret_system);
    err = enable_all(app, module, false, ret_system, ret_why);
    if (err == CVG_OK)
        err = ready(context, ret_why);
    return err == CVG_OK ? enable_all(app, module, true, ret_system, ret_why) : err;
}

/* A file that says nothing any more, and of which nothing was kept, was made by us. */
static enum cvg_error write_without(const struct cvg_edit_file *file, const struct cvg_buffer *text,
                                    bool kept, const char *module, struct cvg_why *ret_why)
{
    struct cvg_policies_state state = {.empty = false};
    enum cvg_error err = cvg_root_path_check(file->path, ret_why);

    if (err != CVG_OK)
        return err;
    if (!kept && cvg_policies_look(text, module, &state, NULL) == CVG_OK && state.empty)
        return cvg_edit_file_remove(file, ret_why);
    err = cvg_edit_file_replace(file, text, ret_why);
    if (err == CVG_OK)
        cvg_edit_file_drop_kept(file, text);
    return err;
}

static enum cvg_error disable_file(const char *path, const char *module,
                                   struct cvg_mozilla_system *system, struct cvg_why *ret_why)
{
    struct cvg_edit_file file;
    struct cvg_buffer text, kept;
    struct cvg_why why = {""};
    bool was_kept;
    enum cvg_error err = cvg_edit_file_read(path, CVG_POLICIES_MAX, &file, ret_why);

    if (err != CVG_OK)
        return err == CVG_ERR_NOT_FOUND ? CVG_OK : err;
    cvg_buffer_init(&text, CVG_POLICIES_MAX);
    was_kept = cvg_edit_file_kept(&file, &kept);
    err = cvg_buffer_put(&text, file.text.data, file.text.len);
    if (err == CVG_OK)
        err = cvg_policies_remove(&text, module, was_kept ? &kept : NULL, &why);
    if (err != CVG_OK)
        name_file(&file, err, &why, ret_why);
    else if (!cvg_edit_same(&text, &file.text)) {
        err = write_without(&file, &text, was_kept, module, ret_why);
        system->changed = system->changed || err == CVG_OK;
    }
    if (err == CVG_OK)
        snprintf(system->file, sizeof system->file, "%s", file.path);
    cvg_buffer_free(&kept);
    cvg_buffer_free(&text);
    cvg_edit_file_free(&file);
    return err;
}

static enum cvg_error disable_lock(const struct cvg_mozilla_app *app,
                                   struct cvg_mozilla_system *system, struct cvg_why *ret_why)
{
    struct cvg_edit_file file;
    bool ours = false;
    enum cvg_error err = open_lock(app, &file, &ours, ret_why);

    if (err != CVG_OK)
        return err;
    if (ours)
        err = cvg_edit_file_remove(&file, ret_why);
    system->changed = system->changed || (ours && err == CVG_OK);
    if (ours && err == CVG_OK)
        remove_directories_of(file.path, 3);
    cvg_edit_file_free(&file);
    return err;
}

enum cvg_error cvg_mozilla_system_disable(const struct cvg_mozilla_app *app, const char *module,
                                          struct cvg_mozilla_system *ret_system,
                                          struct cvg_why *ret_why)
{
    struct files files = find_files(app, true);
    enum cvg_error err = CVG_OK;

    memset(ret_system, 0, sizeof *ret_system);
    snprintf(ret_system->file, sizeof ret_system->file, "%s", files.path[0]);
    for (size_t i = files.count; err == CVG_OK && i-- > 0;)
        err = disable_file(files.path[i], module, ret_system, ret_why);
    if (err == CVG_OK)
        err = disable_lock(app, ret_system, ret_why);
    if (err == CVG_OK && ret_system->changed)
        remove_directories_of(files.path[0], 2);
    return err;
}

static struct cvg_policies_state look_at(const char *path, const char *module)
{
    struct cvg_policies_state state = {.module = false};
    struct cvg_edit_file file;

    if (cvg_edit_file_read(path, CVG_POLICIES_MAX, &file, NULL) != CVG_OK)
        return state;
    if (cvg_policies_look(&file.text, module, &state, NULL) != CVG_OK)
        state = (struct cvg_policies_state){.module = false};
    cvg_edit_file_free(&file);
    return state;
}

struct cvg_mozilla_told cvg_mozilla_system_look(const struct cvg_mozilla_app *app,
                                                const char *module)
{
    struct files files = find_files(app, false);
    struct cvg_mozilla_told told = {.module = true, .http3 = true, .utility = false};
    struct cvg_edit_file file;

    for (size_t i = 0; i < files.count; i++) {
        struct cvg_policies_state state = look_at(files.path[i], module);

        told.module = told.module && state.module;
        told.http3 = told.http3 && state.locked;
        if (state.library[0] == '/' && access(state.library, R_OK) != 0)
            snprintf(told.gone, sizeof told.gone, "%s", state.library);
    }
    if (read_lock(app, &file, &told.utility, NULL) == CVG_OK)
        cvg_edit_file_free(&file);
    return told;
}
