/* SPDX-License-Identifier: MIT */
/* Scenes with many connections, one after the other, in one loop and in many threads. */
#include "config.h"

#include "tests/nss-module/endure.h"

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ssl.h>

static struct talk *new_talks(unsigned count)
{
    struct talk *talk = calloc(count, sizeof *talk);

    if (!talk)
        abort();
    return talk;
}

/* One after the other; with several processes or threads at it, nobody's fault but ours fails. */
int scene_connect(void)
{
    nss_start();
    for (unsigned i = 0; i < options.count; i++)
        talk_once();
    return nss_stop_and_tell(0);
}

/* Memory in use and descriptors before and after many handshakes. */
int scene_growth(void)
{
    const unsigned warm = 50;
    size_t before = 0;
    int descriptors = 0;

    nss_start();
    for (unsigned i = 0; i < warm + options.count; i++) {
        if (i == warm) {
            SSL_ClearSessionCache();
            before = mallinfo2().uordblks;
            descriptors = open_descriptors();
        }
        talk_once();
    }
    SSL_ClearSessionCache();
    printf("growth=%ld descriptors=%d\n", (long)mallinfo2().uordblks - (long)before,
           open_descriptors() - descriptors);
    return nss_stop_and_tell(0);
}

/* All at once in one thread's loop. */
int scene_many(void)
{
    struct talk *talk = new_talks(options.count);
    int before;

    options.nonblocking = true;
    nss_start();
    before = open_descriptors();
    open_many(talk, options.count);
    talk_many(talk, options.count);
    free(talk);
    return nss_stop_and_tell(open_descriptors() - before);
}

static void *talk_in_thread(void *user)
{
    (void)user;
    talk_once();
    return NULL;
}

static pthread_t start_thread(void *(*run)(void *))
{
    pthread_attr_t attr;
    pthread_t thread;

    if (pthread_attr_init(&attr) != 0 ||
        (options.stack_kib != 0 &&
         pthread_attr_setstacksize(&attr, (size_t)options.stack_kib * 1024) != 0) ||
        pthread_create(&thread, &attr, run, NULL) != 0)
        abort();
    pthread_attr_destroy(&attr);
    return thread;
}

int scene_threads(void)
{
    pthread_t *thread = calloc(options.count, sizeof *thread);
    int before;

    if (!thread)
        abort();
    nss_start();
    before = open_descriptors();
    for (unsigned i = 0; i < options.count; i++)
        thread[i] = start_thread(talk_in_thread);
    for (unsigned i = 0; i < options.count; i++)
        pthread_join(thread[i], NULL);
    free(thread);
    return nss_stop_and_tell(open_descriptors() - before);
}
