/* SPDX-License-Identifier: MIT */
/* Scenes of many connections at once, see host.h. */
#include "config.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/attr.h"
#include "tests/nss-module/host.h"

/* What this thread has used of a processor: others' load does not count. */
static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* How often the thread has slept in this pass. */
static __thread unsigned sleeps;

/* The C library's poll, for everybody in this process; also as fortified code calls it. */
CVG_EXPORT int poll(struct pollfd *fds, nfds_t count, int timeout_ms);
CVG_EXPORT int __poll_chk(struct pollfd *fds, nfds_t count, int timeout_ms, size_t size);

int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    const struct timespec timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000000L};

    sleeps += timeout_ms > 0;
    return ppoll(fds, count, timeout_ms < 0 ? NULL : &timeout, NULL);
}

int __poll_chk(struct pollfd *fds, nfds_t count, int timeout_ms, size_t size)
{
    (void)size;
    return poll(fds, count, timeout_ms);
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

/* One thread's loop: each pass visits what PR_Poll says is ready. Returns how many there were, what
 * each took, and how often one slept at most. */
static unsigned run_loop(struct connection *connections, double ret_times[static PASSES_MAX],
                         unsigned *ret_sleeps)
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
        sleeps = 0;
        at = 0;
        for (unsigned i = 0; i < options.count; i++)
            if (wanted[i] && polls[at++].out_flags)
                wanted[i] = connection_step(&connections[i]);
        ret_times[passes++] = now_ms() - start;
        *ret_sleeps = sleeps > *ret_sleeps ? sleeps : *ret_sleeps;
    }
    qsort(ret_times, passes, sizeof ret_times[0], compare);
    return passes;
}

/* Most passes only wait; the others do the handshakes' arithmetic. */
int scene_loop(void)
{
    static struct connection connections[HOST_TARGETS_MAX];
    static double times[PASSES_MAX];
    unsigned passes, most = 0;

    host_begin();
    options.nonblocking = true;
    for (unsigned i = 0; i < options.count; i++)
        if (!connection_open(&connections[i], &options.target[i % options.targets]))
            return 1;
    passes = run_loop(connections, times, &most);
    for (unsigned i = 0; i < options.count; i++) {
        connection_report(&connections[i]);
        connection_close(&connections[i]);
    }
    printf("passes=%u sleeps=%u typical=%.1f\n", passes, most, passes ? times[passes / 2] : 0);
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
