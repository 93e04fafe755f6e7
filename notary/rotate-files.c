/* SPDX-License-Identifier: MIT */
/* The files of a rotation. */
#include "notary/rotate-files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/protocol/bundle.h"

static void set_paths(struct cvg_rotate_files *files)
{
    files->current[CVG_ROTATE_KEY] = files->settings.tls_key;
    files->current[CVG_ROTATE_CERTIFICATE] = files->settings.tls_certificate;
    files->current[CVG_ROTATE_SIGNING] = files->settings.signing_key;
    for (int i = 0; i < CVG_ROTATE_PARTS; i++)
        snprintf(files->next[i], CVG_ROTATE_PATH, "%s.next", files->current[i]);
    snprintf(files->staged, CVG_ROTATE_PATH, "%s.staged", files->settings.bundle);
    files->staged_v1[0] = '\0';
    if (files->settings.bundle_v1[0] != '\0')
        snprintf(files->staged_v1, CVG_ROTATE_PATH, "%s.staged", files->settings.bundle_v1);
}

static enum cvg_error lock(const char *path, int *ret_lock, struct cvg_why *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_EX) == 0) {
        *ret_lock = fd;
        return CVG_OK;
    }
    int problem = errno;
    if (fd >= 0)
        close(fd);
    return cvg_fail(why, CVG_ERR_IO, "%s: %s", path, strerror(problem));
}

enum cvg_error cvg_rotate_open(const char *directory, struct cvg_rotate_files *ret_files,
                               struct cvg_why *ret_why)
{
    char path[CVG_PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s/notary.conf", directory);
    if (len < 0 || (size_t)len >= sizeof(path))
        return cvg_fail(ret_why, CVG_ERR_RANGE, "the path is too long");
    enum cvg_error err = lock(path, &ret_files->lock, ret_why);
    if (err != CVG_OK)
        return err;
    err = cvg_settings_load(path, &ret_files->settings, ret_why);
    if (err == CVG_OK && ret_files->settings.bundle[0] == '\0')
        err = cvg_fail(ret_why, CVG_ERR_CONFIG,
                       "%s names no bundle, so nothing can be announced to clients", path);
    set_paths(ret_files);
    if (err != CVG_OK)
        cvg_rotate_close(ret_files);
    return err;
}

void cvg_rotate_close(struct cvg_rotate_files *files)
{
    close(files->lock);
}

bool cvg_rotate_exists(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0;
}

enum cvg_error cvg_rotate_read(const char *path, struct cvg_buffer *ret_data,
                               struct cvg_why *ret_why)
{
    return cvg_file_read(path, geteuid(), CVG_BUNDLE_MAX, false, ret_data, ret_why);
}

enum cvg_error cvg_rotate_remove(const char *path, struct cvg_why *ret_why)
{
    if (unlink(path) == 0 || errno == ENOENT)
        return CVG_OK;
    return cvg_fail(ret_why, CVG_ERR_IO, "%s: %s", path, strerror(errno));
}

/* Another name for the file; fine if it is there already. */
static enum cvg_error keep(const char *path, const char *kept, struct cvg_why *why)
{
    struct stat now, old;
    if (link(path, kept) == 0)
        return CVG_OK;
    if (errno == EEXIST && stat(path, &now) == 0 && stat(kept, &old) == 0 &&
        now.st_dev == old.st_dev && now.st_ino == old.st_ino)
        return CVG_OK;
    return cvg_fail(why, CVG_ERR_IO, "%s cannot be kept as %s: %s", path, kept, strerror(errno));
}

static enum cvg_error move(const char *from, const char *to, struct cvg_why *why)
{
    if (rename(from, to) == 0)
        return CVG_OK;
    return cvg_fail(why, CVG_ERR_IO, "%s: rename: %s", from, strerror(errno));
}

static enum cvg_error sync_directory_of(const char *path, struct cvg_why *why)
{
    char directory[CVG_PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - path) + 1;
    memcpy(directory, path, len);
    memcpy(directory + len, ".", 2);
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    int problem = errno;
    if (fd >= 0)
        close(fd);
    return good ? CVG_OK : cvg_fail(why, CVG_ERR_IO, "%s: %s", directory, strerror(problem));
}

static enum cvg_error own(const char *path, const struct stat *like, struct cvg_why *why)
{
    if (geteuid() != 0 || (like->st_uid == 0 && like->st_gid == getegid()) ||
        lchown(path, like->st_uid, like->st_gid) == 0)
        return CVG_OK;
    return cvg_fail(why, CVG_ERR_IO, "%s: chown: %s", path, strerror(errno));
}

/* It has its name only when it is whole, owner and all: what is there is not looked at again. */
enum cvg_error cvg_rotate_write(const char *path, const struct cvg_buffer *data, const char *like,
                                struct cvg_why *ret_why)
{
    char fresh[CVG_ROTATE_PATH + sizeof(".new")];
    struct stat info;
    snprintf(fresh, sizeof(fresh), "%s.new", path);
    if (stat(like, &info) != 0)
        return cvg_fail(ret_why, CVG_ERR_IO, "%s: %s", like, strerror(errno));
    enum cvg_error err =
        cvg_file_replace(fresh, data->data, data->len, info.st_mode & 0777, ret_why);
    if (err == CVG_OK)
        err = own(fresh, &info, ret_why);
    if (err == CVG_OK)
        err = move(fresh, path, ret_why);
    return err == CVG_OK ? sync_directory_of(path, ret_why) : err;
}

static enum cvg_error move_part(const struct cvg_rotate_files *files, int part, uint64_t serial,
                                struct cvg_why *why)
{
    char kept[CVG_ROTATE_PATH];
    if (!cvg_rotate_exists(files->next[part]))
        return CVG_OK;
    snprintf(kept, sizeof(kept), "%s.old-%llu", files->current[part], (unsigned long long)serial);
    enum cvg_error err = keep(files->current[part], kept, why);
    if (err == CVG_OK)
        err = move(files->next[part], files->current[part], why);
    return err == CVG_OK ? sync_directory_of(files->current[part], why) : err;
}

enum cvg_error cvg_rotate_move(const struct cvg_rotate_files *files, uint64_t serial,
                               struct cvg_why *ret_why)
{
    enum cvg_error err = CVG_OK;
    for (int part = 0; part < CVG_ROTATE_PARTS && err == CVG_OK; part++)
        err = move_part(files, part, serial, ret_why);
    if (err == CVG_OK && cvg_rotate_exists(files->staged_v1))
        err = move(files->staged_v1, files->settings.bundle_v1, ret_why);
    if (err == CVG_OK)
        err = move(files->staged, files->settings.bundle, ret_why);
    return err == CVG_OK ? sync_directory_of(files->settings.bundle, ret_why) : err;
}
