/* SPDX-License-Identifier: MIT */
/* Starts and ends the programs that doctor and the canary look at. */
#include "tools/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_variable(const char *entry, const char *name)
{
    size_t len = strlen(name);

    return strncmp(entry, name, len) == 0 && entry[len] == '=';
}

/* Our environment with two variables exchanged, and without CONVERGE: what is looked at is whether
 * the checks work, not whether somebody has switched them off here. The array is one allocation with the two texts
 * behind it, so that freeing it frees everything that is not environ's. */
static char **make_environment(const char *openssl_conf, const char *config_dir)
{
    const char *names[] = {"OPENSSL_CONF", "CONVERGE_CONFIG_DIR"};
    const char *values[] = {openssl_conf, config_dir};
    size_t count = 0, used = 0, room = 0;
    char **made;
    char *text;

    while (environ[count] != NULL)
        count++;
    for (size_t i = 0; i < 2; i++)
        room += values[i] != NULL ? strlen(names[i]) + strlen(values[i]) + 2 : 0;
    made = calloc(1, (count + 3) * sizeof *made + room);
    if (made == NULL)
        return NULL;
    text = (char *)(made + count + 3);
    for (size_t i = 0; i < 2; i++) {
        if (values[i] == NULL)
            continue;
        made[used++] = text;
        text += sprintf(text, "%s=%s", names[i], values[i]) + 1;
    }
    for (size_t i = 0; i < count; i++)
        if (!is_variable(environ[i], "CONVERGE") &&
            (openssl_conf == NULL || !is_variable(environ[i], names[0])) &&
            (config_dir == NULL || !is_variable(environ[i], names[1])))
            made[used++] = environ[i];
    return made;
}

static int spawn(const char *program, char *const arguments[], char *const environment[],
                 int output, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    int code = posix_spawn_file_actions_init(&actions);

    if (code != 0)
        return code;
    code = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (code == 0)
        code = posix_spawn_file_actions_adddup2(&actions, output, 1);
    if (code == 0)
        code = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    if (code == 0)
        code = posix_spawnp(ret_pid, program, &actions, NULL, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

enum cvg_error cvg_child_start(const char *program, char *const arguments[],
                               const char *openssl_conf, const char *config_dir,
                               struct cvg_child *ret_child, struct cvg_why *ret_why)
{
    int ends[2];
    char **environment;
    int code;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return cvg_fail(ret_why, CVG_ERR_IO, "cannot make a pipe: %s", strerror(errno));
    environment = make_environment(openssl_conf, config_dir);
    code = environment != NULL ? spawn(program, arguments, environment, ends[1], &ret_child->pid)
                               : ENOMEM;
    free(environment);
    close(ends[1]);
    if (code != 0) {
        close(ends[0]);
        return cvg_fail(ret_why, CVG_ERR_IO, "cannot start %s: %s", program, strerror(code));
    }
    ret_child->output = ends[0];
    return CVG_OK;
}

int cvg_child_end(struct cvg_child *child)
{
    int status = 0;

    close(child->output);
    kill(child->pid, SIGKILL); /* its output is closed: it has ended, or never will */
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
