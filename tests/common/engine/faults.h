/* SPDX-License-Identifier: MIT */
/* For tests: allocations and system calls of our own code that fail when they are told to. A
 * program that uses this is linked with $(WRAP_FAULTS). */
#ifndef CVG_TESTS_FAULTS_H
#define CVG_TESTS_FAULTS_H

#include <stdbool.h>

/* The nth call from here on fails, or the nth and all after it. */
void faults_arm(unsigned nth, bool for_ever);

/* No more faults. Whether there was one. */
bool faults_disarm(void);

/* For libraries that take an allocator. */
void *faults_malloc(unsigned long size);

#endif
