/* SPDX-License-Identifier: MIT */
/* Walks down a path and looks at who could change it. */
#include "tools/root-path.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The longest part of the path that is there. */
static bool resolve(const char *path, char ret_path[static PATH_MAX])
{
    char part[PATH_MAX];

    if (snprintf(part, sizeof part, "%s%s", path[0] == '/' ? "" : "./", path) >= (int)sizeof part)
        return false;
    while (realpath(part, ret_path) == NULL) {
        char *slash = strrchr(part, '/');

        if (errno != ENOENT || slash == NULL)
            return false;
        slash[slash == part ? 1 : 0] = '\0';
    }
    return true;
}

static enum cvg_error check_part(const char *part, struct cvg_why *ret_why)
{
    struct stat st;

    if (lstat(part, &st) != 0)
        return cvg_fail(ret_why, CVG_ERR_IO, "cannot look at %.400s: %s", part,
                        strerrordesc_np(errno));
    if (st.st_uid != 0)
        return cvg_fail(
            ret_why, CVG_ERR_OWNER,
            "%.300s belongs to uid %lu, who could send root elsewhere; do it as that user", part,
            (unsigned long)st.st_uid);
    if (S_ISDIR(st.st_mode) && (st.st_mode & S_IWOTH) != 0 && (st.st_mode & S_ISVTX) == 0)
        return cvg_fail(
            ret_why, CVG_ERR_OWNER,
            "%.300s is writable by everybody, who could send root elsewhere; try chmod o-w", part);
    return CVG_OK;
}

enum cvg_error cvg_root_path_check(const char *path, struct cvg_why *ret_why)
{
    char resolved[PATH_MAX];
    enum cvg_error err = CVG_OK;

    if (geteuid() != 0)
        return CVG_OK;
    if (!resolve(path, resolved))
        return cvg_fail(ret_why, CVG_ERR_IO, "cannot look at %.400s: %s", path,
                        strerrordesc_np(errno));
    for (size_t i = 1; err == CVG_OK; i++) {
        char end = resolved[i];

        if (end != '/' && end != '\0')
            continue;
        resolved[i] = '\0';
        err = check_part(resolved, ret_why);
        resolved[i] = end;
        if (end == '\0')
            break;
    }
    return err;
}
