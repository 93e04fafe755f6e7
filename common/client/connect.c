/* SPDX-License-Identifier: MIT */
/* Which socket to believe: who could have put it there, and who listens. */
#include "common/client/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/clock.h"

#define RETRY_MAX_MS 16

/* A user's runtime directory must be closed to all others; the system's must only be safe from
 * them, because everybody asks there. */
static enum cvg_error check_directory(const struct cvg_paths *paths, struct cvg_why *why)
{
    bool user = paths->kind == CVG_AGENT_USER;
    mode_t forbidden = user ? S_IRWXG | S_IRWXO : S_IWGRP | S_IWOTH;
    struct stat st;

    if (stat(paths->runtime_dir, &st) != 0)
        return cvg_fail(why, CVG_ERR_UNREACHABLE, "no agent: %s: %s", paths->runtime_dir,
                        strerrordesc_np(errno));
    if (!S_ISDIR(st.st_mode) || (st.st_mode & forbidden) != 0 ||
        (st.st_uid != paths->owner && (user || st.st_uid != 0)))
        return cvg_fail(why, CVG_ERR_OWNER,
                        "%s is not believed: it must be a directory of uid %u%s, not %s by others",
                        paths->runtime_dir, (unsigned)paths->owner, user ? "" : " or root",
                        user ? "accessible" : "writable");
    return CVG_OK;
}

static enum cvg_error check_listener(int fd, const struct cvg_paths *paths, struct cvg_why *why)
{
    struct ucred peer = {.uid = (uid_t)-1};
    socklen_t len = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 || len != sizeof peer)
        return cvg_fail(why, CVG_ERR_IO, "%s/agent.sock: cannot tell who listens",
                        paths->runtime_dir);
    if (peer.uid == paths->owner || (peer.uid == 0 && paths->kind == CVG_AGENT_SYSTEM))
        return CVG_OK;
    return cvg_fail(why, CVG_ERR_OWNER,
                    "%s/agent.sock is not believed: uid %u listens there, not uid %u",
                    paths->runtime_dir, (unsigned)peer.uid, (unsigned)paths->owner);
}

/* A socket of ours. A daemon may have closed 0, 1 and 2 and still have code that writes there,
 * which must not end up in a message to the agent. */
static int open_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int high;

    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    high = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close(fd);
    return high;
}

/* A full backlog cannot be polled for: try again, ever less often, until the deadline. */
static enum cvg_error connect_until(int fd, const struct sockaddr_un *address, uint64_t deadline_ms)
{
    const struct cvg_clock *clock = cvg_clock_system();

    for (int pause_ms = 1;; pause_ms = pause_ms < RETRY_MAX_MS ? 2 * pause_ms : RETRY_MAX_MS) {
        uint64_t now;

        if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0)
            return CVG_OK;
        if (errno != EAGAIN && errno != EINTR)
            return CVG_ERR_UNREACHABLE;
        now = cvg_clock_ms(clock);
        if (now >= deadline_ms)
            return CVG_ERR_TIMEOUT;
        if (deadline_ms - now < (uint64_t)pause_ms)
            pause_ms = (int)(deadline_ms - now);
        poll(NULL, 0, pause_ms);
    }
}

enum cvg_error cvg_client_connect(const struct cvg_paths *paths, uint64_t deadline_ms, int *ret_fd,
                                  struct cvg_why *ret_why)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int len =
        snprintf(address.sun_path, sizeof address.sun_path, "%s/agent.sock", paths->runtime_dir);
    enum cvg_error err;
    int fd;

    if (len < 0 || (size_t)len >= sizeof address.sun_path)
        return cvg_fail(ret_why, CVG_ERR_RANGE,
                        "%s: too long for a socket; at most %zu octets are allowed",
                        paths->runtime_dir, sizeof address.sun_path - sizeof "/agent.sock");
    err = check_directory(paths, ret_why);
    if (err != CVG_OK)
        return err;
    fd = open_socket();
    if (fd < 0)
        return cvg_fail(ret_why, CVG_ERR_IO, "no socket: %s", strerrordesc_np(errno));
    err = connect_until(fd, &address, deadline_ms);
    if (err != CVG_OK)
        err = cvg_fail(ret_why, err, "no agent: %s: %s", address.sun_path,
                       err == CVG_ERR_TIMEOUT ? "nobody accepts" : strerrordesc_np(errno));
    else
        err = check_listener(fd, paths, ret_why);
    if (err != CVG_OK) {
        close(fd);
        return err;
    }
    *ret_fd = fd;
    return CVG_OK;
}
