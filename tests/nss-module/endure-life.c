/* SPDX-License-Identifier: MIT */
/* Scenes about the life of NSS and of the module in it. */
#include "config.h"

#include "tests/nss-module/endure.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <nss.h>
#include <secmod.h>
#include <ssl.h>

#define MODULE "converge"

int scene_restart(void)
{
    unsigned stopped = 0;

    for (unsigned i = 0; i < options.count; i++) {
        nss_start();
        talk_once();
        stopped += nss_stop();
    }
    printf("agents=%d stopped=%u\n", agent_descriptors(), stopped);
    return 0;
}

static NSSInitContext *context(void)
{
    NSSInitContext *made = NSS_InitContext(options.database, "", "", SECMOD_DB, NULL,
                                           NSS_INIT_READONLY | NSS_INIT_PK11RELOAD);

    if (!made || NSS_SetDomesticPolicy() != SECSuccess)
        abort();
    return made;
}

/* Libraries that do not know of each other each have NSS for themselves; one always stays. */
int scene_contexts(void)
{
    NSSInitContext *stays = context();
    unsigned stopped = 0;

    for (unsigned i = 0; i < options.count; i++) {
        NSSInitContext *next = context();

        talk_once();
        SSL_ClearSessionCache();
        stopped += NSS_ShutdownContext(stays) == SECSuccess;
        stays = next;
    }
    talk_once();
    SSL_ClearSessionCache();
    stopped += NSS_ShutdownContext(stays) == SECSuccess;
    printf("agents=%d stopped=%u\n", agent_descriptors(), stopped);
    return 0;
}

/* NSS ends while one connection has shaken hands and another waits for its answer; both are used
 * and closed afterwards. */
int scene_stop_alive(void)
{
    struct talk shaken, pending;
    bool stopped;

    options.nonblocking = true;
    nss_start();
    if (!talk_open(&shaken) || !talk_open(&pending))
        abort();
    while (talk_handshake(&shaken) == STEP_AGAIN)
        ;
    for (int i = 0; i < 50; i++) {
        talk_step(&pending);
        PR_Sleep(PR_MillisecondsToInterval(2));
    }
    stopped = nss_stop();
    talk_step(&shaken);
    talk_step(&pending);
    talk_close(&shaken);
    talk_close(&pending);
    printf("agents=%d stopped=%d\n", agent_descriptors(), stopped);
    if (!stopped)
        return 0;
    nss_start();
    talk_once();
    printf("again=%d\n", nss_stop());
    return 0;
}

static bool unload(void)
{
    SECMODModule *module = SECMOD_FindModule(MODULE);
    bool done = module && SECMOD_UnloadUserModule(module) == SECSuccess;
    PRInt32 type;

    if (!done)
        done = SECMOD_DeleteModule(MODULE, &type) == SECSuccess;
    if (module)
        SECMOD_DestroyModule(module);
    return done;
}

/* The module goes while connections live, as from a browser's device manager. */
int scene_delete(void)
{
    struct talk shaken, pending;
    bool done;

    options.nonblocking = true;
    nss_start();
    talk_once();
    if (!talk_open(&shaken) || !talk_open(&pending))
        abort();
    while (talk_handshake(&shaken) == STEP_AGAIN)
        ;
    for (int i = 0; i < 50; i++) {
        talk_step(&pending);
        PR_Sleep(PR_MillisecondsToInterval(2));
    }
    done = unload();
    printf("deleted=%d\n", done);
    talk_finish(&shaken);
    talk_finish(&pending);
    talk_once();
    return nss_stop_and_tell(0);
}

static void *talk_in_thread(void *user)
{
    (void)user;
    talk_once();
    return NULL;
}

static void wait_to_be_told(void)
{
    char octet;

    while (read(STDIN_FILENO, &octet, 1) > 0)
        ;
}

/* Something happens to the database between two connections. */
int scene_pause(void)
{
    nss_start();
    talk_once();
    wait_to_be_told();
    talk_once();
    return nss_stop_and_tell(0);
}

/* Ends the process, when it is told to, while threads wait for their answers. */
int scene_exit(void)
{
    pthread_t thread;

    nss_start();
    for (unsigned i = 0; i < options.count; i++)
        if (pthread_create(&thread, NULL, talk_in_thread, NULL) != 0)
            return 1;
    wait_to_be_told();
    exit(0);
}

/* Ends threads, when it is told to, while they wait for their answers; the agent answers, or goes,
 * once it is told that they were. */
int scene_cancel(void)
{
    pthread_t *thread = calloc(options.count, sizeof *thread);

    if (!thread)
        abort();
    nss_start();
    for (unsigned i = 0; i < options.count; i++)
        if (pthread_create(&thread[i], NULL, talk_in_thread, NULL) != 0)
            return 1;
    wait_to_be_told();
    for (unsigned i = 0; i < options.count; i++)
        pthread_cancel(thread[i]);
    printf("cancelled\n");
    for (unsigned i = 0; i < options.count; i++)
        pthread_join(thread[i], NULL);
    free(thread);
    printf("agents=%d\n", agent_descriptors());
    talk_once();
    return 0;
}
