/* SPDX-License-Identifier: MIT */
/* The profiles of Firefox and Thunderbird in a home directory. */
#ifndef CVG_TOOLS_MOZILLA_PROFILES_H
#define CVG_TOOLS_MOZILLA_PROFILES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "tools/mozilla-apps.h"

struct cvg_mozilla_profile {
    char directory[PATH_MAX]; /* symbolic links followed */
    char name[128];
    const struct cvg_mozilla_app *app;
    const char *confined; /* "snap" or "flatpak": it reaches neither module nor agent; else NULL */
};

/* Those that profiles.ini and installs.ini name, and those that lie beside them. config: the XDG
 * configuration directory. The caller frees the array with free(); NULL: out of memory. */
struct cvg_mozilla_profile *cvg_mozilla_profiles_find(const char *home, const char *config,
                                                      size_t *ret_count);

/* Whether a directory looks like a profile; whose, or NULL. */
const struct cvg_mozilla_app *cvg_mozilla_profile_app(const char *directory);

#endif
