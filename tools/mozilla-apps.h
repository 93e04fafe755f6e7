/* SPDX-License-Identifier: MIT */
/* Firefox and Thunderbird on this machine: where each lies and what of the system's it reads. Both
 * bring an NSS of their own. */
#ifndef CVG_TOOLS_MOZILLA_APPS_H
#define CVG_TOOLS_MOZILLA_APPS_H

#include <stddef.h>

struct cvg_mozilla_app {
    const char *name;   /* "firefox", as in paths */
    const char *title;  /* "Firefox" */
    const char *system; /* what an administrator writes is below here, also for firefox-esr */
};

enum cvg_mozilla { CVG_FIREFOX, CVG_THUNDERBIRD, CVG_MOZILLA_COUNT };
extern const struct cvg_mozilla_app cvg_mozilla_apps[CVG_MOZILLA_COUNT];

/* Where an application is installed: the index'th place that is there, or NULL. */
const char *cvg_mozilla_directory(const struct cvg_mozilla_app *app, size_t index);

#endif
