/* SPDX-License-Identifier: MIT */
/* profiles.ini and installs.ini, as Firefox and Thunderbird write them. Pure. */
#ifndef CVG_TOOLS_MOZILLA_INI_H
#define CVG_TOOLS_MOZILLA_INI_H

#include <limits.h>

struct cvg_mozilla_section {
    char name[128];      /* "" where it says none */
    char path[PATH_MAX]; /* of a profile's directory, as it stands there; "" where it says none */
};

/* Gives each section of the text, which is taken apart meanwhile, to the callback. Sections of
 * profiles say Path, those of installations say Default (which of a profile is "1"). */
typedef void cvg_mozilla_section_fn(const struct cvg_mozilla_section *section, void *user);
void cvg_mozilla_ini_each(char *text, cvg_mozilla_section_fn *callback, void *user);

#endif
