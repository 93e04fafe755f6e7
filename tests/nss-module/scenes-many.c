/* SPDX-License-Identifier: MIT */
/* Scenes of many connections at once, see host.h. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/nss-module/host.h"

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Descriptors that are not waited for are left out. */
static unsigned gather(const struct connection *connections, const PRInt16 *wanted,
                       PRPollDesc *ret_polls)
{
    unsigned count = 0;

    for (unsigned i = 0; i < options.count; i++)
        if (wanted[i])
            ret_polls[count++] = (PRPollDesc){connections[i].fd, wanted[i], 0};
    return count;
}

/* One thread's loop: each pass visits what PR_Poll says is ready. */
static double run_loop(struct connection *connections, unsigned *ret_passes)
{
    PRInt16 wanted[HOST_PORTS_MAX];
    PRPollDesc polls[HOST_PORTS_MAX];
    double longest = 0, start;
    unsigned count, at;

    for (unsigned i = 0; i < options.count; i++)
        wanted[i] = PR_POLL_WRITE;
    while ((count = gather(connections, wanted, polls)) > 0) {
        if (PR_Poll(polls, (PRIntn)count, PR_SecondsToInterval(20)) <= 0)
            break;
        start = now_ms();
        at = 0;
        for (unsigned i = 0; i < options.count; i++)
            if (wanted[i] && polls[at++].out_flags)
                wanted[i] = connection_step(&connections[i]);
        if (now_ms() - start > longest && *ret_passes > 4)
            longest = now_ms() - start;
        ++*ret_passes;
    }
    return longest;
}

/* The first passes do the handshakes' arithmetic; those that only wait are measured. */
int scene_loop(void)
{
    static struct connection connections[HOST_PORTS_MAX];
    unsigned passes = 0;
    double longest, start;

    host_begin();
    options.nonblocking = true;
    for (unsigned i = 0; i < options.count; i++)
        if (!connection_open(&connections[i], options.port[i % options.ports]))
            return 1;
    start = now_ms();
    longest = run_loop(connections, &passes);
    for (unsigned i = 0; i < options.count; i++) {
        connection_report(&connections[i]);
        connection_close(&connections[i]);
    }
    printf("passes=%u longest=%.1f all=%.0f\n", passes, longest, now_ms() - start);
    host_end();
    return 0;
}

static void run_thread(void *argument)
{
    unsigned number = *(const unsigned *)argument;

    connect_some(options.port[number % options.ports]);
}

int scene_threads(void)
{
    PRThread *threads[64];
    unsigned numbers[64];

    host_begin();
    for (unsigned i = 0; i < 64; i++) {
        numbers[i] = i;
        threads[i] = PR_CreateThread(PR_USER_THREAD, run_thread, &numbers[i], PR_PRIORITY_NORMAL,
                                     PR_GLOBAL_THREAD, PR_JOINABLE_THREAD, 0);
        if (!threads[i])
            return 1;
    }
    for (unsigned i = 0; i < 64; i++)
        PR_JoinThread(threads[i]);
    host_end();
    return 0;
}
