/* SPDX-License-Identifier: MIT */
/* Scenes in which a process makes others. */
#include "config.h"

#include "tests/nss-module/endure.h"

#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nss.h>
#include <pk11pub.h>
#include <secmod.h>

/* The agent is told never to answer about this one. */
#define STUCK_HOST    "stuck.site.example"
#define CHILD_LASTS_S 120

extern char **environ;

/* Steps until the question is asked: the connection waits for nothing else then. */
static void step_until_asked(struct talk *talk)
{
    int before = agent_descriptors();

    while (agent_descriptors() == before)
        if (talk_step(talk) != STEP_AGAIN)
            return;
}

static atomic_bool is_stuck;

static void *get_stuck(void *user)
{
    struct talk talk;

    (void)user;
    if (talk_open_to(&talk, STUCK_HOST, false))
        talk_finish(&talk);
    atomic_store(&is_stuck, false);
    return NULL;
}

/* A thread waits inside the module, where a fork must find it harmless. Inside of NSS it would not
 * be: a child that inherits a lock of NSS's waits for ever. */
static void keep_one_stuck(void)
{
    pthread_t thread;

    if (atomic_exchange(&is_stuck, true))
        return;
    if (pthread_create(&thread, NULL, get_stuck, NULL) != 0 || pthread_detach(thread) != 0)
        abort();
    while (agent_descriptors() == 0 && atomic_load(&is_stuck))
        sched_yield();
}

/* What a child does with what it inherits: goes on with one whose handshake is through, and with
 * one whose question is on its way, and opens a new one. */
static int go_on(struct talk *shaken, struct talk *pending)
{
    bool good;

    alarm(CHILD_LASTS_S);
    good = talk_finish(shaken);
    good = talk_finish(pending) && good;
    good = talk_once() && good;
    fflush(stdout);
    return good ? 0 : 1;
}

static void open_some(struct talk *shaken, struct talk *pending, struct talk *own)
{
    if (!talk_open(shaken) || !talk_open(pending) || !talk_open(own))
        abort();
    while (talk_handshake(shaken) == STEP_AGAIN)
        ;
    step_until_asked(pending);
    step_until_asked(own);
}

/* Both processes cannot read one TLS connection: the parent keeps others. */
int scene_fork(void)
{
    int failed = 0;

    options.nonblocking = true;
    nss_start();
    for (unsigned i = 0; i < options.count; i++) {
        struct talk shaken, pending, own;
        int status = -1;
        pid_t child;

        keep_one_stuck();
        open_some(&shaken, &pending, &own);
        child = fork();
        if (child == 0)
            _exit(go_on(&shaken, &pending));
        talk_finish(&own);
        failed += waitpid(child, &status, 0) != child || status != 0;
        talk_close(&shaken);
        talk_close(&pending);
    }
    printf("failed=%d\n", failed);
    _exit(0); /* not waiting for the thread */
}

/* A child as NSS wants it: it begins again, by itself or through NSS's own function for it. */
static int begin_again(bool restart)
{
    bool good;

    alarm(CHILD_LASTS_S);
    if (restart) {
        good = SECMOD_RestartModules(PR_TRUE) == SECSuccess;
    } else {
        nss_stop(); /* cannot be whole: its tokens are the parent's */
        nss_start();
        good = true;
    }
    good = talk_once() && good;
    good = nss_stop() && good;
    fflush(stdout);
    return good ? 0 : 1;
}

int scene_children(void)
{
    int failed = 0;

    nss_start();
    talk_once();
    for (unsigned i = 0; i < options.count; i++) {
        pid_t child = fork();
        int status = -1;

        if (child == 0)
            _exit(begin_again(i % 2));
        failed += waitpid(child, &status, 0) != child || status != 0;
        talk_once();
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
