/* SPDX-License-Identifier: MIT */
/* Programs that bring their own TLS library and are started through something else: symlinks,
 * wrapper scripts, containers. Found by what lies beside the real program. */
#ifndef CVG_TOOLS_APPLICATION_H
#define CVG_TOOLS_APPLICATION_H

#include <limits.h>

enum cvg_application_kind {
    CVG_APPLICATION_PLAIN = 0, /* none of the following */
    CVG_APPLICATION_MOZILLA,   /* Firefox, Thunderbird, and what is made of them */
    CVG_APPLICATION_CHROMIUM,  /* Chromium, Chrome, Electron ...: link NSS, verify by themselves */
    CVG_APPLICATION_CONTAINED  /* in a container of its own: Snap, Flatpak, Firejail, Bubblewrap */
};

struct cvg_application {
    enum cvg_application_kind kind;
    char program[PATH_MAX];   /* the real program, as far as wrappers could be followed */
    char directory[PATH_MAX]; /* of a Mozilla or Chromium application; else "" */
    char name[64];            /* Firefox, Thunderbird ... of its application.ini */
    char vendor[64];
    char profile[64];   /* application.ini's Profile, below the home directory; mostly "" */
    char container[32]; /* Snap, Flatpak ... */
};

/* path: a program that is there. Reads files; runs nothing. */
void cvg_application_find(const char *path, struct cvg_application *ret_application);

#endif
