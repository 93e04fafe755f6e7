/* SPDX-License-Identifier: MIT */
/* Preferences of Firefox and Thunderbird in a file of theirs: a profile's prefs.js and user.js, or
 * a .js file of the system's. Only what is written literally, a preference a line. Pure. */
#ifndef CVG_TOOLS_MOZILLA_PREFS_H
#define CVG_TOOLS_MOZILLA_PREFS_H

#include <stdbool.h>
#include <stddef.h>

struct cvg_mozilla_pref {
    char value[256]; /* as written; a string without its quotes */
    bool locked;     /* no profile can change it */
};

/* The last line for this name: user_pref("NAME", VALUE); pref("NAME", VALUE, locked);
 * lockPref("NAME", VALUE); ... false, and ret_pref is as it was, if there is none. text ends with
 * a NUL. */
bool cvg_mozilla_pref_find(const char *text, const char *name, struct cvg_mozilla_pref *ret_pref);

#endif
