/* SPDX-License-Identifier: MIT */
/* Compares BIO counters with the kernel's, see sockmatch.h. It reads only the state of sockets,
 * never their data. */
#include "config.h"

#include "provider/sockmatch.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* The kernel's own header: the C library's has not all counters. */
#include <linux/tcp.h>

#define LISTENERS_MAX    64
#define STATE_CLOSE_WAIT 8 /* the kernel's number; the peer's FIN was counted as an octet */

struct scan {
    const struct cvg_counters *counters;
    bool ports_only;
    struct cvg_sockmatch match;
    uint16_t listener[LISTENERS_MAX];
    size_t listener_count;
    unsigned looked_at;
};

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

typedef int address_of(int fd, struct sockaddr *address, socklen_t *len);

/* Asks getsockname or getpeername; false for anything but an internet address. */
static bool internet_address(address_of *ask, int fd, struct sockaddr_storage *ret_address)
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
    if (!internet_address(getpeername, fd, &found.peer) || !tcp_counts(fd, &sent, &received))
        return false;
    if (counters &&
        (!remainder_of(sent, counters->sent, counters->sent_waiting, false, &found.sent_before) ||
         !remainder_of(received, counters->received, counters->received_waiting, true,
                       &found.received_before)))
        return false;
    *ret_socket = found;
    return true;
}

static bool listens(int fd)
{
    socklen_t len = sizeof(int);
    int accepts = 0;

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &len) == 0 && accepts;
}

static bool accepted(const struct scan *scan, uint16_t local_port)
{
    for (size_t i = 0; i < scan->listener_count; i++)
        if (scan->listener[i] == local_port)
            return true;
    return false;
}

static uint64_t preamble(const struct cvg_socket *found)
{
    return found->sent_before + found->received_before;
}

static bool same_candidate(const struct scan *scan, const struct cvg_socket *a,
                           const struct cvg_socket *b)
{
    return scan->ports_only ? cvg_socket_port(&a->peer) == cvg_socket_port(&b->peer)
                            : memcmp(&a->peer, &b->peer, sizeof a->peer) == 0;
}

/* The place to overwrite, if it is worse: that of the same candidate, or the last one of all when
 * there is no more room. */
static size_t place_for(const struct scan *scan, const struct cvg_socket *found)
{
    size_t count = scan->match.count;

    for (size_t i = 0; i < count; i++)
        if (same_candidate(scan, &scan->match.socket[i], found))
            return i;
    return count < CVG_SOCKMATCH_MAX ? count : count - 1;
}

/* Keeps the candidates in order, least preamble first. */
static void insert(struct scan *scan, const struct cvg_socket *found)
{
    struct cvg_sockmatch *match = &scan->match;
    size_t at = place_for(scan, found);

    if (at < match->count && preamble(found) >= preamble(&match->socket[at]))
        return;
    if (at == match->count)
        match->count++;
    for (; at > 0 && preamble(found) < preamble(&match->socket[at - 1]); at--)
        match->socket[at] = match->socket[at - 1];
    match->socket[at] = *found;
}

/* Listeners are mostly older than what they accept, so most accepted sockets are known as such
 * here; the rest is sifted out at the end. */
static void consider(struct scan *scan, int fd)
{
    struct sockaddr_storage local;
    struct cvg_socket found;
    uint16_t port;

    scan->looked_at++;
    if (!internet_address(getsockname, fd, &local))
        return;
    port = cvg_socket_port(&local);
    if (listens(fd)) {
        if (scan->listener_count < LISTENERS_MAX && !accepted(scan, port))
            scan->listener[scan->listener_count++] = port;
        return;
    }
    if (!accepted(scan, port) && cvg_socket_look(fd, scan->counters, &found) &&
        found.sent_before <= CVG_PREAMBLE_MAX && found.received_before <= CVG_PREAMBLE_MAX) {
        found.local_port = port;
        insert(scan, &found);
    }
}

/* Drops accepted sockets and, where an exact match is left, all others. */
static void sift(struct scan *scan)
{
    struct cvg_sockmatch *match = &scan->match;
    size_t kept = 0;

    for (size_t i = 0; i < match->count; i++) {
        const struct cvg_socket *found = &match->socket[i];

        if (accepted(scan, found->local_port) || (match->exact && preamble(found) != 0))
            continue;
        match->exact = match->exact || preamble(found) == 0;
        match->socket[kept++] = *found;
    }
    match->count = kept;
}

/* The calling thread's view: the first thread's entry is empty once that thread has ended. Read
 * with the system call and a buffer of our own, because a directory stream allocates 32 KiB. */
static bool scan_proc(struct scan *scan)
{
    _Alignas(struct dirent64) char buffer[4096];
    int dir = open("/proc/thread-self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ssize_t len = -1;

    if (dir < 0)
        return false;
    while (scan->looked_at < CVG_SOCKETS_MAX && (len = getdents64(dir, buffer, sizeof buffer)) > 0)
        for (ssize_t at = 0; at < len && scan->looked_at < CVG_SOCKETS_MAX;) {
            const struct dirent64 *entry = (const void *)(buffer + at);

            if (entry->d_name[0] != '.')
                consider(scan, atoi(entry->d_name));
            at += entry->d_reclen;
        }
    close(dir);
    return len >= 0;
}

static void scan_numbers(struct scan *scan)
{
    struct rlimit limit = {CVG_SOCKETS_MAX, CVG_SOCKETS_MAX};

    getrlimit(RLIMIT_NOFILE, &limit);
    for (int fd = 0; fd < CVG_SOCKETS_MAX && (rlim_t)fd < limit.rlim_cur; fd++)
        consider(scan, fd);
}

void cvg_sockmatch_scan(const struct cvg_counters *counters, bool ports_only,
                        struct cvg_sockmatch *ret_match)
{
    struct scan scan;

    memset(&scan, 0, sizeof scan);
    scan.counters = counters;
    scan.ports_only = ports_only;
    if (!scan_proc(&scan)) {
        memset(&scan.match, 0, sizeof scan.match);
        scan.listener_count = 0;
        scan.looked_at = 0;
        scan_numbers(&scan);
    }
    sift(&scan);
    *ret_match = scan.match;
}
