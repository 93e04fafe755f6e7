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

#define BACKLOG      4096
#define ACTIVATED_FD 3 /* the first of the service manager's descriptors */
#define PAUSE_MS     5

static bool socket_address(const struct cvg_paths *paths, struct sockaddr_un *ret_address)
{
    int len;

    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    len = snprintf(ret_address->sun_path, sizeof ret_address->sun_path, "%s/agent.sock",
                   paths->runtime_dir);
    return len > 0 && (size_t)len < sizeof ret_address->sun_path;
}

static bool somebody_listens(const struct cvg_paths *paths)
{
    struct sockaddr_un address;
    int fd, result;

    if (!socket_address(paths, &address))
        return false;
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    result = fd < 0 ? -1 : connect(fd, (struct sockaddr *)&address, sizeof address);
    if (fd >= 0)
        close(fd);
    return result == 0;
}

/* EXISTS: another agent is there. BUSY: another holds the lock, but is only beginning or ending. */
static enum cvg_error try_lock(const struct cvg_paths *paths, int fd)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return CVG_OK;
    if (errno != EWOULDBLOCK)
        return CVG_ERR_IO;
    return somebody_listens(paths) ? CVG_ERR_EXISTS : CVG_ERR_BUSY;
}

enum cvg_error cvg_process_lock(const struct cvg_paths *paths, unsigned timeout_ms, int *ret_fd,
                                struct cvg_why *ret_why)
{
    char path[CVG_PATH_MAX + 16];
    enum cvg_error err;
    int fd;

    snprintf(path, sizeof path, "%s/agent.lock", paths->runtime_dir);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return cvg_fail(ret_why, CVG_ERR_IO, "cannot open %s: %s", path, strerror(errno));
    err = try_lock(paths, fd);
    for (unsigned waited = 0; err == CVG_ERR_BUSY && waited < timeout_ms; waited += PAUSE_MS) {
        poll(NULL, 0, PAUSE_MS);
        err = try_lock(paths, fd);
    }
    if (err == CVG_OK) {
        *ret_fd = fd;
        return CVG_OK;
    }
    close(fd);
    if (err == CVG_ERR_IO)
        return cvg_fail(ret_why, err, "cannot lock %s", path);
    return cvg_fail(ret_why, err, "another agent is running");
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
