/* SPDX-License-Identifier: MIT */
/* Many threads at the PKCS#11 surface: sessions of their own, the same objects, lookups that take
 * their time, some that fork, and one that ends everything in the middle. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pkcs11.h>
#include <pkcs11n.h>

#include "tests/nss-module/fake-gate.h"

#define SLOT    1UL
#define THREADS 16
#define ROUNDS  500
#define FORKS   50

static CK_FUNCTION_LIST_PTR p11;
static atomic_int wrong;   /* answers that must not be */
static atomic_bool ending; /* somebody may finalize: more answers are right */

static void expect(bool right)
{
    if (!right)
        wrong++;
}

static CK_OBJECT_CLASS trust_class = CKO_NSS_TRUST;

/* What may come out of a search, its session open all the while or not. */
static bool is_end(CK_RV rv)
{
    return atomic_load(&ending) &&
           (rv == CKR_CRYPTOKI_NOT_INITIALIZED || rv == CKR_SESSION_HANDLE_INVALID ||
            rv == CKR_SESSION_CLOSED || rv == CKR_OPERATION_NOT_INITIALIZED ||
            rv == CKR_OBJECT_HANDLE_INVALID);
}

static bool is_fine(CK_RV rv)
{
    return rv == CKR_OK || is_end(rv);
}

static void look_at(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ULONG serial)
{
    CK_ULONG value = 0;
    CK_ATTRIBUTE asked = {CKA_SERIAL_NUMBER, &value, sizeof value};
    CK_RV rv = p11->C_GetAttributeValue(session, object, &asked, 1);

    expect(is_fine(rv));
    expect(rv != CKR_OK || value == serial);
}

static void search(CK_SESSION_HANDLE session, CK_ULONG serial)
{
    CK_BYTE issuer[] = "issuer";
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &trust_class, sizeof trust_class},
                               {CKA_ISSUER, issuer, sizeof issuer},
                               {CKA_SERIAL_NUMBER, &serial, sizeof serial}};
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
    CK_ULONG found = 0;
    CK_RV rv = p11->C_FindObjectsInit(session, template, 3);

    expect(is_fine(rv));
    if (rv != CKR_OK)
        return;
    rv = p11->C_FindObjects(session, &object, 1, &found);
    expect(is_fine(rv));
    expect(rv != CKR_OK || found == 1);
    if (found == 1)
        look_at(session, object, serial);
    expect(is_fine(p11->C_FindObjectsFinal(session)));
}

static void *work(void *argument)
{
    const CK_ULONG *number = argument;
    CK_SESSION_HANDLE session;

    for (CK_ULONG i = 0; i < ROUNDS; i++) {
        CK_RV rv = p11->C_OpenSession(SLOT, CKF_SERIAL_SESSION, NULL, NULL, &session);

        expect(is_fine(rv));
        if (rv != CKR_OK)
            continue;
        search(session, (*number + i) % 32);
        expect(is_fine(p11->C_CloseSession(session)));
    }
    return NULL;
}

static void run_threads(void (*meanwhile)(void))
{
    pthread_t threads[THREADS];
    CK_ULONG numbers[THREADS];

    assert_int_equal(p11->C_Initialize(NULL), CKR_OK);
    for (CK_ULONG i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, work, &numbers[i]), 0);
    }
    if (meanwhile)
        meanwhile();
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(p11->C_Finalize(NULL), CKR_OK);
    assert_int_equal(wrong, 0);
}

static void threads_do_not_meet(void **state)
{
    (void)state;
    run_threads(NULL);
    assert_int_equal(fake_gate.lookups, THREADS * ROUNDS);
}

static void finalize_again_and_again(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        expect(p11->C_Finalize(NULL) == CKR_OK);
        sched_yield();
        expect(p11->C_Initialize(NULL) == CKR_OK);
    }
}

static void the_module_may_end_at_any_time(void **state)
{
    (void)state;
    ending = true;
    run_threads(finalize_again_and_again);
}

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TSAN 1
#endif
#endif

/* In a child that was forked while others held the lock. */
static bool child_works(void)
{
    CK_SESSION_HANDLE session;

    if (p11->C_OpenSession(SLOT, CKF_SERIAL_SESSION, NULL, NULL, &session) !=
        CKR_CRYPTOKI_NOT_INITIALIZED)
        return false;
    if (p11->C_Initialize(NULL) != CKR_OK ||
        p11->C_OpenSession(SLOT, CKF_SERIAL_SESSION, NULL, NULL, &session) != CKR_OK)
        return false;
    search(session, 5);
    return wrong == 0 && p11->C_Finalize(NULL) == CKR_OK;
}

static void fork_again_and_again(void)
{
    for (int i = 0; i < FORKS; i++) {
        int status = 1;
        pid_t child = fork();

        if (child == 0) {
            alarm(30);
            _exit(child_works() ? 0 : 1);
        }
        expect(waitpid(child, &status, 0) == child && status == 0);
    }
}

static void a_fork_leaves_no_lock_behind(void **state)
{
    (void)state;
#ifdef TSAN
    skip(); /* it takes the parent's threads for the child's */
#endif
    run_threads(fork_again_and_again);
}

static int reset(void **state)
{
    (void)state;
    fake_gate_reset();
    fake_gate.trusts = true;
    wrong = 0;
    ending = false;
    return C_GetFunctionList(&p11) == CKR_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(threads_do_not_meet, reset),
        cmocka_unit_test_setup(the_module_may_end_at_any_time, reset),
        cmocka_unit_test_setup(a_fork_leaves_no_lock_behind, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
