/* SPDX-License-Identifier: MIT */
/* How a thread with many non-blocking sockets waits: not at each of them, but once for all of them,
 * each time that it has come round. A thread's own. */
#ifndef CVG_NSS_MODULE_ROUND_H
#define CVG_NSS_MODULE_ROUND_H

#include <stdint.h>

/* Before this connection's question is looked at. If it waited in this round already, the round is
 * over: waits a few milliseconds for an answer to any question in it, and begins another. */
void cvg_round_begin(uint64_t serial);

/* A question was just asked: waits for its answer, which takes no time if the agent knows it
 * already. All such waits of a thread together have a few milliseconds in any twenty. */
void cvg_round_first_wait(int fd);

/* This connection waits; fd: what to poll, or -1. */
void cvg_round_wait_for(uint64_t serial, int fd);

#endif
