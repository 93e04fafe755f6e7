/* SPDX-License-Identifier: MIT */
/* One message out or in, before a deadline, over a socket that never blocks. */
#include "common/client/client.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "common/base/clock.h"

#define SMALL 4096 /* up to here a message's place is made before its size is known */

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

/* Takes the next message, or (peek) only tells its size. An empty one is as good as a hang-up. */
static enum cvg_error next_message(int fd, bool peek, void *place, size_t size,
                                   uint64_t deadline_ms, size_t *ret_len)
{
    for (;;) {
        enum cvg_error err = wait_for(fd, POLLIN, deadline_ms);
        ssize_t n;

        if (err != CVG_OK)
            return err;
        n = recv(fd, place, size, MSG_TRUNC | MSG_DONTWAIT | (peek ? MSG_PEEK : 0));
        if (n == 0)
            return CVG_ERR_UNREACHABLE;
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
    size_t size = ret_message->max, len = 0;
    enum cvg_error err = CVG_OK;
    uint8_t *place, none;

    cvg_buffer_clear(ret_message);
    if (size > SMALL)
        err = next_message(fd, true, &none, sizeof none, deadline_ms, &size);
    if (err == CVG_OK && size > ret_message->max)
        err = CVG_ERR_PROTOCOL;
    if (err != CVG_OK)
        return err;
    place = cvg_buffer_extend(ret_message, size);
    if (place == NULL)
        return cvg_buffer_error(ret_message);
    err = next_message(fd, false, place, size, deadline_ms, &len);
    if (err == CVG_OK && len > size)
        err = CVG_ERR_PROTOCOL;
    ret_message->len = err == CVG_OK ? len : 0;
    ret_message->data[ret_message->len] = 0;
    return err;
}
