/* SPDX-License-Identifier: MIT */
/* A private installation with the fake agent, for the tests of this folder. */
#ifndef CVG_TESTS_INSTALLATION_H
#define CVG_TESTS_INSTALLATION_H

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char test_directory[64];

static inline void write_in(const char *name, const char *text)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", test_directory, name);
    file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* Reads a whole small file; "" if there is none. */
static inline const char *read_in(const char *name)
{
    static char text[65536];
    char path[256];
    FILE *file;
    size_t len = 0;

    snprintf(path, sizeof path, "%s/%s", test_directory, name);
    file = fopen(path, "re");
    if (file != NULL) {
        len = fread(text, 1, sizeof text - 1, file);
        fclose(file);
    }
    text[len] = '\0';
    return text;
}

static inline size_t count_lines(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++)
        count += *text == '\n' ? 1 : 0;
    return count;
}

static inline int set_up(void **state)
{
    char agent[512];
    const char *top = getenv("top_builddir");

    (void)state;
    snprintf(agent, sizeof agent, "%s/tests/common/libconverge/fake-agent",
             top != NULL ? top : ".");
    setenv("CONVERGE_AGENT", agent, 1);
    snprintf(test_directory, sizeof test_directory, "/tmp/cvg-test-XXXXXX");
    if (mkdtemp(test_directory) == NULL)
        return -1;
    return setenv("CONVERGE_CONFIG_DIR", test_directory, 1);
}

static inline int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static inline int tear_down(void **state)
{
    int pid = atoi(read_in("run/agent.pid"));

    (void)state;
    if (pid > 1)
        kill(pid, SIGTERM);
    return nftw(test_directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
