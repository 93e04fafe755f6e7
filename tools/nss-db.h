/* SPDX-License-Identifier: MIT */
/* An NSS database on the disk: its list of modules, with and without ours. */
#ifndef CVG_TOOLS_NSS_DB_H
#define CVG_TOOLS_NSS_DB_H

#include "tools/edit-file.h"
#include "tools/pkcs11-conf.h"

struct cvg_nss_db {
    char directory[PATH_MAX];
    struct cvg_edit_file file;   /* pkcs11.txt as it is */
    struct cvg_buffer candidate; /* as it shall be */
    bool same;                   /* nothing has to be written */
    bool had;                    /* a module of ours was there */
    char name[64];               /* under which it was, or will be; else "" */
    char old_library[PATH_MAX];  /* where it was, if that is not the module of today; else "" */
};

/* Opens DIR or sql:DIR. NOT_FOUND: there is no database (the sentence says so); ARGUMENT: one of
 * another kind; OWNER: root was asked to write where another user could redirect it. */
CVG_MUST_USE enum cvg_error cvg_nss_db_open(const char *dbdir, struct cvg_nss_db *ret_db,
                                            struct cvg_why *ret_why);
void cvg_nss_db_close(struct cvg_nss_db *db);

/* Compute the candidate; nothing is written. */
CVG_MUST_USE enum cvg_error cvg_nss_db_add(struct cvg_nss_db *db, const char *module,
                                           struct cvg_why *ret_why);
CVG_MUST_USE enum cvg_error cvg_nss_db_remove(struct cvg_nss_db *db, struct cvg_why *ret_why);

/* Writes the candidate, if it is another text. The list as it was is kept beside it while our
 * module is in it. */
CVG_MUST_USE enum cvg_error cvg_nss_db_write(const struct cvg_nss_db *db, struct cvg_why *ret_why);

/* DIR without "sql:"; ARGUMENT for the kinds that are not supported. */
CVG_MUST_USE enum cvg_error cvg_nss_db_directory(const char *dbdir, const char **ret_directory,
                                                 struct cvg_why *ret_why);

/* Where libconverge-nss.so should be: CONVERGE_NSS_MODULE, else the installed one; and the same, if
 * it is there and NSS can be told of it. */
const char *cvg_nss_module_wish(void);
CVG_MUST_USE enum cvg_error cvg_nss_module_path(const char **ret_path, struct cvg_why *ret_why);

/* Whether a library of a list of modules is ours: by its name, wherever it is, or because it is the
 * module's file. */
bool cvg_nss_module_is_ours(const char *library, const char *module);

#endif
