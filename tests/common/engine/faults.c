/* SPDX-License-Identifier: MIT */
/* For tests: the linker sends the calls of our own objects here (--wrap). */
#include "tests/common/engine/faults.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

static unsigned countdown; /* calls until the fault; 0: none is planned */
static bool lasting, armed, hit;

void faults_arm(unsigned nth, bool for_ever)
{
    countdown = nth;
    lasting = for_ever;
    armed = true;
    hit = false;
}

bool faults_disarm(void)
{
    armed = false;
    return hit;
}

static bool fails(int number)
{
    if (!armed || (countdown == 0 && !lasting))
        return false;
    if (countdown > 0 && --countdown > 0)
        return false;
    hit = true;
    errno = number;
    return true;
}

/* The names are the linker's. */
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
int __real_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, mode_t mode);
int __real_openat(int directory, const char *path, int flags, mode_t mode);
int __wrap_openat(int directory, const char *path, int flags, mode_t mode);
int __real_fstat(int fd, struct stat *status);
int __wrap_fstat(int fd, struct stat *status);
ssize_t __real_read(int fd, void *data, size_t len);
ssize_t __wrap_read(int fd, void *data, size_t len);
ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
DIR *__real_opendir(const char *path);
DIR *__wrap_opendir(const char *path);

void *faults_malloc(unsigned long size)
{
    return fails(ENOMEM) ? NULL : __real_malloc(size);
}

void *__wrap_malloc(size_t size)
{
    return fails(ENOMEM) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails(ENOMEM) ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails(ENOMEM) ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *text)
{
    return fails(ENOMEM) ? NULL : __real_strdup(text);
}

int __wrap_open(const char *path, int flags, mode_t mode)
{
    return fails(EMFILE) ? -1 : __real_open(path, flags, mode);
}

int __wrap_openat(int directory, const char *path, int flags, mode_t mode)
{
    return fails(EMFILE) ? -1 : __real_openat(directory, path, flags, mode);
}

int __wrap_fstat(int fd, struct stat *status)
{
    return fails(EIO) ? -1 : __real_fstat(fd, status);
}

ssize_t __wrap_read(int fd, void *data, size_t len)
{
    return fails(EIO) ? -1 : __real_read(fd, data, len);
}

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
    return fails(ENOSPC) ? -1 : __real_write(fd, data, len);
}

int __wrap_fsync(int fd)
{
    return fails(EIO) ? -1 : __real_fsync(fd);
}

int __wrap_rename(const char *from, const char *to)
{
    return fails(EIO) ? -1 : __real_rename(from, to);
}

DIR *__wrap_opendir(const char *path)
{
    return fails(EMFILE) ? NULL : __real_opendir(path);
}
