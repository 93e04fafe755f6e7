/* SPDX-License-Identifier: MIT */
/* The scene in which memory runs out at every place of a handshake in turn. */
#include "config.h"

#include "tests/failing.h"
#include "tests/provider/host.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

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
    failing_begin(attempt->at, attempt->go_on);
    attempt->accepted = connection_handshake(&connection);
    attempt->reached = failing_end();
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
    unsigned accepted = 0, tried = 0;
    SSL_CTX *ctx;

    if (!failing_possible())
        return 77;
    ctx = host_ctx(NULL);
    connect_once(ctx, options.port[0]);
    for (int go_on = 0; go_on < 2; go_on++)
        for (long at = 1; one_handshake(ctx, at, go_on, &accepted); at += go_on ? 7 : 1)
            tried++;
    printf("tried=%u accepted=%u\n", tried, accepted);
    SSL_CTX_free(ctx);
    return 0;
}
