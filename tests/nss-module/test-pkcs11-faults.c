/* SPDX-License-Identifier: MIT */
/* The PKCS#11 surface where memory runs out: it says so, or finds nothing, and never more. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>

#include <pkcs11.h>
#include <pkcs11n.h>

#include "tests/nss-module/fake-gate.h"

#define SLOT     1UL
#define SESSIONS 100

void *__real_malloc(size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool exhausted;

void *__wrap_malloc(size_t size)
{
    return exhausted ? NULL : __real_malloc(size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return exhausted ? NULL : __real_realloc(old, size);
}

static CK_FUNCTION_LIST_PTR p11;

static CK_RV open_session(CK_SESSION_HANDLE *ret_session)
{
    return p11->C_OpenSession(SLOT, CKF_SERIAL_SESSION, NULL, NULL, ret_session);
}

static void no_session_is_opened(void **state)
{
    CK_SESSION_HANDLE session;

    (void)state;
    exhausted = true;
    assert_int_equal(open_session(&session), CKR_HOST_MEMORY);
    exhausted = false;
    assert_int_equal(open_session(&session), CKR_OK);
}

/* The table cannot grow: those that are open stay, and a place that gets free is taken. */
static void open_sessions_stay(void **state)
{
    CK_SESSION_HANDLE sessions[SESSIONS], another;
    CK_SESSION_INFO info;
    size_t count = 1;

    (void)state;
    assert_int_equal(open_session(&sessions[0]), CKR_OK);
    exhausted = true;
    while (count < SESSIONS && open_session(&sessions[count]) == CKR_OK)
        count++;
    assert_true(count < SESSIONS);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(p11->C_GetSessionInfo(sessions[i], &info), CKR_OK);
    assert_int_equal(p11->C_CloseSession(sessions[0]), CKR_OK);
    assert_int_equal(open_session(&another), CKR_OK);
    exhausted = false;
}

static CK_ULONG search(CK_SESSION_HANDLE session)
{
    CK_OBJECT_CLASS class = CKO_NSS_TRUST;
    CK_BYTE issuer[] = "issuer", serial[] = "serial";
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class},
                               {CKA_ISSUER, issuer, sizeof issuer},
                               {CKA_SERIAL_NUMBER, serial, sizeof serial}};
    CK_OBJECT_HANDLE object;
    CK_ULONG found;

    assert_int_equal(p11->C_FindObjectsInit(session, template, 3), CKR_OK);
    assert_int_equal(p11->C_FindObjects(session, &object, 1, &found), CKR_OK);
    assert_int_equal(p11->C_FindObjectsFinal(session), CKR_OK);
    return found;
}

static void nothing_is_trusted(void **state)
{
    CK_SESSION_HANDLE session;

    (void)state;
    fake_gate.trusts = true;
    assert_int_equal(open_session(&session), CKR_OK);
    exhausted = true;
    assert_int_equal(search(session), 0);
    exhausted = false;
    assert_int_equal(search(session), 1);
}

static int set_up(void **state)
{
    (void)state;
    exhausted = false;
    fake_gate_reset();
    return C_GetFunctionList(&p11) == CKR_OK && p11->C_Initialize(NULL) == CKR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    exhausted = false;
    return p11->C_Finalize(NULL) == CKR_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_session_is_opened, set_up, tear_down),
        cmocka_unit_test_setup_teardown(open_sessions_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_trusted, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
