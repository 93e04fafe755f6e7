/* SPDX-License-Identifier: MIT */
/* Reads and replaces an openssl.cnf. */
#include "tools/conf-file.h"

#include "tools/conf-edit.h"
#include "tools/openssl-conf.h"
#include "tools/openssl-where.h"
#include "tools/root-path.h"

static enum cvg_error strip(struct cvg_conf_file *file, struct cvg_why *ret_why)
{
    struct cvg_why why = {""};
    enum cvg_error err;

    cvg_buffer_init(&file->stripped, CVG_OPENSSL_CONF_MAX);
    err = cvg_conf_strip(&cvg_openssl_marks, (const char *)file->file.text.data,
                         file->file.text.len, &file->stripped, &file->had_lines, &why);
    if (err == CVG_OK)
        return CVG_OK;
    cvg_fail(ret_why, err, "%.200s: %.300s", file->file.path, why.text);
    cvg_conf_file_free(file);
    return err;
}

enum cvg_error cvg_conf_file_read(const char *path, struct cvg_conf_file *ret_file,
                                  struct cvg_why *ret_why)
{
    enum cvg_error err = cvg_edit_file_read(path, CVG_OPENSSL_CONF_MAX, &ret_file->file, ret_why);

    return err == CVG_OK ? strip(ret_file, ret_why) : err;
}

enum cvg_error cvg_conf_file_open(const char *path, struct cvg_conf_file *ret_file,
                                  struct cvg_why *ret_why)
{
    char own[PATH_MAX];
    enum cvg_error err;

    cvg_openssl_own_conf(own);
    err = cvg_root_path_check(path != NULL ? path : own, ret_why);
    if (err == CVG_OK)
        err = cvg_edit_file_read(path != NULL ? path : own, CVG_OPENSSL_CONF_MAX, &ret_file->file,
                                 ret_why);
    if (err == CVG_ERR_NOT_FOUND && path == NULL)
        err = cvg_edit_file_new(own, 0644, CVG_OPENSSL_CONF_MAX, &ret_file->file, ret_why);
    return err == CVG_OK ? strip(ret_file, ret_why) : err;
}

void cvg_conf_file_free(struct cvg_conf_file *file)
{
    cvg_edit_file_free(&file->file);
    cvg_buffer_free(&file->stripped);
}

static bool is_kept(const struct cvg_edit_file *file)
{
    struct cvg_buffer kept;
    bool is = cvg_edit_file_kept(file, &kept);

    cvg_buffer_free(&kept);
    return is;
}

enum cvg_error cvg_conf_file_write(const struct cvg_conf_file *file, const struct cvg_buffer *text,
                                   struct cvg_why *ret_why)
{
    enum cvg_error err = CVG_OK;

    if (file->had_lines && text->len == 0 && !is_kept(&file->file))
        return cvg_edit_file_remove(&file->file, ret_why);
    if (!file->had_lines && file->file.exists)
        err = cvg_edit_file_keep(&file->file, ret_why);
    if (err == CVG_OK)
        err = cvg_edit_file_replace(&file->file, text, ret_why);
    if (err == CVG_OK && file->had_lines)
        cvg_edit_file_drop_kept(&file->file, text);
    return err;
}
