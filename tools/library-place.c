/* SPDX-License-Identifier: MIT */
/* Compares a library's directory with those that the dynamic loader looks in by itself. */
#include "tools/library-place.h"

#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

bool cvg_library_is_the_systems(const char *path)
{
    static const char *const places[] = {
        "/usr/lib",       "/usr/lib64",     "/usr/lib32",
        "/usr/libx32",    "/lib",           "/lib64",
        "/lib32",         "/libx32",        "/usr/lib/*-linux-*",
        "/lib/*-linux-*", "/usr/local/lib", "/usr/local/lib/*-linux-*"};
    const char *slash = strrchr(path, '/');
    char directory[PATH_MAX];

    if (slash == NULL || slash == path || slash - path >= (long)sizeof directory)
        return false;
    snprintf(directory, sizeof directory, "%.*s", (int)(slash - path), path);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (fnmatch(places[i], directory, FNM_PATHNAME) == 0)
            return true;
    return false;
}
