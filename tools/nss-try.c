/* SPDX-License-Identifier: MIT */
/* Prepares what the canary opens, and finds an NSS for it. */
#include "tools/nss-try.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "tools/child.h"
#include "tools/root-path.h"

static const char *const database_files[] = {"cert9.db", "key4.db"};
#define DATABASE_FILES (sizeof database_files / sizeof database_files[0])

/* The index'th NSS that may be here: "" for the system's, else a directory; NULL behind the last.
 */
static const char *nss_directory(const struct cvg_mozilla_app *app, size_t index)
{
    if (app != NULL) {
        const char *own = cvg_mozilla_directory(app, index);

        if (own != NULL || cvg_mozilla_directory(app, 0) != NULL)
            return own;
    }
    if (index-- == 0)
        return "";
    for (size_t i = 0; i < CVG_MOZILLA_COUNT; i++) {
        const char *directory = cvg_mozilla_directory(&cvg_mozilla_apps[i], 0);

        if (directory != NULL && index-- == 0)
            return directory;
    }
    return NULL;
}

static enum cvg_error make_copy(const struct cvg_nss_db *db, char *directory,
                                struct cvg_why *ret_why)
{
    char path[PATH_MAX], original[PATH_MAX + 32];
    enum cvg_error err;

    if (mkdtemp(directory) == NULL)
        return cvg_fail(ret_why, CVG_ERR_IO, "cannot make %s: %s", directory,
                        strerrordesc_np(errno));
    snprintf(path, sizeof path, "%s/pkcs11.txt", directory);
    err = cvg_file_replace(path, db->candidate.data, db->candidate.len, 0600, ret_why);
    for (size_t i = 0; err == CVG_OK && i < DATABASE_FILES; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, database_files[i]);
        snprintf(original, sizeof original, "%s/%s", db->directory, database_files[i]);
        if (access(original, F_OK) == 0 && symlink(original, path) != 0)
            err = cvg_fail(ret_why, CVG_ERR_IO, "cannot make %s: %s", path, strerrordesc_np(errno));
    }
    return err;
}

static void remove_copy(const char *directory)
{
    char path[PATH_MAX];

    for (size_t i = 0; i < DATABASE_FILES; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, database_files[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/pkcs11.txt", directory);
    unlink(path);
    rmdir(directory);
}

/* Root loads no NSS that another user can change. */
static enum cvg_error run_canary(const char *nss, const char *directory,
                                 struct cvg_canary *ret_canary, struct cvg_why *ret_why)
{
    struct cvg_why why = {""};

    if (nss[0] != '\0' && cvg_root_path_check(nss, &why) != CVG_OK)
        return cvg_fail(ret_why, CVG_ERR_OWNER, "nothing was changed: %.400s", why.text);
    return cvg_canary_run_nss(nss, directory, ret_canary, ret_why);
}

/* Every NSS that will open it must be watched, where an application has several; else the first. */
static enum cvg_error run_canaries(const struct cvg_mozilla_app *app, const char *directory,
                                   struct cvg_canary *ret_canary, struct cvg_why *ret_why)
{
    enum cvg_error err = CVG_ERR_NOT_FOUND;
    const char *nss;

    for (size_t i = 0; (nss = nss_directory(app, i)) != NULL; i++) {
        enum cvg_error next = run_canary(nss, directory, ret_canary, ret_why);

        if (next == CVG_ERR_NOT_FOUND)
            continue;
        err = next;
        if (err != CVG_OK || !cvg_canary_good(ret_canary) || app == NULL)
            break;
    }
    if (err == CVG_ERR_NOT_FOUND)
        cvg_fail(ret_why, err,
                 "no NSS on this machine (libnss3, Firefox, Thunderbird) can open the database: "
                 "the module cannot be tried");
    return err;
}

enum cvg_error cvg_nss_try(const struct cvg_nss_db *db, const struct cvg_mozilla_app *app,
                           struct cvg_canary *ret_canary, struct cvg_why *ret_why)
{
    char directory[] = "/tmp/converge-nss-XXXXXX";
    enum cvg_error err = make_copy(db, directory, ret_why);

    if (err == CVG_OK)
        err = run_canaries(app, directory, ret_canary, ret_why);
    remove_copy(directory);
    return err;
}

/* Waits for the child's end. */
static void run_creator(const char *nss, const char *directory)
{
    char program[] = "converge", verb[] = "canary", create[] = "create", from[PATH_MAX],
         database[PATH_MAX], octet;
    char *arguments[] = {program, verb, create, from, database, NULL};
    struct cvg_child child = {.pid = -1, .output = -1};

    snprintf(from, sizeof from, "%s", nss);
    snprintf(database, sizeof database, "%s", directory);
    if (cvg_child_start("/proc/self/exe", arguments, NULL, NULL, &child, NULL) != CVG_OK)
        return;
    while (read(child.output, &octet, 1) > 0)
        ;
    cvg_child_end(&child);
}

static bool for_everyone(const char *directory)
{
    const char *home = secure_getenv("HOME");
    size_t len = home != NULL ? strlen(home) : 0;

    return geteuid() == 0 &&
           (len < 2 || strncmp(directory, home, len) != 0 || directory[len] != '/');
}

static bool complete(const char *directory, bool everyone)
{
    static const char *const names[] = {"cert9.db", "key4.db", "pkcs11.txt"};
    char path[PATH_MAX + 32];
    bool fine = true;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        fine = fine && access(path, F_OK) == 0 && (!everyone || chmod(path, 0644) == 0);
    }
    return fine;
}

enum cvg_error cvg_nss_db_create(const char *dbdir, struct cvg_why *ret_why)
{
    const char *directory = NULL, *nss;
    enum cvg_error err = cvg_nss_db_directory(dbdir, &directory, ret_why);
    bool everyone;

    if (err != CVG_OK)
        return err;
    everyone = for_everyone(directory);
    err = cvg_root_path_check(directory, ret_why);
    if (err == CVG_OK)
        err = cvg_directory_make(directory, geteuid(), everyone ? 0755 : 0700, ret_why);
    if (err != CVG_OK)
        return err;
    for (size_t i = 0; (nss = nss_directory(NULL, i)) != NULL; i++) {
        run_creator(nss, directory);
        if (complete(directory, everyone))
            return CVG_OK;
    }
    rmdir(directory);
    return cvg_fail(ret_why, CVG_ERR_NOT_FOUND,
                    "%.300s: no NSS on this machine (libnss3) makes a database there", directory);
}
