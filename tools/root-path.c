/* SPDX-License-Identifier: MIT */
/* Walks down a path and looks at who could change it. */
#include "tools/root-path.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as the kernel follows */

static bool others_can_write(const struct stat *st)
{
    return (st->st_mode & S_IWOTH) != 0 || ((st->st_mode & S_IWGRP) != 0 && st->st_gid != 0);
}

static enum cvg_error check_part(const char *part, const struct stat *st, struct cvg_why *ret_why)
{
    if (st->st_uid != 0)
        return cvg_fail(
            ret_why, CVG_ERR_OWNER,
            "%.300s belongs to uid %lu, who could send root elsewhere; do it as that user", part,
            (unsigned long)st->st_uid);
    if (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) == 0 && others_can_write(st))
        return cvg_fail(ret_why, CVG_ERR_OWNER,
                        "%.300s is writable by %s, who could send root elsewhere; try chmod go-w",
                        part, (st->st_mode & S_IWOTH) != 0 ? "everybody" : "its group");
    if (S_ISREG(st->st_mode) && others_can_write(st))
        return cvg_fail(ret_why, CVG_ERR_OWNER,
                        "%.300s is writable by others, who could have root load what they like; "
                        "try chmod go-w",
                        part);
    return CVG_OK;
}

static enum cvg_error check_way(const char *path, int links, struct cvg_why *ret_why);

/* Where the link at `link` leads to, as it says: relative to its directory. */
static enum cvg_error check_target(const char *link, int links, struct cvg_why *ret_why)
{
    char target[PATH_MAX], way[PATH_MAX];
    ssize_t len = readlink(link, target, sizeof target - 1);
    const char *slash = strrchr(link, '/');
    int directory_len;

    if (len <= 0 || links == 0)
        return cvg_fail(ret_why, CVG_ERR_IO, "cannot follow %.400s", link);
    target[len] = '\0';
    directory_len = target[0] == '/' ? 0 : (int)(slash - link) + 1;
    if (snprintf(way, sizeof way, "%.*s%s", directory_len, link, target) >= (int)sizeof way)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "%.400s leads to too long a path", link);
    return check_way(way, links - 1, ret_why);
}

/* The path as it is written: what is behind a link is looked at for itself. */
static enum cvg_error check_way(const char *path, int links, struct cvg_why *ret_why)
{
    char part[PATH_MAX];
    enum cvg_error err = CVG_OK;

    for (size_t len = 1; err == CVG_OK; len++) {
        struct stat st;

        if (path[len] != '/' && path[len] != '\0')
            continue;
        snprintf(part, sizeof part, "%.*s", (int)len, path);
        if (lstat(part, &st) != 0)
            return errno == ENOENT ? CVG_OK
                                   : cvg_fail(ret_why, CVG_ERR_IO, "cannot look at %.400s: %s",
                                              part, strerrordesc_np(errno));
        err = check_part(part, &st, ret_why);
        if (err == CVG_OK && S_ISLNK(st.st_mode))
            err = check_target(part, links, ret_why);
        if (path[len] == '\0')
            break;
    }
    return err;
}

enum cvg_error cvg_root_path_check(const char *path, struct cvg_why *ret_why)
{
    char here[PATH_MAX] = "", whole[PATH_MAX];

    if (geteuid() != 0)
        return CVG_OK;
    if (path[0] != '/' && getcwd(here, sizeof here) == NULL)
        return cvg_fail(ret_why, CVG_ERR_IO, "cannot look at %.400s: %s", path,
                        strerrordesc_np(errno));
    if (snprintf(whole, sizeof whole, "%s%s%s", here, path[0] == '/' ? "" : "/", path) >=
        (int)sizeof whole)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "%.400s: too long a path", path);
    return check_way(whole, LINKS_MAX, ret_why);
}
