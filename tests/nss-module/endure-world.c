/* SPDX-License-Identifier: MIT */
/* Scenes in which the process takes something away from its libraries: descriptors, rights, files,
 * its peace. */
#include "config.h"

#include "tests/nss-module/endure.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define NOBODY 65534

/* The question is on its way. */
static void open_asked(struct talk *talk)
{
    options.nonblocking = true;
    if (!talk_open(talk))
        abort();
    while (agent_descriptors() == 0 && talk_step(talk) == STEP_AGAIN)
        ;
}

/* Closes local sockets, which are none of this program's: as one that closes what it does not know.
 * Their numbers are taken by something else at once, with data to read. */
static int take_agents_descriptors(void)
{
    int taken = 0;

    for (int fd = 3; fd < 1024; fd++) {
        int domain = 0;
        socklen_t len = sizeof domain;
        int pipes[2];

        if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) != 0 || domain != AF_UNIX)
            continue;
        if (pipe(pipes) != 0 || write(pipes[1], "theirs", 6) != 6 || dup2(pipes[0], fd) != fd)
            abort();
        close(pipes[0]);
        taken++;
    }
    return taken;
}

int scene_close_sockets(void)
{
    char data[8];
    struct talk talk;

    nss_start();
    open_asked(&talk);
    printf("taken=%d\n", take_agents_descriptors());
    talk_finish(&talk);
    for (int fd = 3; fd < 1024; fd++) {
        int flags = fcntl(fd, F_GETFL);

        if (flags != -1 && (flags & O_ACCMODE) == O_RDONLY && fcntl(fd, F_GETPIPE_SZ) > 0)
            printf("theirs=%d\n", (int)read(fd, data, sizeof data));
    }
    return nss_stop_and_tell(0);
}

/* Everything but the standard descriptors; the libraries learn of it by their errors. */
int scene_close_all(void)
{
    struct talk talk;

    nss_start();
    for (unsigned i = 0; i < options.count; i++) {
        open_asked(&talk);
        close_range(3, ~0U, 0);
        talk_finish(&talk);
        options.nonblocking = i % 2;
        talk_once();
    }
    printf("agents=%d\n", agent_descriptors());
    return 0;
}

/* After the connection no descriptor is to be had. */
int scene_no_descriptors(void)
{
    struct rlimit limit, none;
    struct talk talk;
    int spare;

    nss_start();
    talk_once();
    if (!talk_open(&talk) || getrlimit(RLIMIT_NOFILE, &limit) != 0)
        abort();
    spare = dup(0);
    none = limit;
    none.rlim_cur = (rlim_t)spare;
    close(spare);
    if (setrlimit(RLIMIT_NOFILE, &none) != 0)
        abort();
    talk_finish(&talk);
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        abort();
    talk_once();
    return nss_stop_and_tell(0);
}

static void note(int signal)
{
    (void)signal;
}

/* Every wait is interrupted, a thousand times a second; writing to who has gone would end it. */
int scene_signals(void)
{
    const struct itimerval storm = {{0, 1000}, {0, 1000}}, calm = {{0, 0}, {0, 0}};
    struct sigaction action = {.sa_handler = note};

    nss_start();
    signal(SIGPIPE, SIG_DFL);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &storm, NULL);
    for (unsigned i = 0; i < options.count; i++)
        talk_once();
    setitimer(ITIMER_REAL, &calm, NULL);
    return nss_stop_and_tell(0);
}

/* As daemons do once they have what they need. */
int scene_other_user(void)
{
    nss_start();
    talk_once();
    if (setresgid(NOBODY, NOBODY, NOBODY) != 0 || setresuid(NOBODY, NOBODY, NOBODY) != 0)
        return 77;
    talk_once();
    return nss_stop_and_tell(0);
}

/* Into a place of our own, as root or as the root of a name space. */
static bool own_mounts(void)
{
    int flags = geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS;

    return unshare(flags) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* A root directory with nothing in it but its own /proc/self. */
int scene_chroot(void)
{
    nss_start();
    talk_once();
    if (!own_mounts() || mount("tmpfs", "/proc", "tmpfs", 0, NULL) != 0 || chroot("/proc") != 0 ||
        chdir("/") != 0)
        return 77;
    talk_once();
    printf("agents=%d\n", agent_descriptors());
    return 0;
}

int scene_no_proc(void)
{
    if (!own_mounts() || mount("tmpfs", "/proc", "tmpfs", 0, NULL) != 0)
        return 77;
    return scene_connect();
}

/* What is printed goes to a copy; what would go to 0, 1 or 2 fails. */
int scene_closed_standard(void)
{
    int copy = fcntl(1, F_DUPFD_CLOEXEC, 10), low = 0;
    struct talk talk;

    nss_start();
    options.nonblocking = true;
    if (!talk_open(&talk))
        abort();
    for (int fd = 0; fd <= 2; fd++)
        close(fd);
    talk_step(&talk);
    while (agent_descriptors() == 0 && talk_step(&talk) == STEP_AGAIN)
        ;
    for (int fd = 0; fd <= 2; fd++)
        low += fcntl(fd, F_GETFD) != -1;
    dup2(copy, 1);
    talk_finish(&talk);
    printf("low=%d agents=%d\n", low, agent_descriptors());
    return 0;
}
