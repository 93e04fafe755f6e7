/* SPDX-License-Identifier: MIT */
/* The scene in which memory runs out at every place of a handshake in turn. The C library's own
 * functions stand behind ours; sanitizers need theirs, so there the scene is skipped. */
#include "config.h"

#include "common/base/attr.h"
#include "tests/provider/host.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

#ifdef SANITIZED

int scene_allocations(void)
{
    return 77;
}

#else

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static _Thread_local long fail_in; /* allocations until the one that fails; 0: none does */
static _Thread_local bool fail_on; /* and all that follow it */

static bool fails(void)
{
    if (fail_in == 0 || --fail_in > 0)
        return false;
    if (fail_on)
        fail_in = 1;
    errno = ENOMEM;
    return true;
}

CVG_EXPORT void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

CVG_EXPORT void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

CVG_EXPORT void *realloc(void *old, size_t size)
{
    return fails() ? NULL : __libc_realloc(old, size);
}

struct attempt {
    SSL_CTX *ctx;
    long at;
    bool go_on;
    bool reached;  /* the failure came to pass */
    bool accepted; /* and yet the handshake succeeded */
};

static void *handshake(void *user)
{
    struct attempt *attempt = user;
    struct connection connection;

    if (!connection_open(&connection, attempt->ctx, options.port[0]))
        exit(1);
    fail_on = attempt->go_on;
    fail_in = attempt->at;
    attempt->accepted = connection_handshake(&connection);
    attempt->reached = fail_in == 0 || (fail_on && fail_in == 1);
    fail_in = 0;
    connection_close(&connection);
    return NULL;
}

/* In a thread of its own, so that what a thread allocates at its first check fails, too. */
static bool one_handshake(SSL_CTX *ctx, long at, bool go_on, unsigned *accepted)
{
    struct attempt attempt = {.ctx = ctx, .at = at, .go_on = go_on};
    pthread_t thread;

    if (pthread_create(&thread, NULL, handshake, &attempt) != 0)
        exit(1);
    pthread_join(thread, NULL);
    *accepted += attempt.accepted;
    return attempt.reached;
}

int scene_allocations(void)
{
    SSL_CTX *ctx = host_ctx(NULL);
    unsigned accepted = 0, tried = 0;

    connect_once(ctx, options.port[0]);
    for (int go_on = 0; go_on < 2; go_on++)
        for (long at = 1; one_handshake(ctx, at, go_on, &accepted); at += go_on ? 7 : 1)
            tried++;
    printf("tried=%u accepted=%u\n", tried, accepted);
    SSL_CTX_free(ctx);
    return 0;
}

#endif
