/* SPDX-License-Identifier: MIT */
/* Reading and replacing, with the check that nobody else came in between. */
#include "tools/edit-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tools/plain-file.h"
#include "tools/rehearsal.h"

#define ATTRIBUTE_MAX 65536 /* as the kernel bounds names and values */

static enum cvg_error fail_errno(struct cvg_why *why, const char *what, const char *path)
{
    return cvg_fail(why, errno == ENOENT ? CVG_ERR_NOT_FOUND : CVG_ERR_IO, "cannot %s %.400s: %s",
                    what, path, strerrordesc_np(errno));
}

enum cvg_error cvg_edit_file_read(const char *path, size_t max, struct cvg_edit_file *ret_file,
                                  struct cvg_why *ret_why)
{
    enum cvg_error err;

    if (realpath(path, ret_file->path) == NULL)
        return cvg_fail(ret_why, errno == ENOENT ? CVG_ERR_NOT_FOUND : CVG_ERR_IO, "%.400s: %s",
                        path, strerrordesc_np(errno));
    if (stat(ret_file->path, &ret_file->st) != 0 || !S_ISREG(ret_file->st.st_mode))
        return cvg_fail(ret_why, CVG_ERR_IO, "%.400s: not a regular file", ret_file->path);
    ret_file->exists = true;
    cvg_buffer_init(&ret_file->text, max);
    err = cvg_plain_file_read(ret_file->path, &ret_file->text, ret_why);
    if (err != CVG_OK)
        cvg_edit_file_free(ret_file);
    return err;
}

enum cvg_error cvg_edit_file_new(const char *path, mode_t mode, size_t max,
                                 struct cvg_edit_file *ret_file, struct cvg_why *ret_why)
{
    if (snprintf(ret_file->path, sizeof ret_file->path, "%s", path) >= (int)sizeof ret_file->path)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "a path of %zu octets is too long", strlen(path));
    if (lstat(path, &ret_file->st) == 0 && S_ISLNK(ret_file->st.st_mode))
        return cvg_fail(ret_why, CVG_ERR_IO, "%.400s: a symbolic link to what is not there", path);
    memset(&ret_file->st, 0, sizeof ret_file->st);
    ret_file->exists = false;
    ret_file->st.st_mode = mode;
    ret_file->st.st_uid = geteuid();
    ret_file->st.st_gid = getegid();
    cvg_buffer_init(&ret_file->text, max);
    return cvg_buffer_put(&ret_file->text, "", 0);
}

void cvg_edit_file_free(struct cvg_edit_file *file)
{
    cvg_buffer_free(&file->text);
}

/* What the kernel reckons over the file's content: the copy has its own. */
static bool is_reckoned(const char *name)
{
    return strcmp(name, "security.evm") == 0 || strcmp(name, "security.ima") == 0;
}

static bool copy_attribute(const char *path, int fd, const char *name)
{
    char value[ATTRIBUTE_MAX];
    ssize_t len = getxattr(path, name, value, sizeof value);

    if (len < 0)
        return errno == ENODATA || errno == ENOTSUP;
    return fsetxattr(fd, name, value, (size_t)len, 0) == 0 || errno == ENOTSUP;
}

/* SELinux's label, access control lists and whatever else is kept beside the content. */
static bool copy_attributes(const char *path, int fd)
{
    char names[ATTRIBUTE_MAX];
    ssize_t len = listxattr(path, names, sizeof names);
    bool fine = len >= 0 || errno == ENOTSUP;

    for (ssize_t at = 0; fine && at < len; at += (ssize_t)strlen(names + at) + 1)
        fine = is_reckoned(names + at) || copy_attribute(path, fd, names + at);
    return fine;
}

static bool write_all(int fd, const struct cvg_buffer *text)
{
    size_t done = 0;

    while (done < text->len) {
        ssize_t n = write(fd, text->data + done, text->len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

/* Everything that can fail is done on the new file before it takes the old one's place. */
static enum cvg_error write_beside(const struct cvg_edit_file *file, const struct cvg_buffer *text,
                                   char *ret_path, struct cvg_why *ret_why)
{
    int fd = mkostemp(ret_path, O_CLOEXEC);
    bool fine;

    if (fd < 0)
        return fail_errno(ret_why, "make a temporary file beside", file->path);
    fine = ((file->st.st_uid == geteuid() && file->st.st_gid == getegid()) ||
            fchown(fd, file->st.st_uid, file->st.st_gid) == 0) &&
           fchmod(fd, file->st.st_mode & 07777) == 0 &&
           (!file->exists || copy_attributes(file->path, fd)) && write_all(fd, text) &&
           fsync(fd) == 0;
    if (fine)
        fine = close(fd) == 0;
    else
        close(fd);
    if (fine)
        return CVG_OK;
    fail_errno(ret_why, "write what shall replace", file->path);
    unlink(ret_path);
    return CVG_ERR_IO;
}

static bool unchanged(const char *path, const struct stat *was)
{
    struct stat st;

    return stat(path, &st) == 0 && st.st_dev == was->st_dev && st.st_ino == was->st_ino &&
           st.st_size == was->st_size && st.st_mtim.tv_sec == was->st_mtim.tv_sec &&
           st.st_mtim.tv_nsec == was->st_mtim.tv_nsec;
}

static enum cvg_error say_busy(const struct cvg_edit_file *file, struct cvg_why *ret_why)
{
    return cvg_fail(ret_why, CVG_ERR_BUSY, "%.400s: another program changed it just now; try again",
                    file->path);
}

/* The two files change places, so that what was there can be looked at before it is gone. */
static enum cvg_error put_in_place(const struct cvg_edit_file *file, const char *temporary,
                                   struct cvg_why *ret_why)
{
    if (!file->exists) {
        if (renameat2(AT_FDCWD, temporary, AT_FDCWD, file->path, RENAME_NOREPLACE) == 0)
            return CVG_OK;
        return errno == EEXIST ? say_busy(file, ret_why) : fail_errno(ret_why, "make", file->path);
    }
    if (!unchanged(file->path, &file->st))
        return say_busy(file, ret_why);
    if (renameat2(AT_FDCWD, temporary, AT_FDCWD, file->path, RENAME_EXCHANGE) == 0) {
        if (unchanged(temporary, &file->st)) {
            unlink(temporary);
            return CVG_OK;
        }
        if (renameat2(AT_FDCWD, temporary, AT_FDCWD, file->path, RENAME_EXCHANGE) != 0)
            return fail_errno(ret_why, "put back", file->path);
        return say_busy(file, ret_why);
    }
    if (errno == ENOENT)
        return say_busy(file, ret_why);
    if (errno != EINVAL && errno != ENOSYS)
        return fail_errno(ret_why, "replace", file->path);
    return rename(temporary, file->path) == 0 ? CVG_OK : fail_errno(ret_why, "replace", file->path);
}

/* Without it the change may be lost in a crash, but never torn. */
static void sync_directory(const char *path)
{
    char directory[PATH_MAX];
    int fd;

    snprintf(directory, sizeof directory, "%s", path);
    *strrchr(directory, '/') = '\0';
    fd = open(directory[0] != '\0' ? directory : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

enum cvg_error cvg_edit_file_replace(const struct cvg_edit_file *file,
                                     const struct cvg_buffer *text, struct cvg_why *ret_why)
{
    char temporary[PATH_MAX + 8];
    enum cvg_error err;

    if (cvg_rehearsal_is_on())
        return cvg_rehearsal_change(file->path, file->exists ? &file->text : NULL, text, ret_why);
    if (file->exists && !unchanged(file->path, &file->st))
        return say_busy(file, ret_why);
    snprintf(temporary, sizeof temporary, "%s.XXXXXX", file->path);
    err = write_beside(file, text, temporary, ret_why);
    if (err != CVG_OK)
        return err;
    err = put_in_place(file, temporary, ret_why);
    if (err != CVG_OK)
        unlink(temporary);
    else
        sync_directory(file->path);
    return err;
}

enum cvg_error cvg_edit_file_remove(const struct cvg_edit_file *file, struct cvg_why *ret_why)
{
    if (cvg_rehearsal_is_on())
        return cvg_rehearsal_change(file->path, &file->text, NULL, ret_why);
    if (!unchanged(file->path, &file->st))
        return say_busy(file, ret_why);
    if (unlink(file->path) != 0)
        return fail_errno(ret_why, "remove", file->path);
    sync_directory(file->path);
    return CVG_OK;
}

static void backup_path(const struct cvg_edit_file *file,
                        char ret_path[static PATH_MAX + sizeof CVG_BACKUP_SUFFIX])
{
    snprintf(ret_path, PATH_MAX + sizeof CVG_BACKUP_SUFFIX, "%s" CVG_BACKUP_SUFFIX, file->path);
}

enum cvg_error cvg_edit_file_keep(const struct cvg_edit_file *file, struct cvg_why *ret_why)
{
    char path[PATH_MAX + sizeof CVG_BACKUP_SUFFIX];
    char temporary[sizeof path + 8];
    enum cvg_error err;

    if (cvg_rehearsal_is_on())
        return CVG_OK;
    backup_path(file, path);
    snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    err = write_beside(file, &file->text, temporary, ret_why);
    if (err != CVG_OK)
        return err;
    if (rename(temporary, path) == 0)
        return CVG_OK;
    err = fail_errno(ret_why, "make", path);
    unlink(temporary);
    return err;
}

bool cvg_edit_file_kept(const struct cvg_edit_file *file, struct cvg_buffer *ret_text)
{
    char path[PATH_MAX + sizeof CVG_BACKUP_SUFFIX];

    backup_path(file, path);
    cvg_buffer_init(ret_text, file->text.max);
    return cvg_plain_file_read(path, ret_text, NULL) == CVG_OK;
}

void cvg_edit_file_drop_kept(const struct cvg_edit_file *file, const struct cvg_buffer *text)
{
    char path[PATH_MAX + sizeof CVG_BACKUP_SUFFIX];
    struct cvg_buffer kept;

    backup_path(file, path);
    if (cvg_edit_file_kept(file, &kept) && cvg_edit_same(&kept, text) && !cvg_rehearsal_is_on())
        unlink(path);
    cvg_buffer_free(&kept);
}

bool cvg_edit_same(const struct cvg_buffer *one, const struct cvg_buffer *other)
{
    return one->len == other->len &&
           (one->len == 0 || memcmp(one->data, other->data, one->len) == 0);
}
