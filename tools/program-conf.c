/* SPDX-License-Identifier: MIT */
/* Composes and stores the openssl.cnf of `converge run`. */
#include "tools/program-conf.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/protocol/digest.h"
#include "tools/openssl-conf.h"
#include "tools/plain-file.h"

/* The configuration in use as an absolute path and its text; both empty where there is none, as
 * OpenSSL goes on without. */
static enum cvg_error find_in_use(char **ret_path, struct cvg_buffer *ret_text,
                                  struct cvg_why *ret_why)
{
    char *path = cvg_openssl_conf_in_use();
    char *absolute;
    enum cvg_error err;

    if (path == NULL)
        return cvg_fail(ret_why, CVG_ERR_NOMEM, "%s", cvg_strerror(CVG_ERR_NOMEM));
    if (strpbrk(path, "\r\n") != NULL) {
        free(path);
        return cvg_fail(ret_why, CVG_ERR_CONFIG, "OPENSSL_CONF names a path with a line break");
    }
    if (path[0] == '\0' || (access(path, F_OK) != 0 && errno == ENOENT)) {
        path[0] = '\0';
        *ret_path = path;
        return CVG_OK;
    }
    absolute = realpath(path, NULL);
    if (absolute == NULL)
        err = cvg_fail(ret_why, CVG_ERR_IO, "cannot read %s: %s", path, strerror(errno));
    else
        err = cvg_plain_file_read(absolute, ret_text, ret_why);
    free(path);
    if (err == CVG_OK)
        *ret_path = absolute;
    else
        free(absolute);
    return err;
}

static enum cvg_error compose(const char *in_use, const struct cvg_buffer *block,
                              struct cvg_buffer *ret_text, struct cvg_why *ret_why)
{
    cvg_buffer_put_text(ret_text, "# Made by `converge run`. Nothing here needs to be edited.\n");
    if (in_use[0] != '\0') {
        cvg_buffer_put_text(ret_text, ".include ");
        cvg_openssl_put_path(ret_text, in_use);
        cvg_buffer_put_text(ret_text, "\n");
    }
    cvg_buffer_put(ret_text, block->data, block->len);
    if (cvg_buffer_error(ret_text) != CVG_OK)
        return cvg_fail(ret_why, cvg_buffer_error(ret_text), "%s",
                        cvg_strerror(cvg_buffer_error(ret_text)));
    return CVG_OK;
}

static enum cvg_error try_directory(const char *base, const char *suffix, mode_t mode,
                                    char ret_directory[static CVG_PATH_MAX],
                                    struct cvg_why *ret_why)
{
    if (base == NULL || base[0] != '/')
        return CVG_ERR_NOT_FOUND;
    if (snprintf(ret_directory, CVG_PATH_MAX, "%s%s", base, suffix) >= CVG_PATH_MAX)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "%s: the path is too long", base);
    return cvg_directory_make(ret_directory, geteuid(), mode, ret_why);
}

static enum cvg_error find_directory(const struct cvg_paths *paths,
                                     char ret_directory[static CVG_PATH_MAX],
                                     struct cvg_why *ret_why)
{
    char suffix[64];
    enum cvg_error err;

    if (geteuid() == 0)
        return try_directory(paths->runtime_dir, "-tools", 0755, ret_directory, ret_why);
    if (paths->kind == CVG_AGENT_USER)
        return try_directory(paths->runtime_dir, "", 0700, ret_directory, ret_why);
    err =
        try_directory(secure_getenv("XDG_RUNTIME_DIR"), "/converge", 0700, ret_directory, ret_why);
    if (err != CVG_OK)
        err = try_directory(secure_getenv("XDG_CACHE_HOME"), "/converge", 0700, ret_directory,
                            ret_why);
    if (err != CVG_OK)
        err =
            try_directory(secure_getenv("HOME"), "/.cache/converge", 0700, ret_directory, ret_why);
    if (err != CVG_OK) {
        snprintf(suffix, sizeof suffix, "/converge-%lu", (unsigned long)geteuid());
        err = try_directory("/tmp", suffix, 0700, ret_directory, ret_why);
    }
    return err;
}

static bool is_stored(const char *path, const struct cvg_buffer *text)
{
    struct cvg_buffer stored;
    bool same = cvg_file_read(path, geteuid(), CVG_OPENSSL_CONF_MAX, true, &stored, NULL) == CVG_OK;

    same = same && stored.len == text->len && memcmp(stored.data, text->data, text->len) == 0;
    cvg_buffer_free(&stored);
    return same;
}

static enum cvg_error store(const char *directory, const struct cvg_buffer *text,
                            char ret_path[static CVG_PATH_MAX], struct cvg_why *ret_why)
{
    uint8_t digest[CVG_SHA256_LEN];
    enum cvg_error err = cvg_sha256(text->data, text->len, digest);

    if (err != CVG_OK)
        return cvg_fail(ret_why, err, "%s", cvg_strerror(err));
    if (snprintf(ret_path, CVG_PATH_MAX, "%s/openssl-%02x%02x%02x%02x%02x%02x.cnf", directory,
                 digest[0], digest[1], digest[2], digest[3], digest[4], digest[5]) >= CVG_PATH_MAX)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "%s: the path is too long", directory);
    if (is_stored(ret_path, text))
        return CVG_OK;
    return cvg_file_replace(ret_path, text->data, text->len, 0644, ret_why);
}

/* Programs go on without a module that does not load, and say nothing: so look before they start. A
 * library context of its own, since this process's must not be configured. */
static enum cvg_error check_loads(const char *path, const char *module, struct cvg_why *ret_why)
{
    OSSL_LIB_CTX *context = OSSL_LIB_CTX_new();
    bool loaded;

    if (context == NULL)
        return cvg_fail(ret_why, CVG_ERR_NOMEM, "%s", cvg_strerror(CVG_ERR_NOMEM));
    OSSL_LIB_CTX_load_config(context, path); /* lines of others may fail, and programs go on */
    loaded = OSSL_PROVIDER_available(context, CVG_PROVIDER_NAME) == 1;
    OSSL_LIB_CTX_free(context);
    ERR_clear_error();
    if (!loaded)
        return cvg_fail(ret_why, CVG_ERR_CONFIG, "OpenSSL did not load %.200s with %.200s", module,
                        path);
    return CVG_OK;
}

enum cvg_error cvg_program_conf(const struct cvg_paths *paths, char ret_path[static CVG_PATH_MAX],
                                struct cvg_why *ret_why)
{
    struct cvg_buffer in_use, block, text;
    char directory[CVG_PATH_MAX];
    char *path = NULL;
    const char *module = NULL;
    enum cvg_error err = cvg_module_path(&module, ret_why);

    cvg_buffer_init(&in_use, CVG_OPENSSL_CONF_MAX);
    cvg_buffer_init(&block, CVG_OPENSSL_CONF_MAX);
    cvg_buffer_init(&text, CVG_OPENSSL_CONF_MAX);
    if (err == CVG_OK)
        err = find_in_use(&path, &in_use, ret_why);
    if (err == CVG_OK)
        err = cvg_openssl_block(in_use.data != NULL ? (const char *)in_use.data : "", in_use.len,
                                path, module, &block, ret_why);
    if (err == CVG_OK)
        err = compose(path, &block, &text, ret_why);
    if (err == CVG_OK)
        err = find_directory(paths, directory, ret_why);
    if (err == CVG_OK)
        err = store(directory, &text, ret_path, ret_why);
    if (err == CVG_OK)
        err = check_loads(ret_path, module, ret_why);
    free(path);
    cvg_buffer_free(&in_use);
    cvg_buffer_free(&block);
    cvg_buffer_free(&text);
    return err;
}
