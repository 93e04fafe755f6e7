/* SPDX-License-Identifier: MIT */
/* Starts converge-agent from a process that may be anything: twice forked, so that it has another
 * parent; with a clean environment and no descriptors but one, on which it says that it is ready.
 */
#include "common/libconverge/agent-start.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/client/client.h"

#define READY_FD     3
#define READY_WORD   "ready\n"
#define ERRORS_MAX   4096
#define RETRY_MIN_MS 2
#define RETRY_MAX_MS 50

/* What tells the agent which installation it serves; everything else stays behind. */
static const char *const inherited[] = {
    "CONVERGE_CONFIG_DIR", "HOME",           "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",     "XDG_CACHE_HOME", "XDG_DATA_HOME",
};
#define INHERITED_COUNT (sizeof inherited / sizeof inherited[0])

struct start {
    const char *program;
    char *environment[INHERITED_COUNT + 2];
    int ready[2];
    int errors; /* a sealed memory file: what the agent says before it gives up */
};

static enum cvg_error find_program(const char **ret_program, struct cvg_why *ret_why)
{
    const char *program = secure_getenv("CONVERGE_AGENT");

    if (program == NULL)
        program = CVG_LIBEXECDIR "/converge-agent";
    if (program[0] != '/')
        return cvg_fail(ret_why, CVG_ERR_CONFIG, "CONVERGE_AGENT must be an absolute path, not %s",
                        program);
    if (access(program, X_OK) != 0)
        return cvg_fail(ret_why, CVG_ERR_NOT_FOUND, "cannot run the agent %s: %s", program,
                        strerror(errno));
    *ret_program = program;
    return CVG_OK;
}

static void free_environment(struct start *start)
{
    for (size_t i = 0; start->environment[i] != NULL; i++)
        free(start->environment[i]);
}

static enum cvg_error make_environment(struct start *start)
{
    size_t count = 0;

    start->environment[count] = strdup("PATH=/usr/sbin:/usr/bin:/sbin:/bin");
    if (start->environment[count] == NULL)
        return CVG_ERR_NOMEM;
    count++;
    for (size_t i = 0; i < INHERITED_COUNT; i++) {
        const char *value = secure_getenv(inherited[i]);

        if (value == NULL)
            continue;
        if (asprintf(&start->environment[count], "%s=%s", inherited[i], value) < 0) {
            start->environment[count] = NULL;
            return CVG_ERR_NOMEM;
        }
        count++;
    }
    return CVG_OK;
}

/* A file that cannot grow: an agent that goes on talking harms nobody, and gets no SIGPIPE. */
static int open_errors(void)
{
    int fd = memfd_create("converge-agent errors", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd >= 0 && (ftruncate(fd, ERRORS_MAX) != 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_GROW) != 0)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* From here to execve: only calls that are safe after a fork of a threaded program. */
static void reset_signals(void)
{
    struct sigaction action;
    sigset_t none;

    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; number++)
        sigaction(number, &action, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The descriptors may be anything, also 0 to 3 themselves: lift them out of the way first. */
static bool arrange_descriptors(const struct start *start)
{
    int ready = fcntl(start->ready[1], F_DUPFD, READY_FD + 1);
    int errors = fcntl(start->errors, F_DUPFD, READY_FD + 1);
    int null = open("/dev/null", O_RDWR);

    if (ready < 0 || errors < 0 || null < 0)
        return false;
    if (dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(errors, 2) < 0 || dup2(ready, READY_FD) < 0)
        return false;
    closefrom(READY_FD + 1);
    return true;
}

static void say_errno(const char *what)
{
    const char *reason = strerrordesc_np(errno);

    if (write(2, what, strlen(what)) < 0 || reason == NULL || write(2, reason, strlen(reason)) < 0)
        return;
}

static void run_agent(const struct start *start)
{
    char word[] = "converge-agent", foreground[] = "--foreground", option[] = "--ready-fd",
         number[] = "3";
    char *arguments[] = {word, foreground, option, number, NULL};

    umask(077);
    if (chdir("/") != 0 || !arrange_descriptors(start))
        _exit(1);
    reset_signals();
    execve(start->program, arguments, start->environment);
    say_errno("cannot be executed: ");
    _exit(1);
}

static enum cvg_error fork_agent(const struct start *start, struct cvg_why *ret_why)
{
    pid_t pid = fork();

    if (pid < 0)
        return cvg_fail(ret_why, CVG_ERR_IO, "cannot fork: %s", strerror(errno));
    if (pid == 0) {
        setsid();
        pid = fork();
        if (pid == 0)
            run_agent(start);
        _exit(pid < 0 ? 1 : 0);
    }
    /* A host that ignores SIGCHLD, or waits for everything, may have been faster. */
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return CVG_OK;
}

static int left_ms(uint64_t deadline_ms)
{
    uint64_t now = cvg_clock_ms(cvg_clock_system());

    return now >= deadline_ms ? 0 : (int)(deadline_ms - now);
}

/* OK: the agent said that it is ready. UNREACHABLE: it hung up without. */
static enum cvg_error wait_ready(int fd, uint64_t deadline_ms)
{
    char text[sizeof READY_WORD - 1];
    size_t have = 0;

    while (have < sizeof text) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        int count = poll(&poll_fd, 1, left_ms(deadline_ms));
        ssize_t got;

        if (count == 0)
            return CVG_ERR_TIMEOUT;
        if (count < 0 && errno != EINTR)
            return CVG_ERR_IO;
        if (count < 0)
            continue;
        got = read(fd, text + have, sizeof text - have);
        if (got == 0)
            return CVG_ERR_UNREACHABLE;
        if (got < 0 && errno != EINTR)
            return CVG_ERR_IO;
        have += got > 0 ? (size_t)got : 0;
    }
    return memcmp(text, READY_WORD, sizeof text) == 0 ? CVG_OK : CVG_ERR_PROTOCOL;
}

/* The first line the agent wrote to its standard error; false if it wrote none. */
static bool read_errors(int fd, char ret_line[static CVG_WHY_MAX])
{
    ssize_t got = pread(fd, ret_line, CVG_WHY_MAX - 1, 0);

    if (got <= 0)
        return false;
    ret_line[got] = '\0';
    ret_line[strcspn(ret_line, "\n")] = '\0';
    return ret_line[0] != '\0';
}

static enum cvg_error can_connect(const struct cvg_paths *paths, uint64_t deadline_ms,
                                  struct cvg_why *ret_why)
{
    int fd = -1;
    enum cvg_error err = cvg_client_connect(paths, deadline_ms, &fd, ret_why);

    if (err == CVG_OK)
        close(fd);
    return err;
}

/* Another starter was faster and its agent holds the lock, but may not listen yet. */
static enum cvg_error wait_for_other(const struct cvg_paths *paths, uint64_t deadline_ms,
                                     struct cvg_why *ret_why)
{
    int pause_ms = RETRY_MIN_MS;

    for (;;) {
        enum cvg_error err = can_connect(paths, deadline_ms, ret_why);

        if (err == CVG_OK || err == CVG_ERR_OWNER)
            return err;
        if (left_ms(deadline_ms) <= pause_ms)
            return cvg_fail(ret_why, CVG_ERR_TIMEOUT, "the agent was not ready in time");
        poll(NULL, 0, pause_ms);
        if (pause_ms < RETRY_MAX_MS)
            pause_ms *= 2;
    }
}

static enum cvg_error start_and_wait(struct start *start, const struct cvg_paths *paths,
                                     uint64_t deadline_ms, struct cvg_why *ret_why)
{
    char line[CVG_WHY_MAX];
    enum cvg_error err = fork_agent(start, ret_why);

    if (err != CVG_OK)
        return err;
    close(start->ready[1]);
    start->ready[1] = -1;
    err = wait_ready(start->ready[0], deadline_ms);
    if (err == CVG_ERR_TIMEOUT)
        return cvg_fail(ret_why, err, "the agent was not ready in time");
    if (err != CVG_OK && read_errors(start->errors, line))
        return cvg_fail(ret_why, CVG_ERR_REFUSED, "%s: %s", start->program, line);
    return wait_for_other(paths, deadline_ms, ret_why);
}

enum cvg_error cvg_agent_start(const struct cvg_paths *paths, unsigned timeout_ms,
                               struct cvg_why *ret_why)
{
    uint64_t deadline_ms = cvg_clock_ms(cvg_clock_system()) + timeout_ms;
    struct start start = {.ready = {-1, -1}, .errors = -1};
    enum cvg_error err = can_connect(paths, deadline_ms, ret_why);

    if (err == CVG_OK || err == CVG_ERR_OWNER)
        return err;
    if (paths->kind == CVG_AGENT_SYSTEM && geteuid() != 0)
        return cvg_fail(
            ret_why, CVG_ERR_CONFIG,
            "the system's agent is not running, and only root can start it, for instance by "
            "`sudo converge notary test`");
    err = find_program(&start.program, ret_why);
    if (err == CVG_OK && make_environment(&start) != CVG_OK)
        err = cvg_fail(ret_why, CVG_ERR_NOMEM, "%s", cvg_strerror(CVG_ERR_NOMEM));
    if (err == CVG_OK && pipe2(start.ready, O_CLOEXEC) != 0)
        err = cvg_fail(ret_why, CVG_ERR_IO, "cannot make a pipe: %s", strerror(errno));
    if (err == CVG_OK && (start.errors = open_errors()) < 0)
        err = cvg_fail(ret_why, CVG_ERR_IO, "cannot make a memory file: %s", strerror(errno));
    if (err == CVG_OK)
        err = start_and_wait(&start, paths, deadline_ms, ret_why);
    free_environment(&start);
    for (size_t i = 0; i < 2; i++)
        if (start.ready[i] >= 0)
            close(start.ready[i]);
    if (start.errors >= 0)
        close(start.errors);
    return err;
}
