/* SPDX-License-Identifier: MIT */
/* How a thread with many non-blocking sockets waits: not at each of them, but once for all of them,
 * each time that it has come round. A thread's own. */
#ifndef CVG_NSS_MODULE_ROUND_H
#define CVG_NSS_MODULE_ROUND_H

#include <stdint.h>

enum cvg_visit { CVG_VISIT_READ = 0, CVG_VISIT_WRITE };

/* Before this connection's question is looked at, for a read or a write. If it was looked at for
 * the same in this round already, the round is over: waits a few milliseconds for an answer to any
 * question in it, and begins another. */
void cvg_round_begin(uint64_t serial, enum cvg_visit visit);

/* A question was just asked: waits for its answer, which takes no time if the agent knows it
 * already. All such waits of a thread together have a few milliseconds in any twenty. */
void cvg_round_first_wait(int fd);

/* The same for an answer that a person waits for and the agent should have: longer, a fifth of a
 * second in any five. Whoever shows a page may make many connections wait for such answers. */
void cvg_round_patient_wait(int fd);

/* This connection waits; fd: what to poll, or -1. */
void cvg_round_wait_for(uint64_t serial, enum cvg_visit visit, int fd);

#endif
