/* SPDX-License-Identifier: MIT */
/* One NSS database: is our module listed there, once and in its place, and does it work? */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/canary.h"
#include "tools/doctor.h"
#include "tools/nss-db.h"
#include "tools/pkcs11-conf.h"
#include "tools/plain-file.h"
#include "tools/root-path.h"

/* What a list of modules says of ours. */
struct listed {
    size_t count;
    bool proxy;             /* p11-kit's, which may bring us along */
    char library[PATH_MAX]; /* the first */
    char other[PATH_MAX];   /* another copy; else "" */
    char gone[PATH_MAX];    /* one that is no file any more; else "" */
};

static void take(const char *library, struct listed *listed)
{
    listed->count++;
    if (listed->count == 1)
        snprintf(listed->library, sizeof listed->library, "%s", library);
    else if (strcmp(listed->library, library) != 0)
        snprintf(listed->other, sizeof listed->other, "%s", library);
    if (library[0] == '/' && access(library, R_OK) != 0)
        snprintf(listed->gone, sizeof listed->gone, "%s", library);
}

/* NOT_FOUND: there is no list, so no database either. */
static enum cvg_error read_list(const char *database, const char *module, struct listed *ret_listed,
                                struct cvg_why *ret_why)
{
    struct cvg_pkcs11_block block;
    struct cvg_buffer text;
    char path[PATH_MAX];
    size_t offset = 0;
    enum cvg_error err;

    memset(ret_listed, 0, sizeof *ret_listed);
    if (snprintf(path, sizeof path, "%s/pkcs11.txt", database) >= (int)sizeof path)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "the path is too long");
    cvg_buffer_init(&text, CVG_PKCS11_CONF_MAX);
    err = cvg_plain_file_read(path, &text, ret_why);
    while (err == CVG_OK && cvg_pkcs11_next((const char *)text.data, text.len, &offset, &block))
        if (cvg_nss_module_is_ours(block.library, module))
            take(block.library, ret_listed);
        else if (strstr(block.library, "p11-kit-proxy") != NULL)
            ret_listed->proxy = true;
    cvg_buffer_free(&text);
    return err;
}

/* The canary loads every module of the list, and that application's NSS: root loads nothing that
 * another user chose. Who is root of a user namespace only, where even / is somebody's that is not
 * known there, is no other user's superior. */
static enum cvg_error may_try(const char *nss_directory, const char *database,
                              struct cvg_why *ret_why)
{
    char path[PATH_MAX];
    struct stat st;
    enum cvg_error err = CVG_OK;

    if (stat("/", &st) != 0 || st.st_uid != 0)
        return CVG_OK;
    if (snprintf(path, sizeof path, "%s/pkcs11.txt", database) >= (int)sizeof path)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "the path is too long");
    if (nss_directory[0] != '\0')
        err = cvg_root_path_check(nss_directory, ret_why);
    return err == CVG_OK ? cvg_root_path_check(path, ret_why) : err;
}

/* What only p11-kit lists is seen in its effect: it has its own rules for whom it gives what. */
static bool comes_by_proxy(const char *nss_directory, const char *database,
                           const struct listed *listed, struct cvg_doctor_finding *finding)
{
    struct cvg_canary canary = {.loaded = false};

    if (!listed->proxy || listed->count > 0 || may_try(nss_directory, database, NULL) != CVG_OK ||
        cvg_canary_run_nss(nss_directory, database, &canary, NULL) != CVG_OK ||
        !cvg_canary_good(&canary))
        return false;
    cvg_doctor_set(finding, CVG_DOCTOR_GOOD,
                   "p11-kit's proxy brings the module: a canary handshake was watched");
    return true;
}

/* What does not work, and what to do about it. */
CVG_PRINTF(3, 4)
static void tell(struct cvg_doctor_finding *finding, const char *remedy, const char *fmt, ...)
{
    char text[CVG_DOCTOR_TEXT_MAX];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    cvg_doctor_set(finding, CVG_DOCTOR_BAD, "%s", text);
    cvg_doctor_remedy(finding, "%s", remedy);
}

static void try_it(const char *nss_directory, const char *database,
                   struct cvg_doctor_finding *finding)
{
    struct cvg_canary canary = {.loaded = false};
    struct cvg_why why = {""};

    if (may_try(nss_directory, database, &why) != CVG_OK)
        tell(finding, "call converge doctor as the user whose database it is",
             "enabled, but not tried: %s", why.text);
    else if (cvg_canary_run_nss(nss_directory, database, &canary, &why) != CVG_OK)
        tell(finding, "see that the database is whole: certutil -L -d DIRECTORY", "%s", why.text);
    else if (!cvg_canary_good(&canary))
        tell(finding, "converge disable nss, then converge enable nss, for this database",
             "enabled, but: %s", canary.text);
    else
        cvg_doctor_set(finding, CVG_DOCTOR_GOOD, "%s",
                       canary.obeys ? "a canary handshake was watched, refused and accepted as told"
                                    : "loaded and watching (lock = yes leaves no room for more)");
}

void cvg_doctor_database(const char *nss_directory, const char *database, bool *ret_listed,
                         struct cvg_doctor_finding *ret_finding)
{
    struct listed listed;
    struct cvg_why why = {""};
    const char *module = "";
    enum cvg_error err;

    if (cvg_nss_module_path(&module, NULL) != CVG_OK)
        module = "";
    err = read_list(database, module, &listed, &why);
    *ret_listed = err == CVG_OK && (listed.count > 0 ||
                                    comes_by_proxy(nss_directory, database, &listed, ret_finding));
    if (*ret_listed && listed.count == 0)
        return;
    if (err == CVG_ERR_NOT_FOUND)
        cvg_doctor_set(ret_finding, CVG_DOCTOR_WARNING, "there is no list of modules here");
    else if (err != CVG_OK)
        cvg_doctor_set(ret_finding, CVG_DOCTOR_BAD, "%s", why.text);
    else if (listed.count == 0)
        cvg_doctor_set(ret_finding, CVG_DOCTOR_WARNING, "not enabled");
    else if (listed.gone[0] != '\0')
        cvg_doctor_set(ret_finding, CVG_DOCTOR_BAD, "enabled, but %.500s is gone", listed.gone);
    else if (listed.other[0] != '\0')
        cvg_doctor_set(ret_finding, CVG_DOCTOR_BAD,
                       "two copies of the module are listed, %.250s and %.250s", listed.library,
                       listed.other);
    else
        try_it(nss_directory, database, ret_finding);
    if (ret_finding->state == CVG_DOCTOR_GOOD && listed.count > 1)
        cvg_doctor_set(ret_finding, CVG_DOCTOR_WARNING, "it works, but is listed %zu times",
                       listed.count);
    if (ret_finding->remedy[0] == '\0' && ret_finding->state != CVG_DOCTOR_GOOD)
        cvg_doctor_remedy(ret_finding,
                          listed.other[0] != '\0' ? "converge disable nss %s; then enable it again"
                                                  : "converge enable nss %s",
                          database);
}
