/* SPDX-License-Identifier: MIT */
/* Memory that runs out at a chosen place, for programs that see what becomes of them then. */
#ifndef CVG_TESTS_FAILING_H
#define CVG_TESTS_FAILING_H

#include <stdbool.h>
#include <stdint.h>

/* Sanitizers need allocators of their own: there nothing fails. */
bool failing_possible(void);

/* Only callers within these addresses fail from now on, in all threads; at first all do. */
void failing_only(uintptr_t start, uintptr_t end);

/* In this thread the allocation of this number from now on fails, and, with go_on, all after it. */
void failing_begin(long at, bool go_on);

/* No more; whether it came to that. */
bool failing_end(void);

#endif
