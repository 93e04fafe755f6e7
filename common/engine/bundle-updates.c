/* SPDX-License-Identifier: MIT */
/* Accepted updates of bundles. Every start verifies the whole chain again from the administrator's
 * bundle on, so that the directory they are kept in need not be trusted. */
#include "common/engine/bundle-updates.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/log.h"

#define ENDING          ".notary"
#define SERIAL_MAX      16  /* digits of 2^53 */
#define KEPT_MAX        256 /* updates of one notary that are looked at */
#define UPDATE_PATH_MAX (CVG_PATH_MAX + sizeof "/bundles/" + CVG_MESSAGE_NAME_MAX + SERIAL_MAX + 16)

struct kept {
    uint64_t serial[KEPT_MAX]; /* rising */
    size_t count;
};

static void path_of(const struct cvg_paths *paths, const char *name, uint64_t serial,
                    char ret_path[static UPDATE_PATH_MAX])
{
    snprintf(ret_path, UPDATE_PATH_MAX, "%s/bundles/%s.%llu" ENDING, paths->state_dir, name,
             (unsigned long long)serial);
}

/* The serial in a file's name, or 0 if it is no update of that notary. */
static uint64_t serial_of(const char *file, const char *name)
{
    size_t len = strlen(name), digits;

    if (strncmp(file, name, len) != 0 || file[len] != '.')
        return 0;
    file += len + 1;
    digits = strspn(file, "0123456789");
    if (digits == 0 || digits > SERIAL_MAX || file[0] == '0' || strcmp(file + digits, ENDING) != 0)
        return 0;
    return strtoull(file, NULL, 10);
}

static int by_serial(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static enum cvg_error list(const struct cvg_paths *paths, const char *name, struct kept *ret_kept,
                           struct cvg_why *why)
{
    char directory[CVG_PATH_MAX + sizeof "/bundles"];
    const struct dirent *entry;
    DIR *stream;

    ret_kept->count = 0;
    snprintf(directory, sizeof directory, "%s/bundles", paths->state_dir);
    stream = opendir(directory);
    if (stream == NULL && (errno == ENOENT || errno == ENOTDIR))
        return CVG_OK;
    if (stream == NULL)
        return cvg_fail(why, CVG_ERR_IO, "%s: %s", directory, strerrordesc_np(errno));
    while (ret_kept->count < KEPT_MAX && (entry = readdir(stream)) != NULL) {
        uint64_t serial = serial_of(entry->d_name, name);

        if (serial != 0)
            ret_kept->serial[ret_kept->count++] = serial;
    }
    closedir(stream);
    qsort(ret_kept->serial, ret_kept->count, sizeof ret_kept->serial[0], by_serial);
    return CVG_OK;
}

static enum cvg_error read_update(const struct cvg_paths *paths, const struct cvg_bundle *old,
                                  uint64_t serial, struct cvg_bundle **ret_bundle,
                                  struct cvg_why *why)
{
    char path[UPDATE_PATH_MAX];
    struct cvg_buffer data;
    struct cvg_why inner = {""};
    enum cvg_error err;

    path_of(paths, old->name, serial, path);
    err = cvg_file_read(path, paths->owner, CVG_BUNDLE_MAX, true, &data, why);
    if (err != CVG_OK)
        return err;
    err = cvg_bundle_update(old, (const char *)data.data, data.len, ret_bundle, &inner);
    cvg_buffer_free(&data);
    return err == CVG_OK ? CVG_OK : cvg_fail(why, err, "%s: %s", path, inner.text);
}

/* Removes what came before the last update, if that stands on the administrator's bundle alone. */
static void remove_older(const struct cvg_paths *paths, const struct cvg_bundle *configured,
                         uint64_t last, const struct kept *kept)
{
    struct cvg_bundle *again = NULL;
    char path[UPDATE_PATH_MAX];
    bool alone =
        last == configured->serial || read_update(paths, configured, last, &again, NULL) == CVG_OK;

    cvg_bundle_free(again);
    for (size_t i = 0; i < kept->count; i++) {
        if (kept->serial[i] > configured->serial && (!alone || kept->serial[i] >= last))
            continue;
        path_of(paths, configured->name, kept->serial[i], path);
        unlink(path);
    }
}

/* Whether the fault is of the moment, and says nothing about the update. */
static bool is_passing(enum cvg_error err)
{
    return err == CVG_ERR_NOMEM || err == CVG_ERR_IO || err == CVG_ERR_CRYPTO;
}

/* Puts one update on the bundle that is in force: *updated, or the administrator's if NULL. */
static enum cvg_error put_one(const struct cvg_paths *paths, const struct cvg_bundle *configured,
                              struct cvg_bundle **updated, uint64_t serial, struct cvg_why *why)
{
    struct cvg_bundle *next = NULL;
    enum cvg_error err =
        read_update(paths, *updated != NULL ? *updated : configured, serial, &next, why);

    if (is_passing(err))
        return err;
    if (err != CVG_OK) {
        cvg_log(CVG_LOG_WARNING, "%s; this update is left aside", why->text);
        return CVG_OK;
    }
    cvg_bundle_free(*updated);
    *updated = next;
    return CVG_OK;
}

enum cvg_error cvg_bundle_updated(const struct cvg_paths *paths,
                                  const struct cvg_bundle *configured,
                                  struct cvg_bundle **ret_updated, struct cvg_why *ret_why)
{
    struct cvg_bundle *updated = NULL;
    struct cvg_why why = {""};
    struct kept kept = {.count = 0};
    enum cvg_error err = CVG_OK;

    if (configured->version == 2)
        err = list(paths, configured->name, &kept, &why);
    for (size_t i = 0; err == CVG_OK && i < kept.count; i++)
        if (kept.serial[i] > configured->serial)
            err = put_one(paths, configured, &updated, kept.serial[i], &why);
    if (err != CVG_OK) {
        cvg_bundle_free(updated);
        return cvg_fail(ret_why, err, "%s", why.text);
    }
    remove_older(paths, configured, updated != NULL ? updated->serial : configured->serial, &kept);
    *ret_updated = updated;
    return CVG_OK;
}

enum cvg_error cvg_bundle_accept(const struct cvg_paths *paths, const struct cvg_bundle *old,
                                 const char *json, size_t len, struct cvg_bundle **ret_bundle,
                                 struct cvg_why *ret_why)
{
    char directory[CVG_PATH_MAX + sizeof "/bundles"], path[UPDATE_PATH_MAX];
    struct cvg_bundle *bundle = NULL;
    enum cvg_error err = cvg_bundle_update(old, json, len, &bundle, ret_why);

    if (err != CVG_OK)
        return err;
    snprintf(directory, sizeof directory, "%s/bundles", paths->state_dir);
    path_of(paths, bundle->name, bundle->serial, path);
    err = cvg_directory_make(directory, paths->owner, 0700, ret_why);
    if (err == CVG_OK)
        err = cvg_file_replace(path, json, len, 0600, ret_why);
    if (err == CVG_OK)
        *ret_bundle = bundle;
    else
        cvg_bundle_free(bundle);
    return err;
}

bool cvg_bundle_updates_itself(const struct cvg_bundle *bundle)
{
    return bundle->key_count > 0 && bundle->location[0] != '\0';
}

static void looked_path(const struct cvg_paths *paths, const struct cvg_bundle *bundle,
                        char ret_path[static UPDATE_PATH_MAX])
{
    snprintf(ret_path, UPDATE_PATH_MAX, "%s/bundles/%s.looked", paths->state_dir, bundle->name);
}

void cvg_bundle_note_look(const struct cvg_paths *paths, const struct cvg_bundle *bundle)
{
    char directory[CVG_PATH_MAX + sizeof "/bundles"], path[UPDATE_PATH_MAX];
    struct cvg_why why = {""};
    enum cvg_error err;

    snprintf(directory, sizeof directory, "%s/bundles", paths->state_dir);
    looked_path(paths, bundle, path);
    err = cvg_directory_make(directory, paths->owner, 0700, &why);
    if (err == CVG_OK)
        err = cvg_file_replace(path, "\n", 1, 0600, &why);
    if (err != CVG_OK)
        cvg_log(CVG_LOG_INFO, "when notary %s was looked for is not noted: %s", bundle->name,
                why.text);
}

/* When the file was written, or 0. */
static int64_t written_s(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0 ? (int64_t)status.st_mtime : 0;
}

int64_t cvg_bundle_looked_s(const struct cvg_paths *paths, const struct cvg_bundle *bundle)
{
    char path[UPDATE_PATH_MAX];

    looked_path(paths, bundle, path);
    return cvg_bundle_updates_itself(bundle) ? written_s(path) : 0;
}

int64_t cvg_bundle_changed_s(const struct cvg_paths *paths, const struct cvg_bundle *bundle)
{
    char path[UPDATE_PATH_MAX];

    path_of(paths, bundle->name, bundle->serial, path);
    return cvg_bundle_updates_itself(bundle) ? written_s(path) : 0;
}
