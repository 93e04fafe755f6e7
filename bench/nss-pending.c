/* SPDX-License-Identifier: MIT */
/* One thread with many non-blocking connections, as a browser's: what its loop's passes cost while
 * all their checks are pending.
 *
 *   nss-pending DATABASE HOST PORT CONNECTIONS
 *
 * Shakes hands with 127.0.0.1:PORT on all of them at once around PR_Poll, and prints a line
 * "WALL_NS CPU_NS LEFT" for each pass: what was done between two polls, and how many handshakes
 * were not complete after it. One that fails ends it with status 1. */
#include <stdio.h>
#include <stdlib.h>

#include <ssl.h>

#include "bench/nss-world.h"

#define CONNECTIONS_MAX 1024
#define PASS_MS         1000

static PRPollDesc poll_desc[CONNECTIONS_MAX];
static int shaken[CONNECTIONS_MAX]; /* whether the handshake of this one returned success */

static PRFileDesc *dial_non_blocking(const char *host, int port)
{
    PRSocketOptionData option = {.option = PR_SockOpt_Nonblocking, .value.non_blocking = PR_TRUE};
    PRFileDesc *fd = nss_dial(host, port);

    nss_must(PR_SetSocketOption(fd, &option) == PR_SUCCESS, "option");
    return fd;
}

/* NSS takes a handshake for complete while its last message is still on the way, so an octet
 * follows. */
static int is_complete(int i)
{
    if (!shaken[i])
        shaken[i] = SSL_ForceHandshake(poll_desc[i].fd) == SECSuccess;
    if (shaken[i] && PR_Write(poll_desc[i].fd, "", 1) == 1)
        return 1;
    nss_must(PR_GetError() == PR_WOULD_BLOCK_ERROR, "handshake");
    return 0;
}

static int count_shaken(int count)
{
    int n = 0;

    for (int i = 0; i < count; i++)
        n += shaken[i];
    return n;
}

/* The connections that are left, moved to the front. */
static int pass(int count)
{
    int left = 0;

    for (int i = 0; i < count; i++) {
        if (poll_desc[i].out_flags != 0 && is_complete(i)) {
            PR_Close(poll_desc[i].fd);
        } else {
            shaken[left] = shaken[i];
            poll_desc[left++] = poll_desc[i];
        }
    }
    return left;
}

int main(int argc, char **argv)
{
    int count = argc == 5 ? atoi(argv[4]) : 0;

    if (count < 1 || count > CONNECTIONS_MAX) {
        fprintf(stderr, "usage: nss-pending DATABASE HOST PORT CONNECTIONS\n");
        return 2;
    }
    nss_begin(argv[1]);
    for (int i = 0; i < count; i++)
        poll_desc[i] = (PRPollDesc){.fd = dial_non_blocking(argv[2], atoi(argv[3])),
                                    .in_flags = PR_POLL_READ | PR_POLL_WRITE};
    while (count > 0) {
        uint64_t wall, cpu;
        int before = count_shaken(count);

        nss_must(PR_Poll(poll_desc, count, PR_MillisecondsToInterval(PASS_MS)) >= 0, "poll");
        wall = nss_wall_ns();
        cpu = nss_cpu_ns();
        count = pass(count);
        printf("%llu %llu %d %d\n", (unsigned long long)(nss_wall_ns() - wall),
               (unsigned long long)(nss_cpu_ns() - cpu), before, count);
    }
    nss_end();
    return 0;
}
