/* SPDX-License-Identifier: MIT */
/* The messages of a hand-over. */
#include "notary/handover-wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

union control {
    struct cmsghdr align;
    char octets[CMSG_SPACE(CVG_HANDOVER_FDS * sizeof(int))];
};

static enum cvg_error sent(ssize_t n)
{
    if (n >= 0)
        return CVG_OK;
    return errno == EAGAIN || errno == ETOOMANYREFS ? CVG_ERR_BUSY : CVG_ERR_IO;
}

enum cvg_error cvg_handover_send_sockets(int connection, const struct cvg_sockets *sockets,
                                         size_t first, size_t *ret_sent)
{
    union control control = {.octets = {0}};
    char text[1 + CVG_HANDOVER_FDS] = "S";
    int fds[CVG_HANDOVER_FDS];
    size_t count = 0;
    while (count < CVG_HANDOVER_FDS && first + count < sockets->count) {
        fds[count] = sockets->socket[first + count].fd;
        text[1 + count] = (char)sockets->socket[first + count].service;
        count++;
    }
    struct iovec octets = {.iov_base = text, .iov_len = 1 + count};
    struct msghdr message = {.msg_iov = &octets,
                             .msg_iovlen = 1,
                             .msg_control = control.octets,
                             .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(head), fds, count * sizeof(int));
    enum cvg_error err = sent(sendmsg(connection, &message, MSG_NOSIGNAL));
    if (err == CVG_OK)
        *ret_sent = count;
    return err;
}

enum cvg_error cvg_handover_send(int connection, char kind)
{
    const char text[2] = {kind, CVG_HANDOVER_VERSION};
    return sent(send(connection, text, kind == 'R' ? 1 : 2, MSG_NOSIGNAL));
}

/* The descriptors that came: all of them, or the message is not as it should be. */
static size_t descriptors_of(struct msghdr *message, int fds[static CVG_HANDOVER_FDS])
{
    size_t count = 0;
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head != NULL;
         head = CMSG_NXTHDR(message, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
            continue;
        count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(fds, CMSG_DATA(head), count * sizeof(int));
    }
    return count;
}

static enum cvg_error add(int fd, char service, struct cvg_sockets *sockets)
{
    if (service < 0 || service >= CVG_SERVICES)
        return CVG_ERR_PROTOCOL;
    if (!cvg_socket_adopt(fd))
        return CVG_ERR_CONFIG;
    return cvg_sockets_add(sockets, fd, (enum cvg_service)service);
}

/* Descriptors come with sockets, and with nothing else. */
static enum cvg_error check(const char *text, size_t len, size_t count)
{
    size_t wanted = len > 0 && text[0] == 'S' ? len - 1 : 0;
    if (len == 0)
        return CVG_ERR_UNREACHABLE;
    if (count != wanted)
        return CVG_ERR_PROTOCOL;
    switch (text[0]) {
    case 'S':
        return len > 1 ? CVG_OK : CVG_ERR_PROTOCOL;
    case 'T':
    case 'E':
        if (len != 2)
            return CVG_ERR_PROTOCOL;
        return text[1] == CVG_HANDOVER_VERSION ? CVG_OK : CVG_ERR_VERSION;
    case 'R':
        return len == 1 ? CVG_OK : CVG_ERR_PROTOCOL;
    default:
        return CVG_ERR_PROTOCOL;
    }
}

/* Takes what came, or closes it. */
static enum cvg_error take(enum cvg_error err, const char *text, const int *fds, size_t count,
                           struct cvg_sockets *sockets)
{
    size_t taken = 0;
    if (err == CVG_OK && count > 0 && sockets == NULL)
        err = CVG_ERR_PROTOCOL;
    while (err == CVG_OK && taken < count) {
        err = add(fds[taken], text[1 + taken], sockets);
        if (err == CVG_OK)
            taken++;
    }
    while (taken < count)
        close(fds[taken++]);
    return err;
}

enum cvg_error cvg_handover_receive(int connection, struct cvg_sockets *sockets, char *ret_kind)
{
    union control control;
    char text[2 + CVG_HANDOVER_FDS];
    int fds[CVG_HANDOVER_FDS];
    struct iovec octets = {.iov_base = text, .iov_len = sizeof(text)};
    struct msghdr message = {.msg_iov = &octets,
                             .msg_iovlen = 1,
                             .msg_control = control.octets,
                             .msg_controllen = sizeof(control.octets)};
    ssize_t len = recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
    if (len < 0)
        return errno == EAGAIN || errno == EINTR ? CVG_ERR_BUSY : CVG_ERR_UNREACHABLE;
    size_t count = descriptors_of(&message, fds);
    enum cvg_error err = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0
                             ? CVG_ERR_PROTOCOL
                             : check(text, (size_t)len, count);
    err = take(err, text, fds, count, sockets);
    if (err == CVG_OK)
        *ret_kind = text[0];
    return err;
}

bool cvg_handover_peer_is_ours(int connection)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);
    return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}
