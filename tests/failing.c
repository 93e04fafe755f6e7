/* SPDX-License-Identifier: MIT */
/* Stands before the C library's allocator, see failing.h. */
#include "config.h"

#include "common/base/attr.h"
#include "tests/failing.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

static uintptr_t first, last = UINTPTR_MAX;
static _Thread_local long fail_in; /* allocations until the one that fails; 0: none does */
static _Thread_local bool fail_on; /* and all that follow it */

void failing_only(uintptr_t start, uintptr_t end)
{
    first = start;
    last = end - 1;
}

void failing_begin(long at, bool go_on)
{
    fail_on = go_on;
    fail_in = at;
}

bool failing_end(void)
{
    bool reached = fail_in == 0 || (fail_on && fail_in == 1);

    fail_in = 0;
    return reached;
}

#ifdef SANITIZED

bool failing_possible(void)
{
    return false;
}

#else

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

bool failing_possible(void)
{
    return true;
}

static bool fails(const void *caller)
{
    uintptr_t address = (uintptr_t)caller;

    if (fail_in == 0 || address < first || address > last || --fail_in > 0)
        return false;
    if (fail_on)
        fail_in = 1;
    errno = ENOMEM;
    return true;
}

CVG_EXPORT void *malloc(size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

CVG_EXPORT void *calloc(size_t count, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

CVG_EXPORT void *realloc(void *old, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(old, size);
}

#endif
