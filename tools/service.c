/* SPDX-License-Identifier: MIT */
/* Runs systemctl and systemd-sysusers: from fixed places, with an environment of their own, and not
 * for ever. */
#include "tools/service.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/buffer.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "tools/rehearsal.h"

#define SYSTEMCTL      "/usr/bin/systemctl"
#define SYSTEMCTL_ELSE "/bin/systemctl"
#define SYSUSERS       "/usr/bin/systemd-sysusers"
#define SYSUSERS_ELSE  "/bin/systemd-sysusers"
#define AGENTS_USER    CVG_SYSUSERSDIR "/converge-agent.conf"
#define TIMEOUT_MS     60000
#define SAID_MAX       4096
#define VARIABLES_MAX  5

static const char *either(const char *path, const char *other)
{
    return access(path, X_OK) == 0 ? path : access(other, X_OK) == 0 ? other : NULL;
}

static const char *systemctl(void)
{
    return either(SYSTEMCTL, SYSTEMCTL_ELSE);
}

/* As sd_booted(3) has it; a user's manager has its socket in the user's runtime directory. */
bool cvg_service_here(enum cvg_service_manager manager)
{
    const char *runtime = secure_getenv("XDG_RUNTIME_DIR");
    char path[512] = "/run/systemd/system";
    struct stat st;

    if (manager == CVG_SERVICE_USER &&
        (runtime == NULL || snprintf(path, sizeof path, "%s/systemd", runtime) >= (int)sizeof path))
        return false;
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && systemctl() != NULL;
}

/* Ours without what could make systemctl do another thing: an editor, a pager, another manager. */
struct environment {
    char *variable[VARIABLES_MAX + 1];
    char text[VARIABLES_MAX][512];
};

static void fill_environment(struct environment *environment)
{
    static const char *const kept[] = {"HOME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"};
    size_t count = 0;

    snprintf(environment->text[count++], 512, "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
    snprintf(environment->text[count++], 512, "LC_ALL=C");
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        const char *value = secure_getenv(kept[i]);

        if (value != NULL && snprintf(environment->text[count], 512, "%s=%s", kept[i], value) < 512)
            count++;
    }
    for (size_t i = 0; i < count; i++)
        environment->variable[i] = environment->text[i];
    environment->variable[count] = NULL;
}

static int spawn(char *const arguments[], int output, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    struct environment environment;
    int code = posix_spawn_file_actions_init(&actions);

    if (code != 0)
        return code;
    fill_environment(&environment);
    code = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (code == 0)
        code = posix_spawn_file_actions_adddup2(&actions, output, 1);
    if (code == 0)
        code = posix_spawn_file_actions_adddup2(&actions, output, 2);
    if (code == 0)
        code = posix_spawn(ret_pid, arguments[0], &actions, NULL, arguments, environment.variable);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

/* What it says, until it closes its output or time is up. */
static void listen_to(int fd, struct cvg_buffer *said)
{
    uint64_t deadline_ms = cvg_clock_ms(cvg_clock_system()) + TIMEOUT_MS;
    char chunk[512];

    for (;;) {
        struct pollfd polled = {.fd = fd, .events = POLLIN};
        uint64_t now = cvg_clock_ms(cvg_clock_system());
        ssize_t got;

        if (now >= deadline_ms || poll(&polled, 1, (int)(deadline_ms - now)) == 0)
            return;
        got = read(fd, chunk, sizeof chunk);
        if (got == 0 || (got < 0 && errno != EINTR))
            return;
        if (got > 0 && said->len + (size_t)got <= SAID_MAX)
            (void)cvg_buffer_put(said, chunk, (size_t)got);
    }
}

/* Its exit status, or -1 after saying why it could not be run. */
static int run(char *const arguments[], struct cvg_buffer *said, struct cvg_why *ret_why)
{
    int ends[2], status = 0, code;
    pid_t pid = -1;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        cvg_fail(ret_why, CVG_ERR_IO, "cannot make a pipe: %s", strerrordesc_np(errno));
        return -1;
    }
    code = spawn(arguments, ends[1], &pid);
    close(ends[1]);
    if (code == 0) {
        listen_to(ends[0], said);
        kill(pid, SIGKILL); /* its output is closed: it has ended, or never will */
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
    }
    close(ends[0]);
    if (code != 0) {
        cvg_fail(ret_why, CVG_ERR_IO, "cannot start %s: %s", arguments[0], strerrordesc_np(code));
        return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The program's status becomes an error, with what it said. what: the command, for people. */
static enum cvg_error finish(char *const arguments[], const char *what, struct cvg_why *ret_why)
{
    struct cvg_buffer said;
    int status;

    cvg_buffer_init(&said, SAID_MAX);
    status = run(arguments, &said, ret_why);
    if (status > 0) {
        if (said.data != NULL)
            cvg_mask_controls((char *)said.data);
        cvg_fail(ret_why, CVG_ERR_REFUSED, "%s ended with status %d: %.300s", what, status,
                 said.data != NULL ? (const char *)said.data : "");
    }
    cvg_buffer_free(&said);
    return status == 0 ? CVG_OK : status < 0 ? CVG_ERR_IO : CVG_ERR_REFUSED;
}

/* words: up to three, and NULL. */
static enum cvg_error call(enum cvg_service_manager manager, const char *const words[],
                           struct cvg_why *ret_why)
{
    char text[8][256] = {""}, what[520];
    char *arguments[9] = {NULL};
    size_t count = 0;

    snprintf(text[count++], sizeof text[0], "%s", systemctl() != NULL ? systemctl() : SYSTEMCTL);
    if (manager == CVG_SERVICE_USER)
        snprintf(text[count++], sizeof text[0], "--user");
    snprintf(text[count++], sizeof text[0], "--no-ask-password");
    for (size_t i = 0; i < 3 && words[i] != NULL; i++)
        snprintf(text[count++], sizeof text[0], "%s", words[i]);
    for (size_t i = 0; i < count; i++)
        arguments[i] = text[i];
    snprintf(what, sizeof what, "systemctl %s %s", words[0], words[1] != NULL ? words[1] : "");
    return finish(arguments, what, ret_why);
}

static enum cvg_error change(enum cvg_service_manager manager, const char *const words[],
                             struct cvg_why *ret_why)
{
    if (!cvg_rehearsal_is_on())
        return call(manager, words, ret_why);
    cvg_rehearsal_step("run systemctl %s%s%s%s%s%s", manager == CVG_SERVICE_USER ? "--user " : "",
                       words[0], words[1] != NULL ? " " : "", words[1] != NULL ? words[1] : "",
                       words[1] != NULL ? " " : "", words[1] != NULL ? words[2] : "");
    return CVG_OK;
}

bool cvg_service_is_enabled(enum cvg_service_manager manager, const char *unit)
{
    const char *const words[] = {"is-enabled", "--quiet", unit};

    return call(manager, words, NULL) == CVG_OK;
}

enum cvg_error cvg_service_enable(enum cvg_service_manager manager, const char *unit,
                                  struct cvg_why *ret_why)
{
    const char *const words[] = {"enable", "--now", unit};

    return change(manager, words, ret_why);
}

enum cvg_error cvg_service_disable(enum cvg_service_manager manager, const char *unit,
                                   struct cvg_why *ret_why)
{
    const char *const words[] = {"disable", "--now", unit};

    return change(manager, words, ret_why);
}

enum cvg_error cvg_service_reload(enum cvg_service_manager manager, struct cvg_why *ret_why)
{
    const char *const words[] = {"daemon-reload", NULL, NULL};

    return change(manager, words, ret_why);
}

enum cvg_error cvg_service_make_user(struct cvg_why *ret_why)
{
    const char *program = either(SYSUSERS, SYSUSERS_ELSE);
    char path[sizeof SYSUSERS], file[] = AGENTS_USER;
    char *arguments[] = {path, file, NULL};

    if (program == NULL || access(AGENTS_USER, R_OK) != 0)
        return CVG_OK;
    if (cvg_rehearsal_is_on()) {
        cvg_rehearsal_step("run systemd-sysusers %s", AGENTS_USER);
        return CVG_OK;
    }
    snprintf(path, sizeof path, "%s", program);
    return finish(arguments, "systemd-sysusers " AGENTS_USER, ret_why);
}
