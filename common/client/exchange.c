/* SPDX-License-Identifier: MIT */
/* One message out or in, before a deadline, over a socket that never blocks. */
#include "common/client/client.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "common/base/clock.h"

/* Waits for the events, or TIMEOUT. A hang-up counts as ready: the next call on the socket tells.
 */
static enum cvg_error wait_for(int fd, short events, uint64_t deadline_ms)
{
    const struct cvg_clock *clock = cvg_clock_system();

    for (;;) {
        struct pollfd one = {.fd = fd, .events = events};
        uint64_t now = cvg_clock_ms(clock);
        int left = deadline_ms <= now            ? 0
                   : deadline_ms - now > INT_MAX ? INT_MAX
                                                 : (int)(deadline_ms - now);
        int ready = poll(&one, 1, left);

        if (ready > 0)
            return CVG_OK;
        if (ready < 0 && errno != EINTR)
            return CVG_ERR_IO;
        if (left == 0)
            return CVG_ERR_TIMEOUT;
    }
}

static enum cvg_error error_of_errno(void)
{
    return errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN ? CVG_ERR_UNREACHABLE
           : errno == EMSGSIZE                                        ? CVG_ERR_RANGE
           : errno == ENOMEM || errno == ENOBUFS                      ? CVG_ERR_NOMEM
                                                                      : CVG_ERR_IO;
}

enum cvg_error cvg_client_send(int fd, const void *data, size_t len, uint64_t deadline_ms)
{
    for (;;) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        enum cvg_error err;

        if (n >= 0)
            return (size_t)n == len ? CVG_OK : CVG_ERR_IO;
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            return error_of_errno();
        err = wait_for(fd, POLLOUT, deadline_ms);
        if (err != CVG_OK)
            return err;
    }
}

/* The size of the next message, which stays where it is. An empty one is as good as a hang-up. */
static enum cvg_error next_size(int fd, uint64_t deadline_ms, size_t *ret_len)
{
    for (;;) {
        char none;
        enum cvg_error err = wait_for(fd, POLLIN, deadline_ms);
        ssize_t n;

        if (err != CVG_OK)
            return err;
        n = recv(fd, &none, sizeof none, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
        if (n == 0)
            return CVG_ERR_UNREACHABLE;
        if (n > CVG_MESSAGE_MAX)
            return CVG_ERR_PROTOCOL;
        if (n > 0) {
            *ret_len = (size_t)n;
            return CVG_OK;
        }
        if (errno != EINTR && errno != EAGAIN)
            return error_of_errno();
    }
}

enum cvg_error cvg_client_receive(int fd, struct cvg_buffer *ret_message, uint64_t deadline_ms)
{
    size_t len = 0;
    enum cvg_error err = next_size(fd, deadline_ms, &len);
    uint8_t *place;
    ssize_t n;

    cvg_buffer_clear(ret_message);
    if (err != CVG_OK)
        return err;
    place = cvg_buffer_extend(ret_message, len);
    if (place == NULL)
        return cvg_buffer_error(ret_message);
    do
        n = recv(fd, place, len, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n == (ssize_t)len)
        return CVG_OK;
    err = n < 0 ? error_of_errno() : CVG_ERR_PROTOCOL;
    cvg_buffer_clear(ret_message);
    return err;
}
