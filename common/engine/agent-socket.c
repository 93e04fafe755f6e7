/* SPDX-License-Identifier: MIT */
/* The agent's lock and its listening socket. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/engine/agent-process.h"

#define BACKLOG        4096
#define ACTIVATED_FD   3 /* the first of the service manager's descriptors */
#define AWAIT_PAUSE_MS 5

enum cvg_error cvg_process_lock(const struct cvg_paths *paths, int *ret_fd, struct cvg_why *ret_why)
{
    char path[CVG_PATH_MAX + 16];
    int fd;

    snprintf(path, sizeof path, "%s/agent.lock", paths->runtime_dir);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return cvg_fail(ret_why, CVG_ERR_IO, "cannot open %s: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int saved = errno;

        close(fd);
        if (saved == EWOULDBLOCK)
            return cvg_fail(ret_why, CVG_ERR_EXISTS, "another agent is running");
        return cvg_fail(ret_why, CVG_ERR_IO, "cannot lock %s: %s", path, strerror(saved));
    }
    *ret_fd = fd;
    return CVG_OK;
}

static bool is_seqpacket_listener(int fd)
{
    int type = 0, listening = 0, domain = 0;
    socklen_t len = sizeof type;

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_SEQPACKET &&
           getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX &&
           getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening == 1;
}

enum cvg_error cvg_process_activated_socket(int *ret_fd, struct cvg_why *ret_why)
{
    const char *pid = secure_getenv("LISTEN_PID"), *count = secure_getenv("LISTEN_FDS");
    char *end;

    if (pid == NULL || count == NULL)
        return CVG_ERR_NOT_FOUND;
    if (strtol(pid, &end, 10) != (long)getpid() || *end != '\0')
        return CVG_ERR_NOT_FOUND;
    if (strcmp(count, "1") != 0 || !is_seqpacket_listener(ACTIVATED_FD))
        return cvg_fail(ret_why, CVG_ERR_CONFIG,
                        "the service manager must hand over one listening SOCK_SEQPACKET socket");
    if (fcntl(ACTIVATED_FD, F_SETFD, FD_CLOEXEC) != 0 ||
        fcntl(ACTIVATED_FD, F_SETFL, O_NONBLOCK) != 0)
        return cvg_fail(ret_why, CVG_ERR_IO, "fcntl: %s", strerror(errno));
    *ret_fd = ACTIVATED_FD;
    return CVG_OK;
}

static bool socket_address(const struct cvg_paths *paths, struct sockaddr_un *ret_address)
{
    int len;

    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    len = snprintf(ret_address->sun_path, sizeof ret_address->sun_path, "%s/agent.sock",
                   paths->runtime_dir);
    return len > 0 && (size_t)len < sizeof ret_address->sun_path;
}

enum cvg_error cvg_process_listen(const struct cvg_paths *paths, int *ret_fd,
                                  struct cvg_why *ret_why)
{
    mode_t mode = paths->kind == CVG_AGENT_SYSTEM ? 0666 : 0600;
    struct sockaddr_un address;
    int fd;

    if (!socket_address(paths, &address))
        return cvg_fail(ret_why, CVG_ERR_RANGE, "%s is too long a path for a socket",
                        paths->runtime_dir);
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return cvg_fail(ret_why, CVG_ERR_IO, "socket: %s", strerror(errno));
    if ((unlink(address.sun_path) != 0 && errno != ENOENT) ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        chmod(address.sun_path, mode) != 0 || listen(fd, BACKLOG) != 0) {
        int saved = errno;

        close(fd);
        return cvg_fail(ret_why, CVG_ERR_IO, "cannot listen at %s: %s", address.sun_path,
                        strerror(saved));
    }
    *ret_fd = fd;
    return CVG_OK;
}

bool cvg_process_await_listener(const struct cvg_paths *paths, unsigned timeout_ms)
{
    struct sockaddr_un address;

    if (!socket_address(paths, &address))
        return false;
    for (unsigned waited = 0; waited < timeout_ms; waited += AWAIT_PAUSE_MS) {
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        int result = fd < 0 ? -1 : connect(fd, (struct sockaddr *)&address, sizeof address);

        if (fd >= 0)
            close(fd);
        if (result == 0)
            return true;
        poll(NULL, 0, AWAIT_PAUSE_MS);
    }
    return false;
}
