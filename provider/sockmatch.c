/* SPDX-License-Identifier: MIT */
/* Compares BIO counters with the kernel's, see sockmatch.h. It reads only the state of sockets,
 * never their data. */
#include "config.h"

#include "provider/sockmatch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define LISTENERS_MAX 64

struct scan {
    const struct cvg_counters *counters;
    bool ports_only;
    struct cvg_sockmatch match;
    uint16_t listener[LISTENERS_MAX];
    size_t listener_count;
    unsigned looked_at;
};

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
    if (!cvg_socket_address(getsockname, fd, &local))
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
