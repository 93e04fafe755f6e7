/* SPDX-License-Identifier: MIT */
/* A mutex that belongs to a process: the first to take it in a forked child makes it anew, since a
 * thread that held it in the parent does not exist there. */
#include "config.h"

#include "nss-module/surface.h"

#include "nss-module/pid.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* The process the mutex is for; negative while that process makes it. */
static _Atomic pid_t owner;

static void renew(pid_t self)
{
    pid_t seen = atomic_load(&owner);

    while (seen != self) {
        if (seen == -self) { /* another thread is about it */
            sched_yield();
            seen = atomic_load(&owner);
        } else if (atomic_compare_exchange_weak(&owner, &seen, -self)) {
            pthread_mutex_init(&mutex, NULL);
            atomic_store(&owner, self);
            return;
        }
    }
}

void cvg_surface_lock(void)
{
    renew(cvg_pid());
    pthread_mutex_lock(&mutex);
}

void cvg_surface_unlock(void)
{
    pthread_mutex_unlock(&mutex);
}
