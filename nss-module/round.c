/* SPDX-License-Identifier: MIT */
/* A thread's round of waiting connections, see round.h. It holds numbers only: a descriptor that
 * was closed meanwhile, whoever has it now, ends the wait early or not at all. */
#include "config.h"

#include "nss-module/round.h"

#include <poll.h>
#include <stdbool.h>

/* More than a loop usually has at once; what is beyond goes on without a wait. */
#define WAITING_MAX 128
#define PAUSE_MS    3

static __thread struct {
    unsigned count;
    uint64_t serial[WAITING_MAX];
    struct pollfd poll[WAITING_MAX];
} waiting;

static bool has_waited(uint64_t serial)
{
    for (unsigned i = 0; i < waiting.count; i++)
        if (waiting.serial[i] == serial)
            return true;
    return false;
}

void cvg_round_begin(uint64_t serial)
{
    if (!has_waited(serial))
        return;
    poll(waiting.poll, waiting.count, PAUSE_MS);
    waiting.count = 0;
}

void cvg_round_wait_for(uint64_t serial, int fd)
{
    if (waiting.count == WAITING_MAX)
        return;
    waiting.serial[waiting.count] = serial;
    waiting.poll[waiting.count] = (struct pollfd){.fd = fd, .events = POLLIN};
    waiting.count++;
}
