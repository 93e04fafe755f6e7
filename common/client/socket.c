/* SPDX-License-Identifier: MIT */
/* Compares what TLS moved with what the kernel moved, see socket.h. It reads only the state of a
 * socket, never its data. */
#include "config.h"

#include "common/client/socket.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>

/* The kernel's own header: the C library's has not all counters. */
#include <linux/tcp.h>

#define STATE_CLOSE_WAIT 8 /* the kernel's number; the peer's FIN was counted as an octet */

uint16_t cvg_socket_port(const struct sockaddr_storage *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (address->ss_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        return ntohs(v4.sin_port);
    }
    if (address->ss_family == AF_INET6) {
        memcpy(&v6, address, sizeof v6);
        return ntohs(v6.sin6_port);
    }
    return 0;
}

bool cvg_socket_address(cvg_socket_address_of *ask, int fd, struct sockaddr_storage *ret_address)
{
    socklen_t len = sizeof *ret_address;

    memset(ret_address, 0, sizeof *ret_address);
    if (ask(fd, (struct sockaddr *)ret_address, &len) != 0)
        return false;
    return ret_address->ss_family == AF_INET || ret_address->ss_family == AF_INET6;
}

static bool tcp_info(int fd, struct tcp_info *ret_info)
{
    socklen_t len = sizeof *ret_info;

    memset(ret_info, 0, sizeof *ret_info);
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, ret_info, &len) == 0;
}

/* Octets the program has taken from the socket. Data may arrive between two system calls, so the
 * queue is measured on both sides of the counter until it stood still. */
static bool tcp_counts(int fd, uint64_t *ret_sent, uint64_t *ret_received)
{
    struct tcp_info info;
    int before = 0, after = 0;

    for (int attempt = 0; attempt < 8; attempt++) {
        if (ioctl(fd, FIONREAD, &before) != 0 || !tcp_info(fd, &info) ||
            ioctl(fd, FIONREAD, &after) != 0)
            return false;
        if (before == after)
            break;
    }
    *ret_sent = info.tcpi_bytes_sent - info.tcpi_bytes_retrans + info.tcpi_notsent_bytes;
    *ret_received = info.tcpi_bytes_received - (uint64_t)after;
    if (info.tcpi_state == STATE_CLOSE_WAIT && *ret_received > 0)
        *ret_received -= 1;
    return true;
}

/* What one side of the socket counts beyond the BIO; false if it counts less. */
static bool remainder_of(uint64_t socket, uint64_t bio, uint64_t waiting, bool waiting_adds,
                         uint64_t *ret_before)
{
    uint64_t other = waiting_adds ? bio + waiting : bio - waiting;

    if (socket == other && (waiting_adds || waiting <= bio)) {
        *ret_before = 0;
        return true;
    }
    if (socket < bio)
        return false;
    *ret_before = socket - bio;
    return true;
}

bool cvg_socket_look(int fd, const struct cvg_counters *counters, struct cvg_socket *ret_socket)
{
    struct cvg_socket found;
    uint64_t sent, received;

    memset(&found, 0, sizeof found);
    if (!cvg_socket_address(getpeername, fd, &found.peer) || !tcp_counts(fd, &sent, &received))
        return false;
    if (counters &&
        (!remainder_of(sent, counters->sent, counters->sent_waiting, false, &found.sent_before) ||
         !remainder_of(received, counters->received, counters->received_waiting, true,
                       &found.received_before)))
        return false;
    *ret_socket = found;
    return true;
}
