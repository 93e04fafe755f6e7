/* SPDX-License-Identifier: MIT */
/* Scenes with many connections, threads and processes. */
#include "config.h"

#include "tests/nss-module/endure.h"

#include <malloc.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ssl.h>

extern char **environ;

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

/* Steps until the question is asked: the connection waits for nothing else then. */
static void step_until_asked(struct talk *talk)
{
    int before = agent_descriptors();

    while (agent_descriptors() == before)
        if (talk_step(talk) != STEP_AGAIN)
            return;
}

/* What a child does with what it inherits: goes on with one whose handshake is through, and with
 * one whose question is on its way, and opens a new one. */
static int go_on(struct talk *shaken, struct talk *pending)
{
    bool good = talk_finish(shaken);

    good = talk_finish(pending) && good;
    good = talk_once() && good;
    fflush(stdout);
    return good ? 0 : 1;
}

/* A thread keeps shaking hands, so that the forks may fall into any moment of it. Both processes
 * cannot read one TLS connection: the parent keeps others. */
int scene_fork(void)
{
    int failed = 0;

    options.nonblocking = true;
    nss_start();
    for (unsigned i = 0; i < options.count; i++) {
        struct talk shaken, pending, own;
        pthread_t busy = start_thread(talk_in_thread);
        int status = -1;
        pid_t child;

        if (!talk_open(&shaken) || !talk_open(&pending) || !talk_open(&own))
            abort();
        while (talk_handshake(&shaken) == STEP_AGAIN)
            ;
        step_until_asked(&pending);
        step_until_asked(&own);
        child = fork();
        if (child == 0)
            _exit(go_on(&shaken, &pending));
        talk_finish(&own);
        pthread_join(busy, NULL);
        failed += waitpid(child, &status, 0) != child || status != 0;
        talk_close(&shaken);
        talk_close(&pending);
    }
    printf("failed=%d\n", failed);
    return nss_stop_and_tell(0);
}

static bool spawn(void)
{
    static char name[] = "true";
    char *const command[] = {name, NULL};
    pid_t child = -1;
    int status = -1;

    return posix_spawnp(&child, "true", NULL, NULL, command, environ) == 0 &&
           waitpid(child, &status, 0) == child && status == 0;
}

/* Other programs started while questions are on their way. */
int scene_spawn(void)
{
    options.nonblocking = true;
    nss_start();
    for (unsigned i = 0; i < options.count; i++) {
        struct talk talk;

        if (!talk_open(&talk))
            abort();
        step_until_asked(&talk);
        if (!spawn())
            abort();
        talk_finish(&talk);
    }
    return nss_stop_and_tell(0);
}
