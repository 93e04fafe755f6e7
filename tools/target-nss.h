/* SPDX-License-Identifier: MIT */
/* The parts of the nss target: one database, all of a user's, all users of an application. Each
 * returns the exit code. */
#ifndef CVG_TOOLS_TARGET_NSS_H
#define CVG_TOOLS_TARGET_NSS_H

#include "tools/nss-change.h"
#include "tools/standby.h"

struct cvg_nss_job {
    const struct cvg_target_options *options;
    struct cvg_standby standby; /* to enable */
    const char *module;         /* where it is; to disable: where it should be */
    bool *ret_any;              /* to enable: set once a database has the module */
    bool enabling;
};

int cvg_nss_run_database(const struct cvg_nss_job *job, const char *dbdir);
int cvg_nss_run_profiles(const struct cvg_nss_job *job);
int cvg_nss_run_system(const struct cvg_nss_job *job, const struct cvg_mozilla_app *app);

/* app: whose profile it is, if it is one. */
void cvg_nss_change(const struct cvg_nss_job *job, const char *dbdir,
                    const struct cvg_mozilla_app *app, struct cvg_nss_outcome *ret_outcome);

/* REFUSED for what was done but does not protect: a script must not take it for enough. */
int cvg_nss_code(const struct cvg_nss_job *job, int code, bool is_protected);

void cvg_nss_say_restart(void);

#endif
