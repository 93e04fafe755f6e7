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

#define PASSES_MAX 20000

static int compare(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

/* One thread's loop: each pass visits what PR_Poll says is ready. Returns how many there were, and
 * how long each took. */
static unsigned run_loop(struct connection *connections, double ret_times[static PASSES_MAX])
{
    PRInt16 wanted[HOST_TARGETS_MAX];
    PRPollDesc polls[HOST_TARGETS_MAX];
    unsigned count, at, passes = 0;
    double start;

    for (unsigned i = 0; i < options.count; i++)
        wanted[i] = PR_POLL_WRITE;
    while (passes < PASSES_MAX && (count = gather(connections, wanted, polls)) > 0) {
        if (PR_Poll(polls, (PRIntn)count, PR_SecondsToInterval(20)) <= 0)
            break;
        start = now_ms();
        at = 0;
        for (unsigned i = 0; i < options.count; i++)
            if (wanted[i] && polls[at++].out_flags)
                wanted[i] = connection_step(&connections[i]);
        ret_times[passes++] = now_ms() - start;
    }
    qsort(ret_times, passes, sizeof ret_times[0], compare);
    return passes;
}

/* Most passes only wait; the others do the handshakes' arithmetic. */
int scene_loop(void)
{
    static struct connection connections[HOST_TARGETS_MAX];
    static double times[PASSES_MAX];
    unsigned passes;

    host_begin();
    options.nonblocking = true;
    for (unsigned i = 0; i < options.count; i++)
        if (!connection_open(&connections[i], &options.target[i % options.targets]))
            return 1;
    passes = run_loop(connections, times);
    for (unsigned i = 0; i < options.count; i++) {
        connection_report(&connections[i]);
        connection_close(&connections[i]);
    }
    printf("passes=%u typical=%.1f\n", passes, passes ? times[passes / 2] : 0);
    host_end();
    return 0;
}

static void run_thread(void *argument)
{
    unsigned number = *(const unsigned *)argument;

    connect_some(&options.target[number % options.targets]);
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
