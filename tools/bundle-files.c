/* SPDX-License-Identifier: MIT */
/* Reads notaries.d, and compares bundles. */
#include "tools/bundle-files.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/file.h"
#include "common/protocol/digest.h"

#define DIRECTORY "notaries.d"
#define SUFFIX    ".notary"

int cvg_bundle_file_is(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return entry->d_name[0] != '.' && len > strlen(SUFFIX) &&
           strcmp(entry->d_name + len - strlen(SUFFIX), SUFFIX) == 0;
}

static enum cvg_error load_file(const char *path, uid_t owner, struct cvg_bundle **ret_bundle,
                                struct cvg_why *ret_why)
{
    struct cvg_buffer data;
    struct cvg_why why = {""};
    enum cvg_error err = cvg_file_read(path, owner, CVG_BUNDLE_MAX, true, &data, ret_why);

    if (err != CVG_OK)
        return err;
    err = cvg_bundle_parse((const char *)data.data, data.len, ret_bundle, &why);
    if (err != CVG_OK)
        cvg_fail(ret_why, err, "%s: %.400s", path, why.text);
    cvg_buffer_free(&data);
    return err;
}

static enum cvg_error add_file(const struct cvg_paths *paths, const char *name,
                               struct cvg_bundle_files *files, struct cvg_why *ret_why)
{
    char *path = NULL;
    enum cvg_error err;

    if (files->count == CVG_BUNDLE_FILES_MAX)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "%s/%s: more than %d bundles", paths->config_dir,
                        DIRECTORY, CVG_BUNDLE_FILES_MAX);
    if (asprintf(&path, "%s/%s/%s", paths->config_dir, DIRECTORY, name) < 0)
        return cvg_fail(ret_why, CVG_ERR_NOMEM, "%s", cvg_strerror(CVG_ERR_NOMEM));
    err = load_file(path, paths->owner, &files->bundle[files->count], ret_why);
    if (err != CVG_OK) {
        free(path);
        return err;
    }
    files->path[files->count++] = path;
    return CVG_OK;
}

enum cvg_error cvg_bundle_files_load(const struct cvg_paths *paths,
                                     struct cvg_bundle_files *ret_files, struct cvg_why *ret_why)
{
    struct cvg_bundle_files files = {.count = 0};
    char directory[CVG_PATH_MAX + sizeof DIRECTORY + 1];
    struct dirent **entries = NULL;
    enum cvg_error err = CVG_OK;
    int count;

    snprintf(directory, sizeof directory, "%s/%s", paths->config_dir, DIRECTORY);
    count = scandir(directory, &entries, cvg_bundle_file_is, alphasort);
    if (count < 0 && errno != ENOENT)
        return cvg_fail(ret_why, CVG_ERR_IO, "cannot read %s: %s", directory, strerror(errno));
    for (int i = 0; i < count; i++) {
        if (err == CVG_OK)
            err = add_file(paths, entries[i]->d_name, &files, ret_why);
        free(entries[i]);
    }
    free(entries);
    if (err == CVG_OK)
        *ret_files = files;
    else
        cvg_bundle_files_free(&files);
    return err;
}

void cvg_bundle_files_free(struct cvg_bundle_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        cvg_bundle_free(files->bundle[i]);
        free(files->path[i]);
    }
    files->count = 0;
}

enum cvg_error cvg_bundle_file_path(const struct cvg_paths *paths, const char *name,
                                    char ret_path[static CVG_PATH_MAX], struct cvg_why *ret_why)
{
    char file_name[CVG_MESSAGE_NAME_MAX];
    size_t len = 0;

    for (; name[len] != '\0' && len < sizeof file_name - 1; len++) {
        unsigned char octet = (unsigned char)name[len];
        bool fine = isalnum(octet) || octet == '_' || (len > 0 && strchr(".-", octet) != NULL);

        file_name[len] = fine ? (char)octet : '_';
    }
    file_name[len] = '\0';
    if (snprintf(ret_path, CVG_PATH_MAX, "%s/%s/%s%s", paths->config_dir, DIRECTORY, file_name,
                 SUFFIX) >= CVG_PATH_MAX)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "%s: the path is too long", paths->config_dir);
    return CVG_OK;
}

enum cvg_error cvg_bundle_fingerprint(const struct cvg_bundle *bundle,
                                      char ret_text[static CVG_FINGERPRINT_TEXT_MAX])
{
    uint8_t digest[CVG_SHA256_LEN];
    enum cvg_error err = CVG_OK;

    if (bundle->key_count > 0)
        memcpy(digest, cvg_verify_key_id(bundle->key[0]), sizeof digest);
    else
        err = cvg_sha256(bundle->host[0].certificate, bundle->host[0].certificate_len, digest);
    if (err == CVG_OK)
        cvg_fingerprint_format(digest, sizeof digest, ret_text, CVG_FINGERPRINT_TEXT_MAX);
    return err;
}

static bool same_host(const struct cvg_bundle *a, const struct cvg_bundle *b)
{
    for (size_t i = 0; i < a->host_count; i++)
        for (size_t j = 0; j < b->host_count; j++)
            if (strcmp(a->host[i].host, b->host[j].host) == 0 &&
                a->host[i].ssl_port == b->host[j].ssl_port)
                return true;
    return false;
}

enum cvg_error cvg_bundle_files_find_twin(const struct cvg_bundle_files *files,
                                          const struct cvg_bundle *bundle, struct cvg_why *ret_why)
{
    for (size_t i = 0; i < files->count; i++) {
        const struct cvg_bundle *other = files->bundle[i];
        const char *what = cvg_bundle_shared(other, bundle);

        if (what == NULL && same_host(other, bundle))
            what = "host";
        if (what != NULL)
            return cvg_fail(ret_why, CVG_ERR_EXISTS,
                            "the notary %s (%s) has the %s of this one: nobody may vote twice",
                            other->name, files->path[i], what);
    }
    return CVG_OK;
}
