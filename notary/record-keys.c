/* SPDX-License-Identifier: MIT */
/* Three sets of keys: our own, the bundle's, and those that a rotation left beside our own. */
#include "notary/record-keys.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/config.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/protocol/bundle.h"

#define KEY_FILE_MAX 65536
#define OLD          ".old-" /* as rotate-files.c names them */

struct cvg_record_keys {
    struct cvg_signing_key *own;       /* NULL: only to be taken by others */
    struct cvg_verify_key *own_public; /* NULL with it */
    struct cvg_bundle *bundle;         /* NULL: none */
    struct cvg_verify_key *former[CVG_RECORD_FORMER_MAX];
    size_t former_count;
};

static enum cvg_error public_of(const struct cvg_signing_key *key, struct cvg_verify_key **ret_key,
                                struct cvg_why *why)
{
    struct cvg_buffer der;
    cvg_buffer_init(&der, 4096);
    enum cvg_error err = cvg_signing_key_public(key, &der);
    if (err == CVG_OK)
        err = cvg_verify_key_parse(der.data, der.len, ret_key, why);
    cvg_buffer_free(&der);
    return err;
}

/* The public half of the private key in the file. */
static enum cvg_error read_public(const char *path, struct cvg_verify_key **ret_key,
                                  struct cvg_why *why)
{
    struct cvg_buffer pem = {0};
    struct cvg_why detail = {.text = ""};
    struct cvg_signing_key *key = NULL;
    enum cvg_error err = cvg_file_read(path, geteuid(), KEY_FILE_MAX, false, &pem, why);
    if (err == CVG_OK) {
        err = cvg_signing_key_parse((const char *)pem.data, pem.len, &key, &detail);
        if (err != CVG_OK)
            err = cvg_fail(why, err, "%s: %.200s", path, detail.text);
    }
    if (err == CVG_OK)
        err = public_of(key, ret_key, why);
    cvg_signing_key_free(key);
    if (pem.data != NULL)
        OPENSSL_cleanse(pem.data, pem.len);
    cvg_buffer_free(&pem);
    return err;
}

/* The highest serials, falling. */
struct serials {
    uint64_t serial[CVG_RECORD_FORMER_MAX];
    size_t count;
};

static void note(struct serials *serials, uint64_t serial)
{
    size_t at = serials->count;
    if (at == CVG_RECORD_FORMER_MAX && serials->serial[--at] >= serial)
        return;
    for (; at > 0 && serials->serial[at - 1] < serial; at--)
        serials->serial[at] = serials->serial[at - 1];
    serials->serial[at] = serial;
    if (serials->count < CVG_RECORD_FORMER_MAX)
        serials->count++;
}

/* The serial of a file that is called BASE.old-SERIAL, exactly as a rotation calls it. */
static bool serial_of(const char *name, const char *base, uint64_t *ret_serial)
{
    char again[CVG_PATH_MAX + 32];
    size_t len = strlen(base);
    if (strncmp(name, base, len) != 0 || strncmp(name + len, OLD, sizeof(OLD) - 1) != 0)
        return false;
    uint64_t serial = strtoull(name + len + sizeof(OLD) - 1, NULL, 10);
    snprintf(again, sizeof(again), "%s" OLD "%" PRIu64, base, serial);
    if (strcmp(again, name) != 0)
        return false;
    *ret_serial = serial;
    return true;
}

static enum cvg_error list_former(const char *path, struct serials *ret_serials,
                                  struct cvg_why *why)
{
    char directory[CVG_PATH_MAX];
    const char *slash = strrchr(path, '/');
    snprintf(directory, sizeof(directory), "%.*s", slash == NULL ? 1 : (int)(slash - path) + 1,
             slash == NULL ? "." : path);
    DIR *entries = opendir(directory);
    if (entries == NULL)
        return cvg_fail(why, errno == ENOMEM ? CVG_ERR_NOMEM : CVG_ERR_IO, "%s: %s", directory,
                        strerror(errno));
    const struct dirent *entry = NULL;
    uint64_t serial = 0;
    while ((entry = readdir(entries)) != NULL)
        if (serial_of(entry->d_name, slash == NULL ? path : slash + 1, &serial))
            note(ret_serials, serial);
    closedir(entries);
    return CVG_OK;
}

/* A directory that may be passed but not read is no reason not to start. */
static enum cvg_error read_former(struct cvg_record_keys *keys, const char *path)
{
    struct serials serials = {.count = 0};
    struct cvg_why why = {.text = ""};
    char file[CVG_PATH_MAX + 32];
    enum cvg_error err = list_former(path, &serials, &why);
    if (err != CVG_OK)
        cvg_log(CVG_LOG_WARNING, "former signing keys are not believed: %s", why.text);
    for (size_t i = 0; i < serials.count && err != CVG_ERR_NOMEM; i++) {
        snprintf(file, sizeof(file), "%s" OLD "%" PRIu64, path, serials.serial[i]);
        err = read_public(file, &keys->former[keys->former_count], &why);
        if (err == CVG_OK)
            keys->former_count++;
        else
            cvg_log(CVG_LOG_WARNING, "records that a former key signed are not believed: %s",
                    why.text);
    }
    return err == CVG_ERR_NOMEM ? err : CVG_OK;
}

enum cvg_error cvg_record_keys_new(const struct cvg_record_sources *sources,
                                   struct cvg_record_keys **ret_keys, struct cvg_why *ret_why)
{
    struct cvg_record_keys *keys = calloc(1, sizeof(*keys));
    enum cvg_error err = keys == NULL ? CVG_ERR_NOMEM : CVG_OK;
    if (err == CVG_OK && sources->key != NULL) {
        err = cvg_signing_key_copy(sources->key, &keys->own);
        if (err == CVG_OK)
            err = public_of(keys->own, &keys->own_public, ret_why);
        if (err == CVG_OK)
            err = read_former(keys, sources->path);
    }
    if (err == CVG_OK && sources->bundle_len > 0)
        err = cvg_bundle_parse(sources->bundle, sources->bundle_len, &keys->bundle, ret_why);
    if (err != CVG_OK) {
        cvg_record_keys_free(keys);
        return err;
    }
    *ret_keys = keys;
    return CVG_OK;
}

static void free_private(struct cvg_record_keys *keys)
{
    cvg_signing_key_free(keys->own);
    cvg_verify_key_free(keys->own_public);
    for (size_t i = 0; i < keys->former_count; i++)
        cvg_verify_key_free(keys->former[i]);
}

void cvg_record_keys_free(struct cvg_record_keys *keys)
{
    if (keys == NULL)
        return;
    free_private(keys);
    cvg_bundle_free(keys->bundle);
    free(keys);
}

void cvg_record_keys_take(struct cvg_record_keys *keys, struct cvg_record_keys *newer)
{
    struct cvg_bundle *bundle = keys->bundle;
    if (newer->own != NULL) {
        free_private(keys);
        *keys = *newer;
    }
    keys->bundle = newer->bundle;
    cvg_bundle_free(bundle);
    free(newer);
}

enum cvg_error cvg_record_keys_sign(struct cvg_record_keys *keys, const void *data, size_t len,
                                    struct cvg_buffer *ret_signature)
{
    return cvg_sign(keys->own, data, len, ret_signature);
}

enum cvg_error cvg_record_keys_verify(const struct cvg_record_keys *keys, const void *data,
                                      size_t len, const uint8_t *signature, size_t signature_len)
{
    enum cvg_error err = cvg_verify(keys->own_public, data, len, signature, signature_len);
    size_t count = keys->bundle == NULL ? 0 : keys->bundle->key_count;
    for (size_t i = 0; i < count && err == CVG_ERR_SIGNATURE; i++)
        err = cvg_verify(keys->bundle->key[i], data, len, signature, signature_len);
    for (size_t i = 0; i < keys->former_count && err == CVG_ERR_SIGNATURE; i++)
        err = cvg_verify(keys->former[i], data, len, signature, signature_len);
    return err;
}
