/* SPDX-License-Identifier: MIT */
/* A private directory for a test, and files in it. Every failure ends the program: a test that
 * cannot prepare its ground proves nothing. */
#ifndef CVG_TESTS_SCRATCH_H
#define CVG_TESTS_SCRATCH_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/attr.h"

#define SCRATCH_MAX 400

static char scratch[SCRATCH_MAX];

static inline void scratch_need(int ok, const char *what)
{
    if (!ok) {
        perror(what);
        exit(99);
    }
}

/* A cmocka setup: a fresh directory, 0700. */
static inline int scratch_make(void **state)
{
    const char *tmp = getenv("TMPDIR");

    (void)state;
    snprintf(scratch, sizeof scratch, "%s/converge-test.XXXXXX",
             tmp != NULL && tmp[0] == '/' && strlen(tmp) < 200 ? tmp : "/tmp");
    scratch_need(mkdtemp(scratch) != NULL, scratch);
    return 0;
}

static inline int scratch_remove_one(const char *path, const struct stat *st CVG_UNUSED,
                                     int type CVG_UNUSED, struct FTW *ftw CVG_UNUSED)
{
    return remove(path);
}

/* A cmocka teardown. */
static inline int scratch_remove(void **state)
{
    (void)state;
    return nftw(scratch, scratch_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* The path of name in the scratch directory; valid until eight further calls. */
static inline const char *scratch_path(const char *name)
{
    static char paths[8][SCRATCH_MAX + 200];
    static unsigned next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof paths[0], "%s/%s", scratch, name);
    return path;
}

static inline const char *scratch_file(const char *name, const char *text, mode_t mode)
{
    const char *path = scratch_path(name);
    FILE *file = fopen(path, "w");

    scratch_need(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0, path);
    scratch_need(chmod(path, mode) == 0, path);
    return path;
}

static inline const char *scratch_dir(const char *name, mode_t mode)
{
    const char *path = scratch_path(name);

    scratch_need(mkdir(path, mode) == 0 && chmod(path, mode) == 0, path);
    return path;
}

/* How many descriptors this process has open. */
static inline int open_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < 1024; fd++) {
        struct stat st;

        count += fstat(fd, &st) == 0;
    }
    return count;
}

#endif
