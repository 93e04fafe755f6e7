/* SPDX-License-Identifier: MIT */
/* Locks of the NSS module around a fork: a child finds them free, whoever held them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nss-module/lock.h"

#define CHILD_WAITS_S 20
#define HELD_MS       20

static sem_t held, forking;

static atomic_uint handled;

/* This one is older, so it comes while the locks are all taken: a host that closes its connections
 * in such a handler, or begins NSS again. */
static void use_all(void)
{
    for (unsigned i = 0; i < CVG_LOCKS; i++) {
        cvg_lock(i);
        cvg_unlock(i);
    }
    atomic_fetch_add(&handled, 1);
}

/* This handler is younger than the locks', so it comes before it. */
static void tell_that_it_forks(void)
{
    sem_post(&forking);
}

static void *hold(void *which)
{
    cvg_lock((unsigned)(uintptr_t)which);
    sem_post(&held);
    sem_wait(&forking);
    poll(NULL, 0, HELD_MS); /* a fork that does not wait for the lock is over by now */
    cvg_unlock((unsigned)(uintptr_t)which);
    return NULL;
}

static _Noreturn void take_all(void)
{
    alarm(CHILD_WAITS_S);
    for (unsigned i = 0; i < CVG_LOCKS; i++) {
        cvg_lock(i);
        cvg_unlock(i);
    }
    _exit(0);
}

static void a_child_finds_every_lock_free(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CVG_LOCKS; i++) {
        pthread_t holder;
        int status = -1;
        pid_t child;

        assert_int_equal(pthread_create(&holder, NULL, hold, (void *)(uintptr_t)i), 0);
        sem_wait(&held);
        child = fork();
        if (child == 0)
            take_all();
        assert_int_equal(pthread_join(holder, NULL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        cvg_lock(i); /* the parent's are free, too */
        cvg_unlock(i);
    }
}

static void handlers_of_a_fork_may_use_them(void **state)
{
    unsigned before = atomic_load(&handled);
    int status = -1;
    pid_t child;

    (void)state;
    alarm(CHILD_WAITS_S);
    child = fork();
    if (child == 0)
        _exit(atomic_load(&handled) == before + 2 ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    alarm(0);
    assert_int_equal(status, 0);
    assert_int_equal(atomic_load(&handled), before + 2);
}

static atomic_uint counted;
static unsigned guarded;

static void *count(void *user)
{
    (void)user;
    for (int i = 0; i < 10000; i++) {
        cvg_lock(CVG_LOCK_NSS);
        guarded++;
        cvg_unlock(CVG_LOCK_NSS);
        atomic_fetch_add(&counted, 1);
    }
    return NULL;
}

static void one_thread_at_a_time(void **state)
{
    pthread_t threads[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(guarded, counted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thread_at_a_time),
        cmocka_unit_test(handlers_of_a_fork_may_use_them),
        cmocka_unit_test(a_child_finds_every_lock_free),
    };

    sem_init(&held, 0, 0);
    sem_init(&forking, 0, 0);
    pthread_atfork(use_all, use_all, use_all);
    cvg_lock(0);
    cvg_unlock(0);
    pthread_atfork(tell_that_it_forks, NULL, NULL);
    return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
