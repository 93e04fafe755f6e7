/* SPDX-License-Identifier: MIT */
/* Who initialises and how, what the interfaces are, and what the module says of itself. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pkcs11.h>
#include <pkcs11n.h>

#include "nss-module/holds.h"
#include "nss-module/initargs.h"
#include "nss-module/session.h"
#include "tests/nss-module/fake-gate.h"

#define SLOT 1UL

static CK_FUNCTION_LIST_PTR p11;

/* What C_Initialize is called with */

static CK_RV create_mutex(CK_VOID_PTR_PTR ret_mutex)
{
    *ret_mutex = NULL;
    return CKR_OK;
}

static CK_RV use_mutex(CK_VOID_PTR mutex)
{
    (void)mutex;
    return CKR_OK;
}

static const CK_C_INITIALIZE_ARGS with_callbacks = {
    create_mutex, use_mutex, use_mutex, use_mutex, 0, NULL, NULL};

static void arguments_may_be_missing(void **state)
{
    const CK_C_INITIALIZE_ARGS none = {0};

    (void)state;
    assert_int_equal(cvg_initargs_check(NULL, false), CKR_OK);
    assert_int_equal(cvg_initargs_check(&none, false), CKR_OK);
}

static void we_lock_with_the_systems_mutexes_or_not_at_all(void **state)
{
    CK_C_INITIALIZE_ARGS args = with_callbacks;

    (void)state;
    assert_int_equal(cvg_initargs_check(&args, false), CKR_CANT_LOCK);
    args.flags = CKF_LIBRARY_CANT_CREATE_OS_THREADS;
    assert_int_equal(cvg_initargs_check(&args, false), CKR_CANT_LOCK);
    args.flags = CKF_OS_LOCKING_OK;
    assert_int_equal(cvg_initargs_check(&args, false), CKR_OK);
    args = (CK_C_INITIALIZE_ARGS){.flags = CKF_OS_LOCKING_OK | CKF_LIBRARY_CANT_CREATE_OS_THREADS};
    assert_int_equal(cvg_initargs_check(&args, false), CKR_OK);
}

static void callbacks_come_together_or_not_at_all(void **state)
{
    (void)state;
    for (int which = 1; which < 15; which++) {
        CK_C_INITIALIZE_ARGS args = with_callbacks;

        if (!(which & 1))
            args.CreateMutex = NULL;
        if (!(which & 2))
            args.DestroyMutex = NULL;
        if (!(which & 4))
            args.LockMutex = NULL;
        if (!(which & 8))
            args.UnlockMutex = NULL;
        assert_int_equal(cvg_initargs_check(&args, false), CKR_ARGUMENTS_BAD);
        args.flags = CKF_OS_LOCKING_OK;
        assert_int_equal(cvg_initargs_check(&args, true), CKR_ARGUMENTS_BAD);
    }
}

static void only_nss_and_p11_kit_hand_strings_over(void **state)
{
    CK_CHAR text[] = "parameters";
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};

    (void)state;
    args.LibraryParameters = (void *)text;
    assert_int_equal(cvg_initargs_check(&args, false), CKR_ARGUMENTS_BAD);
    assert_int_equal(cvg_initargs_check(&args, true), CKR_OK);
    assert_int_equal(p11->C_Initialize(&args), CKR_ARGUMENTS_BAD);
    assert_int_equal(p11->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
}

/* Who holds it */

static void the_same_caller_holds_once(void **state)
{
    (void)state;
    assert_int_equal(p11->C_Initialize(NULL), CKR_OK);
    assert_int_equal(fake_gate.installed, 1);
    assert_int_equal(p11->C_Initialize(NULL), CKR_CRYPTOKI_ALREADY_INITIALIZED);
    assert_int_equal(fake_gate.installed, 2);
    assert_int_equal(p11->C_Finalize(NULL), CKR_OK);
    assert_int_equal(fake_gate.removed, 1);
    assert_int_equal(p11->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
    assert_int_equal(fake_gate.removed, 1);
}

static void wrong_arguments_take_no_hold(void **state)
{
    CK_C_INITIALIZE_ARGS args = with_callbacks;

    (void)state;
    assert_int_equal(p11->C_Initialize(&args), CKR_CANT_LOCK);
    assert_int_equal(p11->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
    assert_int_equal(fake_gate.installed, 0);
}

/* Objects and NSSs, for the list of holds: it only compares them. */
static char object_a, object_b, object_c, nss_a, nss_b;
#define NSS(which) ((struct cvg_nss *)(void *)&(which))

static void two_holders_share_a_gate(void **state)
{
    (void)state;
    assert_false(cvg_holds_any_locked());
    assert_true(cvg_holds_take_locked(&object_a, NSS(nss_a)));
    assert_true(cvg_holds_take_locked(&object_b, NSS(nss_a)));
    assert_null(cvg_holds_drop_locked(&object_a));
    assert_true(cvg_holds_any_locked());
    assert_ptr_equal(cvg_holds_drop_locked(&object_b), NSS(nss_a));
    assert_false(cvg_holds_any_locked());
}

static void two_nsss_have_a_gate_each(void **state)
{
    (void)state;
    assert_true(cvg_holds_take_locked(&object_a, NSS(nss_a)));
    assert_true(cvg_holds_take_locked(&object_b, NSS(nss_b)));
    assert_ptr_equal(cvg_holds_drop_locked(&object_a), NSS(nss_a));
    assert_ptr_equal(cvg_holds_drop_locked(&object_b), NSS(nss_b));
}

static void a_stranger_ends_no_gate(void **state)
{
    (void)state;
    assert_true(cvg_holds_take_locked(&object_a, NSS(nss_a)));
    assert_null(cvg_holds_drop_locked(&object_c));
    assert_true(cvg_holds_has_locked(&object_a));
    assert_true(cvg_holds_take_locked(&object_b, NULL));
    assert_null(cvg_holds_drop_locked(&object_c)); /* stands for the one without an NSS */
    assert_false(cvg_holds_has_locked(&object_b));
    assert_ptr_equal(cvg_holds_drop_locked(&object_a), NSS(nss_a));
}

static void holders_are_a_bounded_number(void **state)
{
    static char objects[CVG_HOLDS_MAX + 1];

    (void)state;
    for (int i = 0; i < CVG_HOLDS_MAX; i++)
        assert_true(cvg_holds_take_locked(&objects[i], NSS(nss_a)));
    assert_false(cvg_holds_take_locked(&objects[CVG_HOLDS_MAX], NSS(nss_a)));
    assert_true(cvg_holds_take_locked(&objects[3], NSS(nss_a)));
    for (int i = 1; i < CVG_HOLDS_MAX; i++)
        assert_null(cvg_holds_drop_locked(&objects[i]));
    assert_ptr_equal(cvg_holds_drop_locked(&objects[0]), NSS(nss_a));
}

static void an_nss_that_comes_later_is_everybodys(void **state)
{
    (void)state;
    assert_null(cvg_holds_without_nss_locked());
    assert_true(cvg_holds_take_locked(&object_a, NULL));
    assert_true(cvg_holds_take_locked(&object_b, NSS(nss_b)));
    assert_ptr_equal(cvg_holds_without_nss_locked(), &object_a);
    cvg_holds_adopt_locked(NSS(nss_a));
    assert_null(cvg_holds_without_nss_locked());
    assert_ptr_equal(cvg_holds_drop_locked(&object_b), NSS(nss_b));
    assert_ptr_equal(cvg_holds_drop_locked(&object_a), NSS(nss_a));
}

static void one_holder_too_many_is_told(void **state)
{
    static char objects[CVG_HOLDS_MAX];

    (void)state;
    for (int i = 0; i < CVG_HOLDS_MAX; i++)
        assert_true(cvg_holds_take_locked(&objects[i], NSS(nss_a)));
    assert_int_equal(p11->C_Initialize(NULL), CKR_HOST_MEMORY);
    for (int i = 0; i < CVG_HOLDS_MAX; i++)
        cvg_holds_drop_locked(&objects[i]);
}

static void sessions_last_as_long_as_anybody_holds(void **state)
{
    CK_SESSION_HANDLE session;
    CK_SESSION_INFO info;

    (void)state;
    assert_int_equal(p11->C_Initialize(NULL), CKR_OK);
    assert_true(cvg_holds_take_locked(&object_a, NULL));
    assert_int_equal(p11->C_OpenSession(SLOT, CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_OK);
    assert_int_equal(p11->C_Finalize(NULL), CKR_OK);
    assert_int_equal(p11->C_GetSessionInfo(session, &info), CKR_OK);
    assert_int_equal(p11->C_Finalize(NULL), CKR_OK); /* for the other one */
    assert_int_equal(p11->C_GetSessionInfo(session, &info), CKR_CRYPTOKI_NOT_INITIALIZED);
    assert_int_equal(cvg_session_count(), 0);
}

static void in_child(bool (*right)(void))
{
    int status;
    pid_t child = fork();

    if (child == 0)
        _exit(right() ? 7 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

/* p11-kit comes and goes in a child of a program over NSS: the gate of inherited sockets stays. */
static bool another_holder_leaves_the_gate(void)
{
    return !cvg_holds_any_locked() && !cvg_holds_has_locked(&object_a) &&
           cvg_holds_take_locked(&object_b, NSS(nss_a)) && cvg_holds_any_locked() &&
           cvg_holds_drop_locked(&object_b) == NULL &&
           cvg_holds_drop_locked(&object_a) == NSS(nss_a);
}

static bool the_same_holder_takes_it_over(void)
{
    return cvg_holds_take_locked(&object_a, NSS(nss_a)) && cvg_holds_has_locked(&object_a) &&
           cvg_holds_drop_locked(&object_a) == NSS(nss_a) && !cvg_holds_any_locked();
}

static void a_childs_holds_are_its_own(void **state)
{
    (void)state;
    assert_true(cvg_holds_take_locked(&object_a, NSS(nss_a)));
    in_child(another_holder_leaves_the_gate);
    in_child(the_same_holder_takes_it_over);
    assert_ptr_equal(cvg_holds_drop_locked(&object_a), NSS(nss_a));
}

static bool an_inherited_nss_ends_its_gate(void)
{
    return p11->C_Finalize(NULL) == CKR_CRYPTOKI_NOT_INITIALIZED && fake_gate.removed == 1;
}

static bool nobody_touches_the_gate(void)
{
    return p11->C_GetSlotList(CK_TRUE, NULL, NULL) == CKR_CRYPTOKI_NOT_INITIALIZED &&
           fake_gate.removed == 0;
}

static void a_childs_gate_ends_with_its_nss(void **state)
{
    (void)state;
    assert_int_equal(p11->C_Initialize(NULL), CKR_OK);
    in_child(nobody_touches_the_gate);
    in_child(an_inherited_nss_ends_its_gate);
    assert_int_equal(p11->C_Finalize(NULL), CKR_OK);
}

/* Another copy of the module may have watched the sockets, and gone. */
static void sessions_and_searches_see_to_the_gate(void **state)
{
    CK_SESSION_HANDLE session;

    (void)state;
    assert_int_equal(p11->C_Initialize(NULL), CKR_OK);
    assert_int_equal(fake_gate.installed, 1);
    assert_int_equal(p11->C_OpenSession(SLOT, CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_OK);
    assert_int_equal(fake_gate.installed, 2);
    assert_int_equal(p11->C_FindObjectsInit(session, NULL, 0), CKR_OK);
    assert_int_equal(fake_gate.installed, 3);
    assert_int_equal(p11->C_Finalize(NULL), CKR_OK);
    assert_int_equal(fake_gate.removed, 1);
}

/* It was unloaded without a C_Finalize, and an NSS was loaded in its place. */
static void a_holders_place_may_become_an_nsss(void **state)
{
    (void)state;
    fake_gate.nss = false;
    assert_int_equal(p11->C_Initialize(NULL), CKR_OK);
    assert_int_equal(fake_gate.installed, 0);
    fake_gate.nss = true;
    assert_int_equal(p11->C_Initialize(NULL), CKR_CRYPTOKI_ALREADY_INITIALIZED);
    assert_int_equal(fake_gate.installed, 1);
    assert_int_equal(p11->C_Finalize(NULL), CKR_OK);
    assert_int_equal(fake_gate.removed, 1);
}

static void nss_may_come_later(void **state)
{
    CK_SESSION_HANDLE session;

    (void)state;
    fake_gate.nss = false;
    assert_int_equal(p11->C_Initialize(NULL), CKR_OK);
    assert_int_equal(p11->C_OpenSession(SLOT, CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_OK);
    assert_int_equal(fake_gate.installed, 0);
    assert_int_equal(p11->C_Finalize(NULL), CKR_OK);
    assert_int_equal(fake_gate.removed, 0);
}

/* Interfaces */

static void both_interfaces_are_listed(void **state)
{
    CK_INTERFACE interfaces[3];
    CK_ULONG count = 99;

    (void)state;
    assert_int_equal(C_GetInterfaceList(NULL, &count), CKR_OK);
    assert_int_equal(count, 2);
    count = 1;
    assert_int_equal(C_GetInterfaceList(interfaces, &count), CKR_BUFFER_TOO_SMALL);
    assert_int_equal(count, 2);
    for (CK_ULONG room = 3; room >= 2; room--) {
        count = room;
        assert_int_equal(C_GetInterfaceList(interfaces, &count), CKR_OK);
        assert_int_equal(count, 2);
    }
    for (int i = 0; i < 2; i++) {
        assert_string_equal(interfaces[i].pInterfaceName, "PKCS 11");
        assert_int_equal(interfaces[i].flags, 0);
    }
    assert_ptr_equal(interfaces[1].pFunctionList, p11);
}

static void expect_interface(const char *name, CK_VERSION *version, CK_BYTE major, CK_BYTE minor)
{
    CK_UTF8CHAR text[32] = "";
    CK_INTERFACE_PTR interface = NULL;
    const CK_VERSION *got;

    if (name)
        strncpy((char *)text, name, sizeof text - 1);
    assert_int_equal(C_GetInterface(name ? text : NULL, version, &interface, 0), CKR_OK);
    got = interface->pFunctionList;
    assert_int_equal(got->major, major);
    assert_int_equal(got->minor, minor);
}

static void an_interface_is_found_by_name_and_version(void **state)
{
    CK_VERSION v2 = {2, 40}, v3 = {3, 0};

    (void)state;
    expect_interface(NULL, NULL, 3, 0);
    expect_interface("PKCS 11", NULL, 3, 0);
    expect_interface("PKCS 11", &v2, 2, 40);
    expect_interface("PKCS 11", &v3, 3, 0);
    expect_interface(NULL, &v2, 2, 40);
    expect_interface(NULL, &v3, 3, 0);
}

static void other_interfaces_are_not_there(void **state)
{
    CK_VERSION v1 = {2, 20}, v2 = {3, 1}, v3 = {3, 0};
    CK_UTF8CHAR right[] = "PKCS 11", wrong[] = "Vendor NSS Module Interface", less[] = "PKCS 1";
    CK_INTERFACE_PTR interface = NULL;

    (void)state;
    assert_int_equal(C_GetInterface(wrong, NULL, &interface, 0), CKR_FUNCTION_FAILED);
    assert_int_equal(C_GetInterface(less, NULL, &interface, 0), CKR_FUNCTION_FAILED);
    assert_int_equal(C_GetInterface(right, &v1, &interface, 0), CKR_FUNCTION_FAILED);
    assert_int_equal(C_GetInterface(right, &v2, &interface, 0), CKR_FUNCTION_FAILED);
    assert_int_equal(C_GetInterface(right, &v3, &interface, CKF_INTERFACE_FORK_SAFE),
                     CKR_FUNCTION_FAILED);
    assert_int_equal(C_GetInterface(NULL, NULL, &interface, CKF_INTERFACE_FORK_SAFE),
                     CKR_FUNCTION_FAILED);
    assert_null(interface);
}

/* What it says of itself */

static bool padded(const CK_UTF8CHAR *field, size_t size, const char *text)
{
    const size_t len = strlen(text);

    if (memcmp(field, text, len) != 0)
        return false;
    while (size > len)
        if (field[--size] != ' ')
            return false;
    return true;
}

#define assert_padded(field, text) assert_true(padded(field, sizeof(field), text))

static void each_table_tells_its_own_version(void **state)
{
    CK_INTERFACE_PTR interface;
    const CK_FUNCTION_LIST_3_0 *p11_3_0;
    CK_INFO info;

    (void)state;
    assert_int_equal(C_GetInterface(NULL, NULL, &interface, 0), CKR_OK);
    p11_3_0 = interface->pFunctionList;
    assert_int_equal(p11->C_Initialize(NULL), CKR_OK);
    memset(&info, 0xff, sizeof info);
    assert_int_equal(p11->C_GetInfo(&info), CKR_OK);
    assert_int_equal(info.cryptokiVersion.major, 2);
    assert_int_equal(info.cryptokiVersion.minor, 40);
    assert_int_equal(info.flags, 0);
    assert_padded(info.manufacturerID, "Converge");
    assert_padded(info.libraryDescription, "Converge");
    assert_int_equal(p11_3_0->C_GetInfo(&info), CKR_OK);
    assert_int_equal(info.cryptokiVersion.major, 3);
    assert_int_equal(info.cryptokiVersion.minor, 0);
    assert_int_equal(p11->C_Finalize(NULL), CKR_OK);
}

static void the_slot_is_fixed_and_full(void **state)
{
    CK_SLOT_ID slots[2] = {99, 99};
    CK_ULONG count = 0;
    CK_SLOT_INFO info;

    (void)state;
    assert_int_equal(p11->C_Initialize(NULL), CKR_OK);
    for (CK_BBOOL present = CK_FALSE; present <= CK_TRUE; present++) {
        assert_int_equal(p11->C_GetSlotList(present, NULL, &count), CKR_OK);
        assert_int_equal(count, 1);
    }
    count = 0;
    assert_int_equal(p11->C_GetSlotList(CK_TRUE, slots, &count), CKR_BUFFER_TOO_SMALL);
    assert_int_equal(count, 1);
    count = 2;
    assert_int_equal(p11->C_GetSlotList(CK_TRUE, slots, &count), CKR_OK);
    assert_int_equal(count, 1);
    assert_int_equal(slots[0], SLOT);
    assert_int_equal(slots[1], 99);
    memset(&info, 0xff, sizeof info);
    assert_int_equal(p11->C_GetSlotInfo(SLOT, &info), CKR_OK);
    assert_int_equal(info.flags, CKF_TOKEN_PRESENT);
    assert_padded(info.slotDescription, "Converge");
    assert_padded(info.manufacturerID, "Converge");
    assert_int_equal(p11->C_Finalize(NULL), CKR_OK);
}

static void nothing_happens_to_the_slot(void **state)
{
    CK_SLOT_ID slot;

    (void)state;
    assert_int_equal(p11->C_Initialize(NULL), CKR_OK);
    assert_int_equal(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL), CKR_NO_EVENT);
    assert_int_equal(p11->C_WaitForSlotEvent(0, &slot, NULL), CKR_FUNCTION_NOT_SUPPORTED);
    assert_int_equal(p11->C_Finalize(NULL), CKR_OK);
}

static void the_token_is_read_only_and_open(void **state)
{
    CK_SESSION_HANDLE session;
    CK_TOKEN_INFO info;
    CK_ULONG count = 7;
    CK_BYTE label[32];

    (void)state;
    assert_int_equal(p11->C_Initialize(NULL), CKR_OK);
    assert_int_equal(p11->C_OpenSession(SLOT, CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_OK);
    memset(&info, 0xff, sizeof info);
    assert_int_equal(p11->C_GetTokenInfo(SLOT, &info), CKR_OK);
    assert_int_equal(info.flags, CKF_WRITE_PROTECTED | CKF_TOKEN_INITIALIZED);
    assert_padded(info.label, "Converge");
    assert_padded(info.manufacturerID, "Converge");
    assert_padded(info.model, "notaries");
    assert_padded(info.utcTime, "");
    assert_int_equal(info.ulSessionCount, 1);
    assert_int_equal(info.ulRwSessionCount, 0);
    assert_int_equal(p11->C_GetMechanismList(SLOT, NULL, &count), CKR_OK);
    assert_int_equal(count, 0);
    assert_int_equal(p11->C_InitToken(SLOT, NULL, 0, label), CKR_SESSION_EXISTS);
    assert_int_equal(p11->C_Finalize(NULL), CKR_OK);
}

/* Sessions */

static CK_RV open_with(CK_FLAGS flags)
{
    CK_SESSION_HANDLE session;

    return p11->C_OpenSession(SLOT, flags, NULL, NULL, &session);
}

static void sessions_are_serial_and_read_only(void **state)
{
    CK_SESSION_HANDLE session;
    CK_SESSION_INFO info;

    (void)state;
    assert_int_equal(p11->C_Initialize(NULL), CKR_OK);
    assert_int_equal(open_with(0), CKR_SESSION_PARALLEL_NOT_SUPPORTED);
    assert_int_equal(open_with(CKF_RW_SESSION), CKR_SESSION_PARALLEL_NOT_SUPPORTED);
    assert_int_equal(open_with(CKF_SERIAL_SESSION | CKF_RW_SESSION), CKR_TOKEN_WRITE_PROTECTED);
    assert_int_equal(p11->C_OpenSession(SLOT, CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_OK);
    assert_int_equal(p11->C_GetSessionInfo(session, &info), CKR_OK);
    assert_int_equal(info.slotID, SLOT);
    assert_int_equal(info.state, CKS_RO_PUBLIC_SESSION);
    assert_int_equal(info.flags, CKF_SERIAL_SESSION);
    assert_int_equal(info.ulDeviceError, 0);
    assert_int_equal(p11->C_Finalize(NULL), CKR_OK);
}

static void sessions_are_many_but_not_without_end(void **state)
{
    static CK_SESSION_HANDLE sessions[CVG_SESSIONS_MAX];
    CK_SESSION_HANDLE again;
    CK_SESSION_INFO info;

    (void)state;
    assert_int_equal(p11->C_Initialize(NULL), CKR_OK);
    for (size_t i = 0; i < CVG_SESSIONS_MAX; i++)
        assert_int_equal(p11->C_OpenSession(SLOT, CKF_SERIAL_SESSION, NULL, NULL, &sessions[i]),
                         CKR_OK);
    assert_int_equal(open_with(CKF_SERIAL_SESSION), CKR_SESSION_COUNT);
    for (size_t i = 0; i < CVG_SESSIONS_MAX; i++)
        assert_int_equal(p11->C_GetSessionInfo(sessions[i], &info), CKR_OK);
    assert_int_equal(p11->C_CloseSession(sessions[500]), CKR_OK);
    assert_int_equal(p11->C_CloseSession(sessions[500]), CKR_SESSION_HANDLE_INVALID);
    assert_int_equal(p11->C_OpenSession(SLOT, CKF_SERIAL_SESSION, NULL, NULL, &again), CKR_OK);
    assert_int_not_equal(again, sessions[500]);
    assert_int_equal(open_with(CKF_SERIAL_SESSION), CKR_SESSION_COUNT);
    assert_int_equal(p11->C_CloseAllSessions(SLOT), CKR_OK);
    assert_int_equal(cvg_session_count(), 0);
    assert_int_equal(p11->C_GetSessionInfo(sessions[0], &info), CKR_SESSION_HANDLE_INVALID);
    assert_int_equal(p11->C_Finalize(NULL), CKR_OK);
}

static int reset(void **state)
{
    (void)state;
    fake_gate_reset();
    return 0;
}

static int find_table(void **state)
{
    (void)state;
    return C_GetFunctionList(&p11) == CKR_OK ? 0 : -1;
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(arguments_may_be_missing),
        TEST(we_lock_with_the_systems_mutexes_or_not_at_all),
        TEST(callbacks_come_together_or_not_at_all),
        TEST(only_nss_and_p11_kit_hand_strings_over),
        TEST(the_same_caller_holds_once),
        TEST(wrong_arguments_take_no_hold),
        TEST(two_holders_share_a_gate),
        TEST(two_nsss_have_a_gate_each),
        TEST(a_stranger_ends_no_gate),
        TEST(holders_are_a_bounded_number),
        TEST(an_nss_that_comes_later_is_everybodys),
        TEST(one_holder_too_many_is_told),
        TEST(sessions_last_as_long_as_anybody_holds),
        TEST(a_childs_holds_are_its_own),
        TEST(a_childs_gate_ends_with_its_nss),
        TEST(sessions_and_searches_see_to_the_gate),
        TEST(a_holders_place_may_become_an_nsss),
        TEST(nss_may_come_later),
        TEST(both_interfaces_are_listed),
        TEST(an_interface_is_found_by_name_and_version),
        TEST(other_interfaces_are_not_there),
        TEST(each_table_tells_its_own_version),
        TEST(the_slot_is_fixed_and_full),
        TEST(nothing_happens_to_the_slot),
        TEST(the_token_is_read_only_and_open),
        TEST(sessions_are_serial_and_read_only),
        TEST(sessions_are_many_but_not_without_end),
    };

    return cmocka_run_group_tests(tests, find_table, NULL);
}
