/* SPDX-License-Identifier: MIT */
/* The scene in which memory runs out at every place of a handshake in turn, for the module only:
 * NSS is not at home in that. The C library's own functions stand behind ours; sanitizers need
 * theirs, so there the scene is skipped. */
#include "config.h"

#include "common/base/attr.h"
#include "tests/nss-module/endure.h"

#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ssl.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

#ifdef SANITIZED

int scene_memory(void)
{
    return 77;
}

#else

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static uintptr_t module_start, module_end;
static _Thread_local long fail_in; /* allocations until the one that fails; 0: none does */
static _Thread_local bool fail_on; /* and all that follow it */

static bool fails(const void *caller)
{
    uintptr_t address = (uintptr_t)caller;

    if (fail_in == 0 || address < module_start || address >= module_end || --fail_in > 0)
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

static int find_module(struct dl_phdr_info *info, size_t size, void *user)
{
    (void)size;
    (void)user;
    if (!strstr(info->dlpi_name, "libconverge-nss"))
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD && (info->dlpi_phdr[i].p_flags & PF_X)) {
            module_start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            module_end = module_start + info->dlpi_phdr[i].p_memsz;
        }
    return 1;
}

struct attempt {
    long at;
    bool go_on;
    bool reached;  /* the failure came to pass */
    bool accepted; /* and yet the connection was used */
};

static void *handshake(void *user)
{
    struct attempt *attempt = user;

    SSL_ClearSessionCache();
    fail_on = attempt->go_on;
    fail_in = attempt->at;
    attempt->accepted = talk_once();
    attempt->reached = fail_in == 0 || (fail_on && fail_in == 1);
    fail_in = 0;
    return NULL;
}

/* In a thread of its own, so that what a thread allocates at its first check fails, too. */
static struct attempt try(long at, bool go_on)
{
    struct attempt attempt = {.at = at, .go_on = go_on};
    pthread_t thread;

    if (pthread_create(&thread, NULL, handshake, &attempt) != 0 || pthread_join(thread, NULL) != 0)
        abort();
    return attempt;
}

int scene_memory(void)
{
    unsigned tried = 0, accepted = 0;
    int before;

    nss_start();
    dl_iterate_phdr(find_module, NULL);
    talk_once();
    before = open_descriptors();
    for (int go_on = 0; go_on < 2; go_on++) {
        struct attempt attempt = try(1, go_on);

        for (long at = 2; attempt.reached; at++) {
            tried++;
            accepted += attempt.accepted;
            attempt = try(at, go_on);
        }
    }
    printf("tried=%u accepted=%u\n", tried, accepted);
    return nss_stop_and_tell(open_descriptors() - before);
}

#endif
