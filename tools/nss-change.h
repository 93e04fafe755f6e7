/* SPDX-License-Identifier: MIT */
/* One database enabled or disabled, with what belongs to it where it is a profile, and what came of
 * it. */
#ifndef CVG_TOOLS_NSS_CHANGE_H
#define CVG_TOOLS_NSS_CHANGE_H

#include <limits.h>
#include <stdbool.h>

#include "tools/mozilla-profiles.h"
#include "tools/targets.h"

/* HTTP/3 has TLS of its own, which no module of NSS's sees. */
enum cvg_http3 { CVG_HTTP3_NONE = 0, CVG_HTTP3_OFF, CVG_HTTP3_LOCKED };

struct cvg_nss_outcome {
    char database[PATH_MAX];
    char file[PATH_MAX];
    char profile[128];          /* its name; "" for a database that is no profile's */
    const char *application;    /* whose profile; NULL for a database that is none */
    const char *confined;       /* "snap" or "flatpak": left alone */
    char name[64];              /* of the module in the list */
    char old_library[PATH_MAX]; /* where the module was before; else "" */
    bool enabled;               /* whether it is, now */
    bool changed;
    bool tried, watching, handshake;
    bool returns;         /* disabled, but the system tells the application to add it again */
    enum cvg_http3 http3; /* of Firefox and Thunderbird */
    int code;             /* CVG_EXIT_OK, or a fault's */
    struct cvg_why why;   /* a fault's sentence */
};

/* Fills in *ret_outcome, whatever happens. app: whose profile it is, if it is one. */
void cvg_nss_enable(const char *dbdir, const struct cvg_mozilla_app *app, const char *module,
                    const struct cvg_target_options *options, struct cvg_nss_outcome *ret_outcome);
void cvg_nss_disable(const char *dbdir, const struct cvg_mozilla_app *app,
                     struct cvg_nss_outcome *ret_outcome);

/* Whether every connection of the program is checked, as far as this database and what the system
 * tells the program decide. */
bool cvg_nss_is_protected(const struct cvg_nss_outcome *outcome);

/* For programs (a new reference), and for people. */
json_t *cvg_nss_outcome_json(const struct cvg_nss_outcome *outcome, bool enabling);
void cvg_nss_outcome_print(const struct cvg_nss_outcome *outcome, bool enabling);

#endif
