/* SPDX-License-Identifier: MIT */
/* Changes `mode` in the converge.conf in force, and nothing else in it. */
#include "tools/mode-change.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "tools/edit-file.h"
#include "tools/key-line.h"
#include "tools/plain-file.h"
#include "tools/rehearsal.h"
#include "tools/targets.h"
#include "tools/tools.h"

#define FILE_MAX    65536
#define SYSTEM_FILE CVG_SYSCONFDIR "/converge.conf"

bool cvg_mode_find(const char *name, enum cvg_mode *ret_mode)
{
    static const enum cvg_mode modes[] = {CVG_MODE_MONITOR, CVG_MODE_AUGMENT, CVG_MODE_REPLACE};

    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
        if (strcmp(cvg_mode_name(modes[i]), name) == 0) {
            *ret_mode = modes[i];
            return true;
        }
    return false;
}

const char *cvg_mode_meaning(enum cvg_mode mode)
{
    switch (mode) {
    case CVG_MODE_MONITOR:
        return "verdicts are logged, and nothing is refused";
    case CVG_MODE_AUGMENT:
        return "what PKI accepts is refused where the notaries do not see it";
    case CVG_MODE_REPLACE:
        break;
    }
    return "the notaries decide: also over what PKI does not trust";
}

/* Where a user has no file the administrator's values hold: they stay in a file of the user's. */
static bool inherits(const struct cvg_installation *installation)
{
    const char *own = getenv("CONVERGE_CONFIG_DIR");

    return installation->paths.kind == CVG_AGENT_USER &&
           (own == NULL || strcmp(own, installation->paths.config_dir) != 0);
}

static enum cvg_error read_old(const struct cvg_installation *installation, const char *path,
                               struct cvg_edit_file *ret_file, struct cvg_why *ret_why)
{
    enum cvg_error err = cvg_edit_file_read(path, FILE_MAX, ret_file, ret_why);

    if (err != CVG_ERR_NOT_FOUND)
        return err;
    err =
        cvg_rehearsal_is_on()
            ? CVG_OK
            : cvg_directory_make(installation->paths.config_dir, geteuid(),
                                 installation->paths.kind == CVG_AGENT_USER ? 0700 : 0755, ret_why);
    if (err == CVG_OK)
        err = cvg_edit_file_new(path, 0644, FILE_MAX, ret_file, ret_why);
    if (err != CVG_OK || !inherits(installation))
        return err;
    err = cvg_plain_file_read(SYSTEM_FILE, &ret_file->text, ret_why);
    return err == CVG_ERR_NOT_FOUND ? CVG_OK : err;
}

/* The new text must say what the old one said, but for the mode. */
static enum cvg_error check(const struct cvg_edit_file *file, const struct cvg_buffer *text,
                            enum cvg_mode mode, struct cvg_why *ret_why)
{
    struct cvg_config *config = calloc(2, sizeof *config);
    enum cvg_error err = config == NULL ? CVG_ERR_NOMEM : CVG_OK;

    if (err == CVG_OK)
        err = cvg_config_parse((const char *)file->text.data, file->text.len, file->path,
                               &config[0], ret_why);
    if (err == CVG_OK) {
        memcpy(&config[1], &config[0], sizeof config[1]);
        memset(&config[0], 0, sizeof config[0]);
        err =
            cvg_config_parse((const char *)text->data, text->len, file->path, &config[0], ret_why);
        config[1].mode = mode;
    }
    if (err == CVG_OK && memcmp(&config[0], &config[1], sizeof config[0]) != 0)
        err = cvg_fail(ret_why, CVG_ERR_CONFIG, "%.400s: the change would change more than mode",
                       file->path);
    free(config);
    return err;
}

static enum cvg_error write_mode(const struct cvg_installation *installation, const char *path,
                                 enum cvg_mode mode, struct cvg_why *ret_why)
{
    struct cvg_edit_file file;
    struct cvg_buffer text;
    enum cvg_error err = read_old(installation, path, &file, ret_why);

    if (err != CVG_OK)
        return err;
    cvg_buffer_init(&text, FILE_MAX);
    err = cvg_key_line_set((const char *)file.text.data, file.text.len, "mode", cvg_mode_name(mode),
                           &text);
    if (err != CVG_OK)
        cvg_fail(ret_why, err, "%.400s: %s", path, cvg_strerror(err));
    else
        err = check(&file, &text, mode, ret_why);
    if (err == CVG_OK)
        err = cvg_edit_file_replace(&file, &text, ret_why);
    cvg_buffer_free(&text);
    cvg_edit_file_free(&file);
    return err;
}

/* Who may not is told before anything is tried, and what to do instead. */
static int check_permission(const struct cvg_installation *installation, const char *path)
{
    const char *directory = installation->paths.config_dir;

    if (cvg_rehearsal_is_on() || access(directory, W_OK) == 0 || errno == ENOENT)
        return CVG_GO_ON;
    if (installation->config.lock)
        return cvg_output_fail(CVG_EXIT_FAULT,
                               "%s says lock = yes: it is the policy for everybody, and only its "
                               "administrator changes it (sudo converge mode)",
                               path);
    return cvg_output_fail(CVG_EXIT_FAULT, "%s: you may not change it: %s (sudo converge mode?)",
                           path, strerror(errno));
}

int cvg_mode_change(struct cvg_installation *installation, enum cvg_mode mode, bool anyway,
                    bool *ret_changed)
{
    const struct cvg_target_options options = {.anyway = anyway};
    bool differs = installation->config.mode != mode;
    char path[CVG_PATH_MAX + 16];
    struct cvg_why why = {""};
    int code;

    snprintf(path, sizeof path, "%s/converge.conf", installation->paths.config_dir);
    if (!differs) {
        *ret_changed = false;
        return CVG_GO_ON;
    }
    code = check_permission(installation, path);
    if (code == CVG_GO_ON && installation->config.mode == CVG_MODE_MONITOR)
        code = cvg_target_check_notaries(&options, installation);
    if (code != CVG_GO_ON)
        return code;
    if (write_mode(installation, path, mode, &why) != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    installation->config.mode = mode;
    *ret_changed = true;
    if (cvg_rehearsal_is_on())
        return CVG_GO_ON;
    code = cvg_installation_reload(installation);
    return code == CVG_EXIT_OK ? CVG_GO_ON : code;
}
