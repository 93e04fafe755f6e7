/* SPDX-License-Identifier: MIT */
/* Locks that a fork cannot leave behind, see lock.h. */
#include "config.h"

#include "nss-module/lock.h"

#include <pthread.h>
#include <stdbool.h>

static pthread_mutex_t locks[CVG_LOCKS];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* This thread forks and has them all. Handlers of the host that are older than ours come in between
 * and may use sockets or NSS: nobody else can be in what the locks guard. */
static __thread bool has_all;

static void take_all(void)
{
    for (unsigned i = 0; i < CVG_LOCKS; i++)
        pthread_mutex_lock(&locks[i]);
    has_all = true;
}

static void release_all(void)
{
    has_all = false;
    for (unsigned i = CVG_LOCKS; i > 0; i--)
        pthread_mutex_unlock(&locks[i - 1]);
}

static void prepare(void)
{
    for (unsigned i = 0; i < CVG_LOCKS; i++)
        pthread_mutex_init(&locks[i], NULL);
    pthread_atfork(take_all, release_all, release_all);
}

void cvg_lock(unsigned which)
{
    pthread_once(&once, prepare);
    if (!has_all)
        pthread_mutex_lock(&locks[which]);
}

void cvg_unlock(unsigned which)
{
    if (!has_all)
        pthread_mutex_unlock(&locks[which]);
}
