/* SPDX-License-Identifier: MIT */
/* Rights, environment, descriptors and directories of the agent's process. */
#include "common/engine/agent-process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"

#define DESCRIPTORS_WANTED 16384

static enum cvg_error fail_errno(struct cvg_why *ret_why, const char *what)
{
    return cvg_fail(ret_why, CVG_ERR_IO, "%s: %s", what, strerror(errno));
}

enum cvg_error cvg_process_clean_environment(void)
{
    static const char *const kept[] = {"CONVERGE_CONFIG_DIR", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR",
                                       "XDG_CACHE_HOME",      "XDG_DATA_HOME",   "HOME"};
    char *value[sizeof kept / sizeof kept[0]] = {NULL};
    enum cvg_error err = CVG_OK;

    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        const char *now = secure_getenv(kept[i]);

        if (now != NULL && (value[i] = strdup(now)) == NULL)
            err = CVG_ERR_NOMEM;
    }
    if (clearenv() != 0)
        err = CVG_ERR_NOMEM;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        if (err == CVG_OK && value[i] != NULL && setenv(kept[i], value[i], 1) != 0)
            err = CVG_ERR_NOMEM;
        free(value[i]);
    }
    return err;
}

static void close_range_or_loop(unsigned first, unsigned last)
{
    struct rlimit limit;

    if (first > last || close_range(first, last, 0) == 0)
        return;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > 65536)
        limit.rlim_cur = 65536;
    for (unsigned fd = first; fd <= last && fd < limit.rlim_cur; fd++)
        close((int)fd);
}

void cvg_process_close_others(int keep_a, int keep_b)
{
    int low = keep_a < keep_b ? keep_a : keep_b;
    int high = keep_a < keep_b ? keep_b : keep_a;
    unsigned next = 3;

    if (low >= 3) {
        close_range_or_loop(next, (unsigned)low - 1);
        next = (unsigned)low + 1;
    }
    if (high >= (int)next) {
        close_range_or_loop(next, (unsigned)high - 1);
        next = (unsigned)high + 1;
    }
    close_range_or_loop(next, ~0U);
}

static void reset_signals(void)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int number = 1; number < NSIG; number++)
        signal(number, number == SIGPIPE || number == SIGXFSZ ? SIG_IGN : SIG_DFL);
}

/* Askers, notaries and their tunnels all need descriptors. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max < DESCRIPTORS_WANTED ? limit.rlim_max : DESCRIPTORS_WANTED;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
}

enum cvg_error cvg_process_harden(struct cvg_why *ret_why)
{
    const struct rlimit no_core = {0, 0};

    umask(077);
    reset_signals();
    raise_descriptor_limit();
    if (setrlimit(RLIMIT_CORE, &no_core) != 0)
        return fail_errno(ret_why, "cannot forbid core files");
    if (prctl(PR_SET_DUMPABLE, 0) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return fail_errno(ret_why, "cannot restrict the process");
    if (chdir("/") != 0)
        return fail_errno(ret_why, "cannot change to /");
    return CVG_OK;
}

/* What the child had to say; its end without a word is a failure too. */
static void wait_for_report(int fd)
{
    char text[CVG_WHY_MAX];
    size_t len = 0;
    ssize_t got;

    while (len < sizeof text - 1 &&
           ((got = read(fd, text + len, sizeof text - 1 - len)) > 0 || (got < 0 && errno == EINTR)))
        len += got > 0 ? (size_t)got : 0;
    text[len] = '\0';
    if (strcmp(text, "ready") == 0)
        _exit(EXIT_SUCCESS);
    fprintf(stderr, "converge-agent: %s\n", len > 0 ? text : "ended before it was ready");
    _exit(EXIT_FAILURE);
}

enum cvg_error cvg_process_detach(int *ret_report, struct cvg_why *ret_why)
{
    int ends[2];
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return fail_errno(ret_why, "pipe");
    child = fork();
    if (child < 0) {
        close(ends[0]);
        close(ends[1]);
        return fail_errno(ret_why, "fork");
    }
    if (child > 0) {
        close(ends[1]);
        wait_for_report(ends[0]);
    }
    close(ends[0]);
    if (setsid() < 0)
        return fail_errno(ret_why, "setsid");
    *ret_report = ends[1];
    return CVG_OK;
}

void cvg_process_report(int report, const char *failure)
{
    const char *text = failure != NULL ? failure : "ready";
    ssize_t written = write(report, text, strlen(text));

    (void)written;
    close(report);
}

void cvg_process_close_stdio(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (int fd = 0; null >= 0 && fd <= 2; fd++)
        if (dup2(null, fd) < 0)
            return;
    if (null > 2)
        close(null);
}

static enum cvg_error hand_over(const char *path, const struct passwd *user, mode_t mode,
                                struct cvg_why *ret_why)
{
    if (chown(path, user->pw_uid, user->pw_gid) != 0 || chmod(path, mode) != 0)
        return cvg_fail(ret_why, CVG_ERR_IO, "cannot give %s to %s: %s", path, user->pw_name,
                        strerror(errno));
    return CVG_OK;
}

enum cvg_error cvg_process_make_directories(const struct cvg_paths *paths, struct cvg_why *ret_why)
{
    bool system = paths->kind == CVG_AGENT_SYSTEM;
    const struct {
        const char *path;
        mode_t mode;
    } directory[] = {
        /* Everybody has to reach the system's socket. */
        {paths->runtime_dir, system ? 0755 : 0700},
        {paths->cache_dir, 0700},
        {paths->state_dir, 0700},
    };
    struct passwd *user = geteuid() == 0 ? getpwuid(paths->owner) : NULL;
    enum cvg_error err = CVG_OK;

    if (geteuid() == 0 && user == NULL)
        return cvg_fail(ret_why, CVG_ERR_CONFIG, "there is no user with the agent's uid %u",
                        (unsigned)paths->owner);
    for (size_t i = 0; err == CVG_OK && i < sizeof directory / sizeof directory[0]; i++) {
        err = cvg_directory_make(directory[i].path, paths->owner, directory[i].mode, ret_why);
        if (err == CVG_OK && user != NULL)
            err = hand_over(directory[i].path, user, directory[i].mode, ret_why);
    }
    return err;
}

enum cvg_error cvg_process_drop(const struct cvg_paths *paths, struct cvg_why *ret_why)
{
    struct passwd *user;

    if (geteuid() != 0)
        return CVG_OK;
    user = getpwuid(paths->owner);
    if (user == NULL || user->pw_uid == 0)
        return cvg_fail(ret_why, CVG_ERR_CONFIG, "there is no user to run the agent as");
    if (setgroups(0, NULL) != 0 || setresgid(user->pw_gid, user->pw_gid, user->pw_gid) != 0 ||
        setresuid(user->pw_uid, user->pw_uid, user->pw_uid) != 0)
        return fail_errno(ret_why, "cannot become the agent's user");
    if (setuid(0) == 0)
        return cvg_fail(ret_why, CVG_ERR_OWNER, "could become root again");
    /* A change of user makes the process dumpable as the system says. */
    return prctl(PR_SET_DUMPABLE, 0) == 0 ? CVG_OK : fail_errno(ret_why, "PR_SET_DUMPABLE");
}
