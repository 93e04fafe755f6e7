/* SPDX-License-Identifier: MIT */
/* Trying a list of modules before it is written, and making a database, both with an NSS that is on
 * this machine. */
#ifndef CVG_TOOLS_NSS_TRY_H
#define CVG_TOOLS_NSS_TRY_H

#include "tools/canary.h"
#include "tools/mozilla-apps.h"
#include "tools/nss-db.h"

/* A canary opens a copy of the database with the candidate in it. app: whose NSS comes first, NULL
 * for the system's. NOT_FOUND: no NSS is here, or none can open the database. */
CVG_MUST_USE enum cvg_error cvg_nss_try(const struct cvg_nss_db *db,
                                        const struct cvg_mozilla_app *app,
                                        struct cvg_canary *ret_canary, struct cvg_why *ret_why);

/* Makes an empty database (and its directory) without a password: a user's own for that user alone,
 * one that root makes outside of root's home for everyone to read. */
CVG_MUST_USE enum cvg_error cvg_nss_db_create(const char *dbdir, struct cvg_why *ret_why);

#endif
