/* SPDX-License-Identifier: MIT */
/* What the system tells an application of Mozilla's for all its users: its policies.json, and a
 * file of preferences that locks what no policy may. */
#ifndef CVG_TOOLS_MOZILLA_SYSTEM_H
#define CVG_TOOLS_MOZILLA_SYSTEM_H

#include <limits.h>
#include <stdbool.h>

#include "common/base/error.h"
#include "tools/mozilla-apps.h"

struct cvg_mozilla_system {
    char file[PATH_MAX]; /* the (last) policies.json concerned */
    bool changed;        /* something was written */
};

/* Writes what is missing, after `ready` said that it may be: a function that tries the module.
 * Nothing is written if it fails. */
typedef enum cvg_error cvg_mozilla_ready_fn(void *context, struct cvg_why *ret_why);
CVG_MUST_USE enum cvg_error cvg_mozilla_system_enable(const struct cvg_mozilla_app *app,
                                                      const char *module,
                                                      cvg_mozilla_ready_fn *ready, void *context,
                                                      struct cvg_mozilla_system *ret_system,
                                                      struct cvg_why *ret_why);
CVG_MUST_USE enum cvg_error cvg_mozilla_system_disable(const struct cvg_mozilla_app *app,
                                                       const char *module,
                                                       struct cvg_mozilla_system *ret_system,
                                                       struct cvg_why *ret_why);

/* What every installation of the application is told now: our module; HTTP/3 off and locked; the
 * PKCS#11 utility process off and locked. Without an installation: what one would be told. */
struct cvg_mozilla_told {
    bool module, http3, utility;
    char gone[PATH_MAX]; /* where our module should be, if there is no file; else "" */
};
struct cvg_mozilla_told cvg_mozilla_system_look(const struct cvg_mozilla_app *app,
                                                const char *module);

#endif
