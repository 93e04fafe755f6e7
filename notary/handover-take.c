/* SPDX-License-Identifier: MIT */
/* The new process's side of a hand-over; it has nothing else to do meanwhile, so it blocks. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "notary/handover-wire.h"
#include "notary/handover.h"

/* A connection whose reads and writes give up in time. */
static int open_connection(unsigned timeout_ms)
{
    const struct timeval limit = {.tv_sec = timeout_ms / 1000,
                                  .tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0 ||
                    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) != 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

static enum cvg_error connect_to(const char *path, unsigned timeout_ms, int *ret_connection,
                                 struct cvg_why *why)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path))
        return cvg_fail(why, CVG_ERR_RANGE, "control: %s is too long for a socket's path", path);
    memcpy(address.sun_path, path, strlen(path));
    int fd = open_connection(timeout_ms);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0) {
        *ret_connection = fd;
        return CVG_OK;
    }
    int problem = errno;
    if (fd >= 0)
        close(fd);
    return cvg_fail(why,
                    problem == ENOENT || problem == ECONNREFUSED ? CVG_ERR_NOT_FOUND : CVG_ERR_IO,
                    "control: %s: %s", path, strerror(problem));
}

static enum cvg_error receive_all(int connection, struct cvg_sockets *sockets, struct cvg_why *why)
{
    char kind = 'S';
    enum cvg_error err = cvg_handover_send(connection, 'T');
    while (err == CVG_OK && kind == 'S')
        err = cvg_handover_receive(connection, sockets, &kind);
    if (err == CVG_OK && kind != 'E')
        err = CVG_ERR_PROTOCOL;
    if (err == CVG_ERR_BUSY)
        err = CVG_ERR_TIMEOUT;
    return err == CVG_OK ? CVG_OK
                         : cvg_fail(why, err, "the running notary does not give its sockets: %s",
                                    cvg_strerror(err));
}

enum cvg_error cvg_handover_take(const char *path, unsigned timeout_ms,
                                 struct cvg_sockets *ret_sockets, int *ret_connection,
                                 struct cvg_why *ret_why)
{
    struct cvg_sockets sockets = {.socket = NULL};
    int connection = -1;
    enum cvg_error err = connect_to(path, timeout_ms, &connection, ret_why);
    if (err != CVG_OK)
        return err;
    err = receive_all(connection, &sockets, ret_why);
    if (err != CVG_OK) {
        close(connection);
        cvg_sockets_close(&sockets);
        return err;
    }
    *ret_sockets = sockets;
    *ret_connection = connection;
    return CVG_OK;
}

enum cvg_error cvg_handover_ready(int connection)
{
    enum cvg_error err = cvg_handover_send(connection, 'R');
    close(connection);
    return err;
}
