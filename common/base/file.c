/* SPDX-License-Identifier: MIT */
/* Files that decide about trust: who could have written them is checked on the open descriptor, so
 * that nothing can be swapped between the look and the read. */
#include "common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/config.h"

/* Closes without losing the errno that the caller is about to report. */
static void close_quietly(int fd)
{
    int saved = errno;

    if (fd >= 0)
        close(fd);
    errno = saved;
}

static enum cvg_error fail_errno(struct cvg_why *why, const char *path, const char *what)
{
    return cvg_fail(why, errno == ENOENT ? CVG_ERR_NOT_FOUND : CVG_ERR_IO, "%s: cannot %s: %s",
                    path, what, strerrordesc_np(errno));
}

/* of: "" or what of the path is meant, "its directory ". */
static enum cvg_error check_writers(const struct stat *st, uid_t owner, const char *path,
                                    const char *of, struct cvg_why *why)
{
    if (st->st_uid != 0 && st->st_uid != owner)
        return cvg_fail(why, CVG_ERR_OWNER, "%s: %sbelongs to uid %u; only uid %u%s may own it",
                        path, of, (unsigned)st->st_uid, (unsigned)owner,
                        owner == 0 ? "" : " or root");
    if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return cvg_fail(why, CVG_ERR_OWNER,
                        "%s: %sis writable by group or others (mode %04o); try chmod go-w", path,
                        of, (unsigned)st->st_mode & 07777);
    return CVG_OK;
}

/* Splits the path into its directory (cut into dir) and the name in it. */
static enum cvg_error split(const char *path, char dir[static CVG_PATH_MAX], const char **ret_name,
                            struct cvg_why *why)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - path);

    *ret_name = slash == NULL ? path : slash + 1;
    if (len >= CVG_PATH_MAX || strlen(path) >= PATH_MAX)
        return cvg_fail(why, CVG_ERR_RANGE, "the path of %zu octets is too long", strlen(path));
    if (**ret_name == '\0')
        return cvg_fail(why, CVG_ERR_ARGUMENT, "%s: names no file", path);
    memcpy(dir, path, len);
    dir[len] = '\0';
    if (len == 0)
        strcpy(dir, slash == NULL ? "." : "/");
    return CVG_OK;
}

static enum cvg_error open_directory(const char *path, const char *dir, uid_t owner,
                                     bool check_directory, int *ret_fd, struct cvg_why *why)
{
    struct stat st;
    enum cvg_error err = CVG_OK;
    int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) != 0)
        err = fail_errno(why, path, "open its directory");
    else if (check_directory)
        err = check_writers(&st, owner, path, "its directory ", why);
    if (err != CVG_OK) {
        close_quietly(fd);
        return err;
    }
    *ret_fd = fd;
    return CVG_OK;
}

static enum cvg_error read_all(int fd, const char *path, struct cvg_buffer *data,
                               struct cvg_why *why)
{
    char chunk[2048];
    enum cvg_error err = cvg_buffer_put(data, NULL, 0);

    while (err == CVG_OK) {
        ssize_t n = read(fd, chunk, sizeof chunk);

        if (n == 0)
            return CVG_OK;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_errno(why, path, "read");
        err = cvg_buffer_put(data, chunk, (size_t)n);
    }
    if (err == CVG_ERR_RANGE)
        return cvg_fail(why, err, "%s: over %zu octets", path, data->max);
    return cvg_fail(why, err, "%s: %s", path, cvg_strerror(err));
}

static enum cvg_error read_checked(int fd, const char *path, uid_t owner, struct cvg_buffer *data,
                                   struct cvg_why *why)
{
    struct stat st;
    enum cvg_error err;

    if (fstat(fd, &st) != 0)
        return fail_errno(why, path, "look at");
    if (!S_ISREG(st.st_mode))
        return cvg_fail(why, CVG_ERR_OWNER, "%s: is not a regular file", path);
    err = check_writers(&st, owner, path, "", why);
    return err != CVG_OK ? err : read_all(fd, path, data, why);
}

enum cvg_error cvg_file_read(const char *path, uid_t owner, size_t max, bool check_directory,
                             struct cvg_buffer *ret_data, struct cvg_why *ret_why)
{
    char dir[CVG_PATH_MAX];
    const char *name;
    int dir_fd = -1, fd = -1;
    enum cvg_error err;

    cvg_buffer_init(ret_data, max);
    err = split(path, dir, &name, ret_why);
    if (err == CVG_OK)
        err = open_directory(path, dir, owner, check_directory, &dir_fd, ret_why);
    if (err != CVG_OK)
        goto out;
    fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd >= 0)
        err = read_checked(fd, path, owner, ret_data, ret_why);
    else if (errno == ELOOP)
        err = cvg_fail(ret_why, CVG_ERR_OWNER, "%s: is a symbolic link", path);
    else
        err = fail_errno(ret_why, path, "open");
out:
    close_quietly(fd);
    close_quietly(dir_fd);
    if (err != CVG_OK)
        cvg_buffer_free(ret_data);
    return err;
}

static bool write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

/* The rename has happened; without this sync it may be lost in a crash, but never torn. So a file
 * system that cannot sync directories is no failure. */
static void sync_directory(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

enum cvg_error cvg_file_replace(const char *path, const void *data, size_t len, mode_t mode,
                                struct cvg_why *ret_why)
{
    char dir[CVG_PATH_MAX], temporary[CVG_PATH_MAX + NAME_MAX + 8];
    const char *name;
    enum cvg_error err = split(path, dir, &name, ret_why);
    bool written;
    int fd;

    if (err != CVG_OK)
        return err;
    if (snprintf(temporary, sizeof temporary, "%s.XXXXXX", path) >= (int)sizeof temporary)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "the path of %zu octets is too long", strlen(path));
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return fail_errno(ret_why, path, "make a temporary file beside it");
    written = fchmod(fd, mode) == 0 && write_all(fd, data, len) && fsync(fd) == 0;
    if (!written)
        close_quietly(fd);
    else
        written = close(fd) == 0;
    if (!written || rename(temporary, path) != 0) {
        err = fail_errno(ret_why, path, "write");
        unlink(temporary);
        return err;
    }
    sync_directory(dir);
    return CVG_OK;
}

/* Makes one directory of the path, unless it is there. The mode is set again because the umask has
 * cut it: on the descriptor, so that nothing else can be put in its place meanwhile. */
static enum cvg_error make_one(const char *path, mode_t mode, struct cvg_why *why)
{
    enum cvg_error err = CVG_OK;
    int fd;

    if (mkdir(path, mode) != 0)
        return errno == EEXIST ? CVG_OK : fail_errno(why, path, "make the directory");
    fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fchmod(fd, mode) != 0)
        err = fail_errno(why, path, "set the mode of");
    close_quietly(fd);
    return err;
}

enum cvg_error cvg_directory_make(const char *path, uid_t owner, mode_t mode,
                                  struct cvg_why *ret_why)
{
    mode_t parent_mode = geteuid() == 0 ? 0755 : mode;
    char part[CVG_PATH_MAX];
    size_t len = strlen(path);
    struct stat st;

    if (len >= sizeof part || len == 0)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "a path of %zu octets; 1 to %zu are allowed", len,
                        sizeof part - 1);
    while (len > 1 && path[len - 1] == '/')
        len--;
    for (size_t i = 1; i <= len; i++) {
        enum cvg_error err;

        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        err = stat(part, &st) == 0 ? CVG_OK : make_one(part, i < len ? parent_mode : mode, ret_why);
        if (err != CVG_OK)
            return err;
    }
    if (stat(path, &st) != 0)
        return fail_errno(ret_why, path, "look at");
    if (!S_ISDIR(st.st_mode))
        return cvg_fail(ret_why, CVG_ERR_OWNER, "%s: is not a directory", path);
    return check_writers(&st, owner, path, "", ret_why);
}
