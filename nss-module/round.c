/* SPDX-License-Identifier: MIT */
/* A thread's round of waiting connections, see round.h. It holds numbers only: a descriptor that
 * was closed meanwhile, whoever has it now, ends the wait early or not at all. */
#include "config.h"

#include "nss-module/round.h"

#include <poll.h>
#include <stdbool.h>
#include <time.h>

/* More than a loop usually has at once; what is beyond goes on without a wait. */
#define WAITING_MAX 128
#define PAUSE_MS    3
#define SECOND_NS   INT64_C(1000000000)

/* A program's one call may be several of TLS's. */
#define IN_A_ROW_MAX 4

static __thread struct {
    unsigned count;
    uint64_t last; /* who was here last, and how often in a row */
    unsigned in_a_row;
    uint64_t visit[WAITING_MAX];
    struct pollfd poll[WAITING_MAX];
} waiting;

/* So much may be waited in any period, which begins with a wait. */
struct allowance {
    int64_t period_ns, budget_ns;
    int64_t began, spent;
};

static __thread struct allowance first = {.period_ns = SECOND_NS / 50, .budget_ns = 2000000};
static __thread struct allowance patient = {.period_ns = 5 * SECOND_NS, .budget_ns = 200000000};

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND_NS + now.tv_nsec;
}

static uint64_t visit_of(uint64_t serial, enum cvg_visit visit)
{
    return serial << 1 | visit;
}

static bool has_waited(uint64_t visit)
{
    for (unsigned i = 0; i < waiting.count; i++)
        if (waiting.visit[i] == visit)
            return true;
    return false;
}

static bool goes_on(uint64_t serial)
{
    if (waiting.last != serial)
        waiting.in_a_row = 0;
    waiting.last = serial;
    return waiting.in_a_row++ % IN_A_ROW_MAX != 0;
}

void cvg_round_begin(uint64_t serial, enum cvg_visit visit)
{
    if (goes_on(serial) || !has_waited(visit_of(serial, visit)))
        return;
    poll(waiting.poll, waiting.count, PAUSE_MS);
    waiting.count = 0;
}

static void wait_within(struct allowance *allowance, int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    int64_t before = now_ns();
    struct timespec left;

    if (before - allowance->began >= allowance->period_ns) {
        allowance->began = before;
        allowance->spent = 0;
    }
    if (fd < 0 || allowance->spent >= allowance->budget_ns)
        return;
    left = (struct timespec){.tv_nsec = (long)(allowance->budget_ns - allowance->spent)};
    ppoll(&one, 1, &left, NULL);
    allowance->spent += now_ns() - before;
}

void cvg_round_patient_wait(int fd)
{
    wait_within(&patient, fd);
}

void cvg_round_first_wait(int fd)
{
    wait_within(&first, fd);
}

void cvg_round_wait_for(uint64_t serial, enum cvg_visit visit, int fd)
{
    if (waiting.count == WAITING_MAX || has_waited(visit_of(serial, visit)))
        return;
    waiting.visit[waiting.count] = visit_of(serial, visit);
    waiting.poll[waiting.count] = (struct pollfd){.fd = fd, .events = POLLIN};
    waiting.count++;
}
