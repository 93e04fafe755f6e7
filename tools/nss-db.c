/* SPDX-License-Identifier: MIT */
/* Finds a database's list of modules, decides what it shall be, and puts it there. */
#include "tools/nss-db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/root-path.h"

#define MODULE_FILE "libconverge-nss.so"
#define LIST_FILE   "pkcs11.txt"

enum cvg_error cvg_nss_db_directory(const char *dbdir, const char **ret_directory,
                                    struct cvg_why *ret_why)
{
    static const char *const others[] = {"dbm:", "extern:", "rdb:", "multiaccess:"};

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strncmp(dbdir, others[i], strlen(others[i])) == 0)
            return cvg_fail(ret_why, CVG_ERR_ARGUMENT,
                            "%.300s: not an SQL database; DIR or sql:DIR is allowed, and `certutil "
                            "-N -d sql:DIR` makes one",
                            dbdir);
    *ret_directory = strncmp(dbdir, "sql:", 4) == 0 ? dbdir + 4 : dbdir;
    return CVG_OK;
}

const char *cvg_nss_module_wish(void)
{
    const char *path = secure_getenv("CONVERGE_NSS_MODULE");

    return path != NULL ? path : CVG_PKCS11DIR "/" MODULE_FILE;
}

enum cvg_error cvg_nss_module_path(const char **ret_path, struct cvg_why *ret_why)
{
    const char *path = cvg_nss_module_wish();

    if (path[0] != '/' || strpbrk(path, "\n\r") != NULL || strlen(path) > CVG_PKCS11_LIBRARY_MAX)
        return cvg_fail(ret_why, CVG_ERR_CONFIG,
                        "CONVERGE_NSS_MODULE must be an absolute path of one line and at most %d "
                        "octets, not %.300s",
                        CVG_PKCS11_LIBRARY_MAX, path);
    if (access(path, R_OK) != 0)
        return cvg_fail(ret_why, CVG_ERR_NOT_FOUND, "cannot read the module %.300s: %s", path,
                        strerrordesc_np(errno));
    *ret_path = path;
    return CVG_OK;
}

static bool same_file(const char *one, const char *other)
{
    struct stat a, b;

    return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

bool cvg_nss_module_is_ours(const char *library, const char *module)
{
    const char *slash = strrchr(library, '/');

    if (strcmp(slash != NULL ? slash + 1 : library, MODULE_FILE) == 0)
        return true;
    return library[0] == '/' && (strcmp(library, module) == 0 || same_file(library, module));
}

static bool has(const char *directory, const char *name)
{
    char path[PATH_MAX + 32];

    snprintf(path, sizeof path, "%s/%s", directory, name);
    return access(path, F_OK) == 0;
}

static enum cvg_error open_directory(const char *dbdir, struct cvg_nss_db *db,
                                     struct cvg_why *ret_why)
{
    const char *directory = NULL;
    struct stat st;
    enum cvg_error err = cvg_nss_db_directory(dbdir, &directory, ret_why);

    if (err != CVG_OK)
        return err;
    if (realpath(directory, db->directory) == NULL || stat(db->directory, &st) != 0)
        return cvg_fail(ret_why, errno == ENOENT ? CVG_ERR_NOT_FOUND : CVG_ERR_IO,
                        "%.300s: no NSS database there: %s", directory, strerrordesc_np(errno));
    if (!S_ISDIR(st.st_mode))
        return cvg_fail(ret_why, CVG_ERR_ARGUMENT,
                        "%.300s: a database is named by its directory, this is a file",
                        db->directory);
    if (geteuid() == 0 && (st.st_mode & S_IWOTH) != 0)
        return cvg_fail(ret_why, CVG_ERR_OWNER,
                        "%.300s: everybody can put files and links there; root changes no database "
                        "in such a place",
                        db->directory);
    err = cvg_root_path_check(directory, ret_why);
    return err == CVG_OK ? cvg_root_path_check(db->directory, ret_why) : err;
}

/* NSS makes the list when somebody opens the database to write: it may be missing. */
static enum cvg_error begin_list(struct cvg_nss_db *db, const char *path, struct cvg_why *ret_why)
{
    char other[PATH_MAX + 32];
    struct stat st;

    snprintf(other, sizeof other, "%s/cert9.db", db->directory);
    if (stat(other, &st) == 0)
        return cvg_edit_file_new(path, st.st_mode & 07777, CVG_PKCS11_CONF_MAX, &db->file, ret_why);
    if (has(db->directory, "cert8.db") || has(db->directory, "secmod.db"))
        return cvg_fail(ret_why, CVG_ERR_ARGUMENT,
                        "%.300s: an old (dbm) database; only SQL ones are supported, and `certutil "
                        "-K -d sql:DIR` brings it up to date",
                        db->directory);
    return cvg_fail(ret_why, CVG_ERR_NOT_FOUND,
                    "%.300s: no NSS database there (no cert9.db, no pkcs11.txt)", db->directory);
}

static enum cvg_error open_list(struct cvg_nss_db *db, struct cvg_why *ret_why)
{
    char path[PATH_MAX + 32];
    enum cvg_error err;

    snprintf(path, sizeof path, "%s/" LIST_FILE, db->directory);
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return begin_list(db, path, ret_why);
    err = cvg_edit_file_read(path, CVG_PKCS11_CONF_MAX, &db->file, ret_why);
    if (err != CVG_OK)
        return err;
    err = cvg_root_path_check(path, ret_why);
    if (err != CVG_OK)
        cvg_edit_file_free(&db->file);
    return err;
}

enum cvg_error cvg_nss_db_open(const char *dbdir, struct cvg_nss_db *ret_db,
                               struct cvg_why *ret_why)
{
    enum cvg_error err;

    memset(ret_db, 0, sizeof *ret_db);
    err = open_directory(dbdir, ret_db, ret_why);
    if (err == CVG_OK)
        err = open_list(ret_db, ret_why);
    if (err == CVG_OK)
        cvg_buffer_init(&ret_db->candidate, CVG_PKCS11_CONF_MAX);
    return err;
}

void cvg_nss_db_close(struct cvg_nss_db *db)
{
    cvg_edit_file_free(&db->file);
    cvg_buffer_free(&db->candidate);
}

static bool is_ours(const char *library, const void *module)
{
    return cvg_nss_module_is_ours(library, module);
}

/* How often we are in a list, under which name and from where last. */
static unsigned find_ours(struct cvg_nss_db *db, const struct cvg_buffer *list, const char *module)
{
    struct cvg_pkcs11_block block;
    size_t offset = 0;
    unsigned count = 0;

    db->old_library[0] = '\0';
    while (cvg_pkcs11_next((const char *)list->data, list->len, &offset, &block)) {
        if (!is_ours(block.library, module))
            continue;
        count++;
        snprintf(db->name, sizeof db->name, "%.63s", block.name);
        snprintf(db->old_library, sizeof db->old_library, "%s", block.library);
    }
    return count;
}

static enum cvg_error strip(struct cvg_nss_db *db, const char *module)
{
    cvg_buffer_clear(&db->candidate);
    return cvg_pkcs11_without((const char *)db->file.text.data, db->file.text.len, is_ours, module,
                              &db->candidate);
}

static enum cvg_error say(enum cvg_error err, const struct cvg_nss_db *db, struct cvg_why *ret_why)
{
    return err == CVG_OK ? CVG_OK
                         : cvg_fail(ret_why, err, "%.400s: %s", db->file.path, cvg_strerror(err));
}

enum cvg_error cvg_nss_db_add(struct cvg_nss_db *db, const char *module, struct cvg_why *ret_why)
{
    unsigned count = find_ours(db, &db->file.text, module);
    char old[PATH_MAX];
    enum cvg_error err;

    db->had = count > 0;
    if (count == 1 && db->old_library[0] == '/' && same_file(db->old_library, module)) {
        db->old_library[0] = '\0';
        db->same = true;
        cvg_buffer_clear(&db->candidate);
        return say(cvg_buffer_put(&db->candidate, db->file.text.data, db->file.text.len), db,
                   ret_why);
    }
    snprintf(old, sizeof old, "%s", db->old_library);
    err = strip(db, module);
    if (err == CVG_OK && db->candidate.len == 0)
        err = cvg_pkcs11_begin(&db->candidate, db->directory);
    if (err == CVG_OK)
        err = cvg_pkcs11_add(&db->candidate, module);
    if (err != CVG_OK)
        return say(err, db, ret_why);
    find_ours(db, &db->candidate, module);
    snprintf(db->old_library, sizeof db->old_library, "%s", old);
    return CVG_OK;
}

/* Whether nobody else has changed the list since we did: then it is what was kept, to the octet. */
static bool only_ours_changed(struct cvg_nss_db *db, const struct cvg_buffer *kept,
                              const char *module)
{
    struct cvg_buffer added;
    bool same;

    cvg_buffer_init(&added, CVG_PKCS11_CONF_MAX);
    same = cvg_buffer_put(&added, kept->data, kept->len) == CVG_OK &&
           (kept->len > 0 || cvg_pkcs11_begin(&added, db->directory) == CVG_OK) &&
           cvg_pkcs11_add(&added, module) == CVG_OK && cvg_edit_same(&added, &db->file.text);
    cvg_buffer_free(&added);
    return same;
}

enum cvg_error cvg_nss_db_remove(struct cvg_nss_db *db, struct cvg_why *ret_why)
{
    const char *module = cvg_nss_module_wish();
    struct cvg_buffer kept;
    bool was_kept = cvg_edit_file_kept(&db->file, &kept);
    enum cvg_error err;

    db->had = find_ours(db, &db->file.text, module) > 0;
    db->same = !db->had;
    err = strip(db, module);
    if (err == CVG_OK && db->had && was_kept && only_ours_changed(db, &kept, db->old_library)) {
        cvg_buffer_clear(&db->candidate);
        err = cvg_buffer_put(&db->candidate, kept.data, kept.len);
    }
    cvg_buffer_free(&kept);
    return say(err, db, ret_why);
}

/* NSS would not write to it, either. */
static enum cvg_error check_writable(const struct cvg_nss_db *db, struct cvg_why *ret_why)
{
    if (!db->file.exists || (db->file.st.st_mode & 0222) != 0)
        return CVG_OK;
    return cvg_fail(ret_why, CVG_ERR_OWNER,
                    "%.400s is read-only (mode %04o); chmod u+w it, if it may be changed",
                    db->file.path, (unsigned)db->file.st.st_mode & 07777);
}

enum cvg_error cvg_nss_db_write(const struct cvg_nss_db *db, struct cvg_why *ret_why)
{
    enum cvg_error err;

    if (db->same)
        return CVG_OK;
    err = check_writable(db, ret_why);
    if (err == CVG_OK && !db->had && db->file.exists)
        err = cvg_edit_file_keep(&db->file, ret_why);
    if (err == CVG_OK)
        err = cvg_edit_file_replace(&db->file, &db->candidate, ret_why);
    if (err == CVG_OK && db->had)
        cvg_edit_file_drop_kept(&db->file, &db->candidate);
    return err;
}
