/* SPDX-License-Identifier: MIT */
/* The frames of a thread: a small array, made at its first check, freed when it ends. */
#include "config.h"

#include "provider/frame.h"

#include <pthread.h>
#include <stdlib.h>

/* Handshakes nest (a callback that fetches a revocation list), but never deeply; what is older than
 * the newest sixteen was left behind by a longjmp. */
#define FRAMES 16

struct thread {
    uint64_t sequence;
    struct cvg_frame frame[FRAMES];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool have_key;

static void make_key(void)
{
    have_key = pthread_key_create(&key, free) == 0;
}

bool cvg_frame_init(void)
{
    return pthread_once(&once, make_key) == 0 && have_key;
}

static struct thread *mine(void)
{
    return pthread_getspecific(key);
}

static struct thread *mine_or_new(void)
{
    struct thread *thread = mine();

    if (thread)
        return thread;
    thread = calloc(1, sizeof *thread);
    if (thread && pthread_setspecific(key, thread) != 0) {
        free(thread);
        return NULL;
    }
    return thread;
}

struct cvg_frame *cvg_frame_push(const X509_STORE_CTX *ctx)
{
    struct thread *thread = mine_or_new();
    struct cvg_frame *chosen;

    if (!thread)
        return NULL;
    cvg_frame_drop(ctx);
    chosen = &thread->frame[0];
    for (unsigned i = 1; i < FRAMES && chosen->ctx; i++)
        if (!thread->frame[i].ctx || thread->frame[i].sequence < chosen->sequence)
            chosen = &thread->frame[i];
    *chosen = (struct cvg_frame){.ctx = ctx, .sequence = ++thread->sequence};
    return chosen;
}

struct cvg_frame *cvg_frame_find(const X509_STORE_CTX *ctx)
{
    struct thread *thread = mine();

    for (unsigned i = 0; thread && i < FRAMES; i++)
        if (thread->frame[i].ctx == ctx)
            return &thread->frame[i];
    return NULL;
}

void cvg_frame_drop(const X509_STORE_CTX *ctx)
{
    struct thread *thread = mine();

    for (unsigned i = 0; thread && i < FRAMES; i++)
        if (thread->frame[i].ctx == ctx)
            thread->frame[i].ctx = NULL;
}
