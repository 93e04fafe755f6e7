/* SPDX-License-Identifier: MIT */
/* Reads and replaces an openssl.cnf. */
#include "tools/conf-file.h"

#include <openssl/x509.h>
#include <stdio.h>

#include "tools/conf-edit.h"
#include "tools/openssl-conf.h"

enum cvg_error cvg_conf_file_read(const char *path, struct cvg_conf_file *ret_file,
                                  struct cvg_why *ret_why)
{
    char own[PATH_MAX];
    struct cvg_why why = {""};
    enum cvg_error err;

    snprintf(own, sizeof own, "%s/openssl.cnf", X509_get_default_cert_area());
    err = cvg_edit_file_read(path != NULL ? path : own, CVG_OPENSSL_CONF_MAX, &ret_file->file,
                             ret_why);
    if (err != CVG_OK)
        return err;
    cvg_buffer_init(&ret_file->stripped, CVG_OPENSSL_CONF_MAX);
    err = cvg_conf_strip(&cvg_openssl_marks, (const char *)ret_file->file.text.data,
                         ret_file->file.text.len, &ret_file->stripped, &ret_file->had_lines, &why);
    if (err == CVG_OK)
        return CVG_OK;
    cvg_fail(ret_why, err, "%.200s: %.300s", ret_file->file.path, why.text);
    cvg_conf_file_free(ret_file);
    return err;
}

void cvg_conf_file_free(struct cvg_conf_file *file)
{
    cvg_edit_file_free(&file->file);
    cvg_buffer_free(&file->stripped);
}

enum cvg_error cvg_conf_file_write(const struct cvg_conf_file *file, const struct cvg_buffer *text,
                                   struct cvg_why *ret_why)
{
    enum cvg_error err = CVG_OK;

    if (!file->had_lines)
        err = cvg_edit_file_keep(&file->file, ret_why);
    if (err == CVG_OK)
        err = cvg_edit_file_replace(&file->file, text, ret_why);
    if (err == CVG_OK && file->had_lines)
        cvg_edit_file_drop_kept(&file->file, text);
    return err;
}
