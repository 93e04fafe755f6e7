/* SPDX-License-Identifier: MIT */
/* Reads and replaces an openssl.cnf. */
#include "tools/conf-file.h"

#include <errno.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "tools/conf-edit.h"
#include "tools/openssl-conf.h"
#include "tools/plain-file.h"

#define BACKUP_SUFFIX ".before-converge"

static enum cvg_error resolve(const char *path, char ret_path[static PATH_MAX],
                              struct cvg_why *ret_why)
{
    char own[PATH_MAX];

    if (path == NULL) {
        snprintf(own, sizeof own, "%s/openssl.cnf", X509_get_default_cert_area());
        path = own;
    }
    if (realpath(path, ret_path) == NULL)
        return cvg_fail(ret_why, errno == ENOENT ? CVG_ERR_NOT_FOUND : CVG_ERR_IO, "%.400s: %s",
                        path, strerror(errno));
    return CVG_OK;
}

enum cvg_error cvg_conf_file_read(const char *path, struct cvg_conf_file *ret_file,
                                  struct cvg_why *ret_why)
{
    struct stat st;
    struct cvg_why why = {""};
    enum cvg_error err = resolve(path, ret_file->path, ret_why);

    if (err != CVG_OK)
        return err;
    cvg_buffer_init(&ret_file->text, CVG_OPENSSL_CONF_MAX);
    cvg_buffer_init(&ret_file->stripped, CVG_OPENSSL_CONF_MAX);
    if (stat(ret_file->path, &st) != 0 || !S_ISREG(st.st_mode))
        err = cvg_fail(ret_why, CVG_ERR_IO, "%.400s: not a regular file", ret_file->path);
    else
        err = cvg_plain_file_read(ret_file->path, &ret_file->text, ret_why);
    if (err == CVG_OK) {
        ret_file->mode = st.st_mode & 07777;
        ret_file->uid = st.st_uid;
        ret_file->gid = st.st_gid;
        err = cvg_conf_strip((const char *)ret_file->text.data, ret_file->text.len,
                             &ret_file->stripped, &ret_file->had_lines, &why);
        if (err != CVG_OK)
            cvg_fail(ret_why, err, "%.200s: %.300s", ret_file->path, why.text);
    }
    if (err != CVG_OK)
        cvg_conf_file_free(ret_file);
    return err;
}

void cvg_conf_file_free(struct cvg_conf_file *file)
{
    cvg_buffer_free(&file->text);
    cvg_buffer_free(&file->stripped);
}

static bool same_text(const char *path, const struct cvg_buffer *text)
{
    struct cvg_buffer stored;
    bool same;

    cvg_buffer_init(&stored, CVG_OPENSSL_CONF_MAX);
    same = cvg_plain_file_read(path, &stored, NULL) == CVG_OK && stored.len == text->len &&
           memcmp(stored.data, text->data, text->len) == 0;
    cvg_buffer_free(&stored);
    return same;
}

static enum cvg_error replace(const struct cvg_conf_file *file, const char *path,
                              const struct cvg_buffer *text, struct cvg_why *ret_why)
{
    enum cvg_error err = cvg_file_replace(path, text->data, text->len, file->mode, ret_why);

    if (err == CVG_OK && (file->uid != geteuid() || file->gid != getegid()) &&
        chown(path, file->uid, file->gid) != 0)
        err = cvg_fail(ret_why, CVG_ERR_IO, "cannot give %.400s back to uid %lu: %s", path,
                       (unsigned long)file->uid, strerror(errno));
    return err;
}

enum cvg_error cvg_conf_file_write(const struct cvg_conf_file *file, const struct cvg_buffer *text,
                                   struct cvg_why *ret_why)
{
    char backup[PATH_MAX + sizeof BACKUP_SUFFIX];
    enum cvg_error err = CVG_OK;

    snprintf(backup, sizeof backup, "%s%s", file->path, BACKUP_SUFFIX);
    if (!file->had_lines)
        err = replace(file, backup, &file->text, ret_why);
    if (err == CVG_OK)
        err = replace(file, file->path, text, ret_why);
    if (err == CVG_OK && file->had_lines && same_text(backup, text))
        unlink(backup);
    return err;
}
