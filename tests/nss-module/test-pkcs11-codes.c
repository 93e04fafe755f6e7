/* SPDX-License-Identifier: MIT */
/* Every function of both tables, in every state: not initialised, without a session, in a session,
 * initialised by the process that forked this one. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pkcs11.h>

#include "tests/nss-module/fake-gate.h"

#define SLOT       1UL
#define WRONG_SLOT 2UL

static CK_FUNCTION_LIST_PTR old_table;
static CK_FUNCTION_LIST_3_0_PTR new_table;

/* What calls need to point at. */
static CK_BYTE octets[64];
static CK_ULONG number, count;
static CK_OBJECT_HANDLE handle;
static CK_MECHANISM mechanism = {CKM_SHA256, NULL, 0};
static CK_ATTRIBUTE template[] = {{CKA_LABEL, octets, sizeof octets}};
static CK_SESSION_INFO session_info;

#define IN      octets, sizeof octets
#define OUT     octets, &number
#define KEY     handle
#define MESSAGE IN
#define BEGIN   &mechanism, handle

/* CASE(function, what a token without anything says in a session, the arguments after it). */
#define SESSION_CASES_2_40(CASE)                                                                   \
    CASE(C_GetSessionInfo, CKR_OK, &session_info)                                                  \
    CASE(C_GetOperationState, CKR_OPERATION_NOT_INITIALIZED, OUT)                                  \
    CASE(C_SetOperationState, CKR_SAVED_STATE_INVALID, IN, handle, handle)                         \
    CASE(C_InitPIN, CKR_USER_NOT_LOGGED_IN, IN)                                                    \
    CASE(C_SetPIN, CKR_SESSION_READ_ONLY, IN, IN)                                                  \
    CASE(C_Login, CKR_USER_PIN_NOT_INITIALIZED, CKU_USER, IN)                                      \
    CASE(C_Logout, CKR_USER_NOT_LOGGED_IN)                                                         \
    CASE(C_CreateObject, CKR_TOKEN_WRITE_PROTECTED, template, 1, &handle)                          \
    CASE(C_CopyObject, CKR_OBJECT_HANDLE_INVALID, 99, template, 1, &handle)                        \
    CASE(C_DestroyObject, CKR_OBJECT_HANDLE_INVALID, 99)                                           \
    CASE(C_GetObjectSize, CKR_OBJECT_HANDLE_INVALID, 99, &number)                                  \
    CASE(C_GetAttributeValue, CKR_OBJECT_HANDLE_INVALID, 99, template, 1)                          \
    CASE(C_SetAttributeValue, CKR_OBJECT_HANDLE_INVALID, 99, template, 1)                          \
    CASE(C_FindObjects, CKR_OPERATION_NOT_INITIALIZED, &handle, 1, &count)                         \
    CASE(C_FindObjectsFinal, CKR_OPERATION_NOT_INITIALIZED)                                        \
    CASE(C_EncryptInit, CKR_MECHANISM_INVALID, BEGIN)                                              \
    CASE(C_Encrypt, CKR_OPERATION_NOT_INITIALIZED, IN, OUT)                                        \
    CASE(C_EncryptUpdate, CKR_OPERATION_NOT_INITIALIZED, IN, OUT)                                  \
    CASE(C_EncryptFinal, CKR_OPERATION_NOT_INITIALIZED, OUT)                                       \
    CASE(C_DecryptInit, CKR_MECHANISM_INVALID, BEGIN)                                              \
    CASE(C_Decrypt, CKR_OPERATION_NOT_INITIALIZED, IN, OUT)                                        \
    CASE(C_DecryptUpdate, CKR_OPERATION_NOT_INITIALIZED, IN, OUT)                                  \
    CASE(C_DecryptFinal, CKR_OPERATION_NOT_INITIALIZED, OUT)                                       \
    CASE(C_DigestInit, CKR_MECHANISM_INVALID, &mechanism)                                          \
    CASE(C_Digest, CKR_OPERATION_NOT_INITIALIZED, IN, OUT)                                         \
    CASE(C_DigestUpdate, CKR_OPERATION_NOT_INITIALIZED, IN)                                        \
    CASE(C_DigestKey, CKR_OPERATION_NOT_INITIALIZED, KEY)                                          \
    CASE(C_DigestFinal, CKR_OPERATION_NOT_INITIALIZED, OUT)                                        \
    CASE(C_SignInit, CKR_MECHANISM_INVALID, BEGIN)                                                 \
    CASE(C_Sign, CKR_OPERATION_NOT_INITIALIZED, IN, OUT)                                           \
    CASE(C_SignUpdate, CKR_OPERATION_NOT_INITIALIZED, IN)                                          \
    CASE(C_SignFinal, CKR_OPERATION_NOT_INITIALIZED, OUT)                                          \
    CASE(C_SignRecoverInit, CKR_MECHANISM_INVALID, BEGIN)                                          \
    CASE(C_SignRecover, CKR_OPERATION_NOT_INITIALIZED, IN, OUT)                                    \
    CASE(C_VerifyInit, CKR_MECHANISM_INVALID, BEGIN)                                               \
    CASE(C_Verify, CKR_OPERATION_NOT_INITIALIZED, IN, IN)                                          \
    CASE(C_VerifyUpdate, CKR_OPERATION_NOT_INITIALIZED, IN)                                        \
    CASE(C_VerifyFinal, CKR_OPERATION_NOT_INITIALIZED, IN)                                         \
    CASE(C_VerifyRecoverInit, CKR_MECHANISM_INVALID, BEGIN)                                        \
    CASE(C_VerifyRecover, CKR_OPERATION_NOT_INITIALIZED, IN, OUT)                                  \
    CASE(C_DigestEncryptUpdate, CKR_OPERATION_NOT_INITIALIZED, IN, OUT)                            \
    CASE(C_DecryptDigestUpdate, CKR_OPERATION_NOT_INITIALIZED, IN, OUT)                            \
    CASE(C_SignEncryptUpdate, CKR_OPERATION_NOT_INITIALIZED, IN, OUT)                              \
    CASE(C_DecryptVerifyUpdate, CKR_OPERATION_NOT_INITIALIZED, IN, OUT)                            \
    CASE(C_GenerateKey, CKR_MECHANISM_INVALID, &mechanism, template, 1, &handle)                   \
    CASE(C_GenerateKeyPair, CKR_MECHANISM_INVALID, &mechanism, template, 1, template, 1, &handle,  \
         &handle)                                                                                  \
    CASE(C_WrapKey, CKR_MECHANISM_INVALID, &mechanism, handle, handle, OUT)                        \
    CASE(C_UnwrapKey, CKR_MECHANISM_INVALID, &mechanism, handle, IN, template, 1, &handle)         \
    CASE(C_DeriveKey, CKR_MECHANISM_INVALID, &mechanism, handle, template, 1, &handle)             \
    CASE(C_SeedRandom, CKR_RANDOM_NO_RNG, IN)                                                      \
    CASE(C_GenerateRandom, CKR_RANDOM_NO_RNG, IN)                                                  \
    CASE(C_GetFunctionStatus, CKR_FUNCTION_NOT_PARALLEL)                                           \
    CASE(C_CancelFunction, CKR_FUNCTION_NOT_PARALLEL)                                              \
    CASE(C_FindObjectsInit, CKR_OK, template, 1)                                                   \
    CASE(C_CloseSession, CKR_OK)

#define SESSION_CASES_3_0(CASE)                                                                    \
    CASE(C_LoginUser, CKR_USER_PIN_NOT_INITIALIZED, CKU_USER, IN, IN)                              \
    CASE(C_SessionCancel, CKR_OK, CKF_FIND_OBJECTS)                                                \
    CASE(C_MessageEncryptInit, CKR_MECHANISM_INVALID, BEGIN)                                       \
    CASE(C_EncryptMessage, CKR_OPERATION_NOT_INITIALIZED, MESSAGE, IN, IN, OUT)                    \
    CASE(C_EncryptMessageBegin, CKR_OPERATION_NOT_INITIALIZED, MESSAGE, IN)                        \
    CASE(C_EncryptMessageNext, CKR_OPERATION_NOT_INITIALIZED, MESSAGE, IN, OUT, 0)                 \
    CASE(C_MessageEncryptFinal, CKR_OPERATION_NOT_INITIALIZED)                                     \
    CASE(C_MessageDecryptInit, CKR_MECHANISM_INVALID, BEGIN)                                       \
    CASE(C_DecryptMessage, CKR_OPERATION_NOT_INITIALIZED, MESSAGE, IN, IN, OUT)                    \
    CASE(C_DecryptMessageBegin, CKR_OPERATION_NOT_INITIALIZED, MESSAGE, IN)                        \
    CASE(C_DecryptMessageNext, CKR_OPERATION_NOT_INITIALIZED, MESSAGE, IN, OUT, 0)                 \
    CASE(C_MessageDecryptFinal, CKR_OPERATION_NOT_INITIALIZED)                                     \
    CASE(C_MessageSignInit, CKR_MECHANISM_INVALID, BEGIN)                                          \
    CASE(C_SignMessage, CKR_OPERATION_NOT_INITIALIZED, MESSAGE, IN, OUT)                           \
    CASE(C_SignMessageBegin, CKR_OPERATION_NOT_INITIALIZED, MESSAGE)                               \
    CASE(C_SignMessageNext, CKR_OPERATION_NOT_INITIALIZED, MESSAGE, IN, OUT)                       \
    CASE(C_MessageSignFinal, CKR_OPERATION_NOT_INITIALIZED)                                        \
    CASE(C_MessageVerifyInit, CKR_MECHANISM_INVALID, BEGIN)                                        \
    CASE(C_VerifyMessage, CKR_OPERATION_NOT_INITIALIZED, MESSAGE, IN, IN)                          \
    CASE(C_VerifyMessageBegin, CKR_OPERATION_NOT_INITIALIZED, MESSAGE)                             \
    CASE(C_VerifyMessageNext, CKR_OPERATION_NOT_INITIALIZED, MESSAGE, IN, IN)                      \
    CASE(C_MessageVerifyFinal, CKR_OPERATION_NOT_INITIALIZED)

/* Functions of slots: CASE(function, result, the arguments after the slot). */
static CK_SLOT_INFO slot_info;
static CK_TOKEN_INFO token_info;
static CK_MECHANISM_INFO mechanism_info;
static CK_SESSION_HANDLE opened;
#define SLOT_CASES(CASE)                                                                           \
    CASE(C_GetSlotInfo, CKR_OK, &slot_info)                                                        \
    CASE(C_GetTokenInfo, CKR_OK, &token_info)                                                      \
    CASE(C_GetMechanismList, CKR_OK, NULL, &number)                                                \
    CASE(C_GetMechanismInfo, CKR_MECHANISM_INVALID, CKM_SHA256, &mechanism_info)                   \
    CASE(C_InitToken, CKR_TOKEN_WRITE_PROTECTED, IN, octets)                                       \
    CASE(C_CloseAllSessions, CKR_OK)                                                               \
    CASE(C_OpenSession, CKR_OK, CKF_SERIAL_SESSION, NULL, NULL, &opened)

/* And those of neither, which other tests look at one by one. */
#define OTHER_CASES(CASE)                                                                          \
    CASE(C_Initialize)                                                                             \
    CASE(C_Finalize)                                                                               \
    CASE(C_GetInfo)                                                                                \
    CASE(C_GetFunctionList)                                                                        \
    CASE(C_GetSlotList)                                                                            \
    CASE(C_WaitForSlotEvent)                                                                       \
    CASE(C_GetInterfaceList)                                                                       \
    CASE(C_GetInterface)

struct call {
    const char *name;
    CK_RV (*make)(bool new, CK_ULONG session_or_slot); /* by the one table or the other */
    CK_RV expected;
};

#define THUNK_BOTH(name, result, ...)                                                              \
    static CK_RV call_##name(bool new, CK_ULONG first)                                             \
    {                                                                                              \
        return new ? new_table->name(first, ##__VA_ARGS__)                                         \
                   : old_table->name(first, ##__VA_ARGS__);                                        \
    }
#define THUNK_NEW(name, result, ...)                                                               \
    static CK_RV call_##name(bool new, CK_ULONG first)                                             \
    {                                                                                              \
        assert_true(new);                                                                          \
        return new_table->name(first, ##__VA_ARGS__);                                              \
    }
SESSION_CASES_2_40(THUNK_BOTH)
SESSION_CASES_3_0(THUNK_NEW)
SLOT_CASES(THUNK_BOTH)

#define ENTRY(name, result, ...) {#name, call_##name, result},
static const struct call session_2_40[] = {SESSION_CASES_2_40(ENTRY)};
static const struct call session_3_0[] = {SESSION_CASES_3_0(ENTRY)};
static const struct call of_slots[] = {SLOT_CASES(ENTRY)};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static CK_SESSION_HANDLE open_session(void)
{
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;

    assert_int_equal(old_table->C_OpenSession(SLOT, CKF_SERIAL_SESSION, NULL, NULL, &session),
                     CKR_OK);
    assert_int_not_equal(session, CK_INVALID_HANDLE);
    return session;
}

static void expect(const struct call *call, bool new, CK_ULONG first, CK_RV expected)
{
    CK_RV got;

    number = sizeof octets;
    got = call->make(new, first);
    if (got != expected)
        fail_msg("%s: %#lx and not %#lx", call->name, got, expected);
}

/* Each of the calls; in a session of its own, where the first argument is one. */
static void expect_all(const struct call *calls, size_t n, bool new, CK_ULONG first, CK_RV expected)
{
    for (size_t i = 0; i < n; i++)
        expect(&calls[i], new, first, expected);
}

static void expect_everywhere(CK_ULONG first, CK_RV of_sessions, CK_RV of_slot)
{
    for (int new = 0; new < 2; new ++) {
        expect_all(session_2_40, COUNT(session_2_40), new, first, of_sessions);
        expect_all(of_slots, COUNT(of_slots), new, first, of_slot);
    }
    expect_all(session_3_0, COUNT(session_3_0), true, first, of_sessions);
}

static void nothing_works_before_it_is_initialised(void **state)
{
    CK_INFO info;

    (void)state;
    expect_everywhere(SLOT, CKR_CRYPTOKI_NOT_INITIALIZED, CKR_CRYPTOKI_NOT_INITIALIZED);
    assert_int_equal(old_table->C_GetInfo(&info), CKR_CRYPTOKI_NOT_INITIALIZED);
    assert_int_equal(new_table->C_GetInfo(&info), CKR_CRYPTOKI_NOT_INITIALIZED);
    assert_int_equal(old_table->C_GetSlotList(CK_TRUE, NULL, &number),
                     CKR_CRYPTOKI_NOT_INITIALIZED);
    assert_int_equal(old_table->C_WaitForSlotEvent(CKF_DONT_BLOCK, &number, NULL),
                     CKR_CRYPTOKI_NOT_INITIALIZED);
    assert_int_equal(old_table->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
}

static void it_is_the_same_after_it_was_finalized(void **state)
{
    assert_int_equal(old_table->C_Initialize(NULL), CKR_OK);
    assert_int_equal(old_table->C_Finalize(NULL), CKR_OK);
    nothing_works_before_it_is_initialised(state);
}

static void what_is_no_session_or_slot_is_told(void **state)
{
    CK_SESSION_HANDLE closed;

    (void)state;
    assert_int_equal(old_table->C_Initialize(NULL), CKR_OK);
    closed = open_session();
    assert_int_equal(old_table->C_CloseSession(closed), CKR_OK);
    (void)open_session(); /* in the place of the closed one */
    expect_everywhere(0, CKR_SESSION_HANDLE_INVALID, CKR_SLOT_ID_INVALID);
    expect_everywhere(WRONG_SLOT, CKR_SESSION_HANDLE_INVALID, CKR_SLOT_ID_INVALID);
    expect_everywhere(~0UL, CKR_SESSION_HANDLE_INVALID, CKR_SLOT_ID_INVALID);
    expect_everywhere(closed, CKR_SESSION_HANDLE_INVALID, CKR_SLOT_ID_INVALID);
    assert_int_equal(old_table->C_Finalize(NULL), CKR_OK);
}

static void in_a_session_each_says_what_the_specification_has(void **state)
{
    (void)state;
    assert_int_equal(old_table->C_Initialize(NULL), CKR_OK);
    for (int new = 0; new < 2; new ++) {
        for (size_t i = 0; i < COUNT(of_slots); i++)
            expect(&of_slots[i], new, SLOT, of_slots[i].expected);
        for (size_t i = 0; i < COUNT(session_2_40); i++)
            expect(&session_2_40[i], new, open_session(), session_2_40[i].expected);
        assert_int_equal(old_table->C_CloseAllSessions(SLOT), CKR_OK);
    }
    for (size_t i = 0; i < COUNT(session_3_0); i++)
        expect(&session_3_0[i], true, open_session(), session_3_0[i].expected);
    assert_int_equal(old_table->C_Finalize(NULL), CKR_OK);
}

static int in_child(void (*what)(void **))
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        what(NULL);
        _exit(7);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_child_that_does_not_initialise_is_told(void **state)
{
    CK_SESSION_HANDLE session;

    (void)state;
    assert_int_equal(old_table->C_Initialize(NULL), CKR_OK);
    session = open_session();
    assert_int_equal(in_child(nothing_works_before_it_is_initialised), 7);
    assert_int_equal(old_table->C_GetSessionInfo(session, &session_info), CKR_OK);
    assert_int_equal(old_table->C_Finalize(NULL), CKR_OK);
}

static void a_child_that_does_works_like_its_parent(void **state)
{
    (void)state;
    assert_int_equal(old_table->C_Initialize(NULL), CKR_OK);
    (void)open_session();
    assert_int_equal(in_child(what_is_no_session_or_slot_is_told), 7);
    assert_int_equal(in_child(in_a_session_each_says_what_the_specification_has), 7);
    assert_int_equal(old_table->C_Finalize(NULL), CKR_OK);
}

/* Bad pointers, in a session that is right. ARGUMENTS_BAD comes after the session's own trouble. */
static void missing_arguments_are_told(void **state)
{
    CK_SESSION_HANDLE s;

    (void)state;
    assert_int_equal(old_table->C_Initialize(NULL), CKR_OK);
    s = open_session();
#define BAD(name, ...) assert_int_equal(new_table->name(__VA_ARGS__), CKR_ARGUMENTS_BAD)
    BAD(C_GetInfo, NULL);
    BAD(C_Finalize, octets);
    BAD(C_GetFunctionList, NULL);
    BAD(C_GetInterfaceList, NULL, NULL);
    BAD(C_GetInterface, NULL, NULL, NULL, 0);
    BAD(C_GetSlotList, CK_TRUE, NULL, NULL);
    BAD(C_GetSlotInfo, SLOT, NULL);
    BAD(C_GetTokenInfo, SLOT, NULL);
    BAD(C_GetMechanismList, SLOT, NULL, NULL);
    BAD(C_GetMechanismInfo, SLOT, CKM_SHA256, NULL);
    BAD(C_InitToken, SLOT, IN, NULL);
    BAD(C_InitToken, SLOT, NULL, 4, octets);
    BAD(C_WaitForSlotEvent, CKF_DONT_BLOCK, NULL, NULL);
    BAD(C_WaitForSlotEvent, CKF_DONT_BLOCK, &number, octets);
    BAD(C_OpenSession, SLOT, CKF_SERIAL_SESSION, NULL, NULL, NULL);
    BAD(C_GetSessionInfo, s, NULL);
    BAD(C_GetOperationState, s, NULL, NULL);
    BAD(C_SetOperationState, s, NULL, 4, 0, 0);
    BAD(C_InitPIN, s, NULL, 4);
    BAD(C_SetPIN, s, NULL, 4, IN);
    BAD(C_SetPIN, s, IN, NULL, 4);
    BAD(C_Login, s, CKU_USER, NULL, 4);
    BAD(C_LoginUser, s, CKU_USER, NULL, 4, IN);
    BAD(C_LoginUser, s, CKU_USER, IN, NULL, 4);
    BAD(C_CreateObject, s, NULL, 1, &handle);
    BAD(C_CreateObject, s, template, 1, NULL);
    BAD(C_FindObjectsInit, s, NULL, 1);
    BAD(C_FindObjects, s, NULL, 1, &count);
    BAD(C_FindObjects, s, &handle, 1, NULL);
    BAD(C_GetAttributeValue, s, handle, NULL, 1);
    BAD(C_EncryptInit, s, NULL, handle);
    BAD(C_DecryptInit, s, NULL, handle);
    BAD(C_DigestInit, s, NULL);
    BAD(C_SignInit, s, NULL, handle);
    BAD(C_SignRecoverInit, s, NULL, handle);
    BAD(C_VerifyInit, s, NULL, handle);
    BAD(C_VerifyRecoverInit, s, NULL, handle);
    BAD(C_MessageEncryptInit, s, NULL, handle);
    BAD(C_MessageDecryptInit, s, NULL, handle);
    BAD(C_MessageSignInit, s, NULL, handle);
    BAD(C_MessageVerifyInit, s, NULL, handle);
    BAD(C_GenerateKey, s, NULL, template, 1, &handle);
    BAD(C_GenerateKeyPair, s, NULL, template, 1, template, 1, &handle, &handle);
    BAD(C_WrapKey, s, NULL, handle, handle, OUT);
    BAD(C_UnwrapKey, s, NULL, handle, IN, template, 1, &handle);
    BAD(C_DeriveKey, s, NULL, handle, template, 1, &handle);
    BAD(C_SeedRandom, s, NULL, 4);
    BAD(C_GenerateRandom, s, NULL, 4);
    assert_int_equal(old_table->C_Finalize(NULL), CKR_OK);
}

static void log_in_as(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_RV expected)
{
    assert_int_equal(new_table->C_Login(session, user, IN), expected);
    assert_int_equal(new_table->C_Login(session, user, NULL, 0), expected);
    assert_int_equal(new_table->C_LoginUser(session, user, IN, IN), expected);
    assert_int_equal(new_table->C_LoginUser(session, user, NULL, 0, NULL, 0), expected);
}

static void nobody_can_log_in(void **state)
{
    CK_SESSION_HANDLE session;

    (void)state;
    assert_int_equal(old_table->C_Initialize(NULL), CKR_OK);
    session = open_session();
    assert_int_equal(old_table->C_InitPIN(session, NULL, 0), CKR_USER_NOT_LOGGED_IN);
    assert_int_equal(old_table->C_SetPIN(session, NULL, 0, NULL, 0), CKR_SESSION_READ_ONLY);
    log_in_as(session, CKU_SO, CKR_SESSION_READ_ONLY_EXISTS);
    log_in_as(session, CKU_USER, CKR_USER_PIN_NOT_INITIALIZED);
    log_in_as(session, CKU_CONTEXT_SPECIFIC, CKR_OPERATION_NOT_INITIALIZED);
    log_in_as(session, 3, CKR_USER_TYPE_INVALID);
    log_in_as(session, ~0UL, CKR_USER_TYPE_INVALID);
    assert_int_equal(old_table->C_Finalize(NULL), CKR_OK);
}

/* The names in NSS's header, which are those of the tables. */
#undef CK_NEED_ARG_LIST
#undef CK_PKCS11_2_0_ONLY
#undef CK_PKCS11_3_0
#define CK_PKCS11_3_0                 1
#define CK_PKCS11_FUNCTION_INFO(name) #name,
static const char *const all_names[] = {
#include <pkcs11f.h>
};

static bool is_in(const char *name, const struct call *calls, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(calls[i].name, name) == 0)
            return true;
    return false;
}

#define OTHER_NAME(name) {#name, NULL, 0},
static const struct call others[] = {OTHER_CASES(OTHER_NAME)};

static void no_function_is_left_out(void **state)
{
    (void)state;
    assert_int_equal(COUNT(all_names),
                     COUNT(session_2_40) + COUNT(session_3_0) + COUNT(of_slots) + COUNT(others));
    for (size_t i = 0; i < COUNT(all_names); i++)
        if (!is_in(all_names[i], session_2_40, COUNT(session_2_40)) &&
            !is_in(all_names[i], session_3_0, COUNT(session_3_0)) &&
            !is_in(all_names[i], of_slots, COUNT(of_slots)) &&
            !is_in(all_names[i], others, COUNT(others)))
            fail_msg("%s is not tested", all_names[i]);
}

/* A table is a version and then nothing but pointers. */
static void no_pointer_of_a_table_is_missing(const void *table, size_t size)
{
    const size_t first = offsetof(CK_FUNCTION_LIST, C_Initialize);
    void *pointer;

    for (size_t at = first; at < size; at += sizeof pointer) {
        memcpy(&pointer, (const char *)table + at, sizeof pointer);
        assert_non_null(pointer);
    }
}

static void no_function_is_missing(void **state)
{
    (void)state;
    no_pointer_of_a_table_is_missing(old_table, sizeof *old_table);
    no_pointer_of_a_table_is_missing(new_table, sizeof *new_table);
    assert_ptr_equal(old_table->C_WaitForSlotEvent, new_table->C_WaitForSlotEvent);
}

static int find_tables(void **state)
{
    CK_VERSION version = {3, 0};
    CK_INTERFACE_PTR interface;

    (void)state;
    fake_gate_reset();
    if (C_GetFunctionList(&old_table) != CKR_OK ||
        C_GetInterface(NULL, &version, &interface, 0) != CKR_OK)
        return -1;
    new_table = interface->pFunctionList;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_function_is_missing),
        cmocka_unit_test(no_function_is_left_out),
        cmocka_unit_test(nothing_works_before_it_is_initialised),
        cmocka_unit_test(it_is_the_same_after_it_was_finalized),
        cmocka_unit_test(what_is_no_session_or_slot_is_told),
        cmocka_unit_test(in_a_session_each_says_what_the_specification_has),
        cmocka_unit_test(missing_arguments_are_told),
        cmocka_unit_test(nobody_can_log_in),
        cmocka_unit_test(a_child_that_does_not_initialise_is_told),
        cmocka_unit_test(a_child_that_does_works_like_its_parent),
    };

    return cmocka_run_group_tests(tests, find_tables, NULL);
}
