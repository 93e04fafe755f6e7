/* SPDX-License-Identifier: MIT */
/* System calls and allocations that fail on demand; the linker puts them in libc's place
 * (fault_wraps in the Makefile). */
#ifndef CVG_TESTS_FAULTS_H
#define CVG_TESTS_FAULTS_H

#include <stdbool.h>

enum fault {
    FAULT_SOCKET,
    FAULT_CONNECT,
    FAULT_GETSOCKOPT,
    FAULT_GETRANDOM, /* this one fails from the nth call on: there are two ways to ask for it */
    FAULT_SEND,
    FAULT_RECV,
    FAULT_POLL,
    FAULT_MALLOC, /* malloc and realloc */
    FAULT_COUNT
};

/* From now on the nth call (from 1) of that kind fails with errno err; nth 0: none does. */
void fault_plan(enum fault call, int nth, int err);

/* Whether the planned call was made, and failed. */
bool fault_happened(void);

#endif
