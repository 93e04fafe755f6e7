/* SPDX-License-Identifier: MIT */
/* Searches, sessions that end in the middle of them, and the trust objects that they find. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include <pkcs11.h>
#include <pkcs11n.h>

#include "nss-module/object.h"
#include "tests/nss-module/fake-gate.h"

#define SLOT     1UL
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static CK_FUNCTION_LIST_PTR p11;
static CK_FUNCTION_LIST_3_0_PTR p11_3_0;
static CK_SESSION_HANDLE session;

static CK_OBJECT_CLASS trust_class = CKO_NSS_TRUST, certificate_class = CKO_CERTIFICATE,
                       roots_class = CKO_NSS_BUILTIN_ROOT_LIST;
static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_BYTE issuer[] = "0.issuer", serial[] = "\2\1\7", other[] = "other";
static CK_BYTE sha1[20];

#define VALUE(type, value)                                                                         \
    {                                                                                              \
        type, &(value), sizeof(value)                                                              \
    }
#define TRUST  VALUE(CKA_CLASS, trust_class)
#define ISSUER VALUE(CKA_ISSUER, issuer)
#define SERIAL VALUE(CKA_SERIAL_NUMBER, serial)

/* How many objects a search finds; the last one's handle. */
static CK_ULONG search(CK_ATTRIBUTE *template, CK_ULONG count, CK_OBJECT_HANDLE *ret_object)
{
    CK_OBJECT_HANDLE objects[4] = {0};
    CK_ULONG found = 99, more = 99;

    assert_int_equal(p11->C_FindObjectsInit(session, template, count), CKR_OK);
    assert_int_equal(p11->C_FindObjects(session, objects, COUNT(objects), &found), CKR_OK);
    assert_int_equal(p11->C_FindObjects(session, objects + 1, 1, &more), CKR_OK);
    assert_int_equal(more, 0);
    assert_int_equal(p11->C_FindObjectsFinal(session), CKR_OK);
    assert_true(found <= 1);
    if (ret_object)
        *ret_object = objects[0];
    return found;
}

#define SEARCH(...)                                                                                \
    search((CK_ATTRIBUTE[]){__VA_ARGS__}, COUNT(((CK_ATTRIBUTE[]){__VA_ARGS__})), NULL)

static CK_OBJECT_HANDLE find_object(void)
{
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
    CK_ATTRIBUTE template[] = {TRUST, ISSUER, SERIAL};

    assert_int_equal(search(template, COUNT(template), &object), 1);
    assert_int_not_equal(object, CK_INVALID_HANDLE);
    return object;
}

static void what_the_notaries_confirmed_is_found(void **state)
{
    (void)state;
    fake_gate.trusts = true;
    assert_int_equal(SEARCH(TRUST, ISSUER, SERIAL), 1);
    assert_int_equal(SEARCH(SERIAL, ISSUER, TRUST), 1);
    assert_int_equal(SEARCH(VALUE(CKA_TOKEN, yes), TRUST, ISSUER, SERIAL), 1);
    assert_int_equal(SEARCH(TRUST, ISSUER, SERIAL, TRUST, SERIAL, ISSUER), 1);
    assert_int_equal(fake_gate.lookups, 4);
}

static void what_they_did_not_is_not(void **state)
{
    (void)state;
    assert_int_equal(SEARCH(TRUST, ISSUER, SERIAL), 0);
    assert_int_equal(fake_gate.lookups, 1);
}

static void no_other_search_finds_or_asks_anything(void **state)
{
    CK_BYTE empty = 0;
    CK_TRUST distrusted = CKT_NSS_NOT_TRUSTED;

    (void)state;
    fake_gate.trusts = true;
    (void)find_object(); /* there is an object that might be found */
    fake_gate.lookups = 0;
    assert_int_equal(search(NULL, 0, NULL), 0);
    assert_int_equal(SEARCH(TRUST), 0);
    assert_int_equal(SEARCH(TRUST, ISSUER), 0);
    assert_int_equal(SEARCH(TRUST, SERIAL), 0);
    assert_int_equal(SEARCH(ISSUER, SERIAL), 0);
    assert_int_equal(SEARCH(VALUE(CKA_CLASS, certificate_class), ISSUER, SERIAL), 0);
    assert_int_equal(SEARCH(VALUE(CKA_CLASS, roots_class)), 0);
    assert_int_equal(SEARCH(VALUE(CKA_CLASS, roots_class), ISSUER, SERIAL), 0);
    assert_int_equal(SEARCH(TRUST, VALUE(CKA_CLASS, certificate_class), ISSUER, SERIAL), 0);
    assert_int_equal(SEARCH(TRUST, ISSUER, SERIAL, VALUE(CKA_ISSUER, other)), 0);
    assert_int_equal(SEARCH(TRUST, ISSUER, SERIAL, VALUE(CKA_TOKEN, no)), 0);
    assert_int_equal(SEARCH(TRUST, ISSUER, SERIAL, VALUE(CKA_SUBJECT, issuer)), 0);
    assert_int_equal(SEARCH(TRUST, ISSUER, SERIAL, VALUE(CKA_TRUST_SERVER_AUTH, distrusted)), 0);
    assert_int_equal(SEARCH(TRUST, ISSUER, SERIAL, {~0UL, NULL, 0}), 0);
    assert_int_equal(SEARCH(TRUST, {CKA_ISSUER, &empty, 0}, SERIAL), 0);
    assert_int_equal(SEARCH(TRUST, {CKA_ISSUER, NULL, 0}, {CKA_SERIAL_NUMBER, NULL, 0}), 0);
    assert_int_equal(fake_gate.lookups, 0);
}

static void the_hash_must_fit_where_it_is_asked_for(void **state)
{
    (void)state;
    fake_gate.trusts = true;
    memcpy(sha1, fake_gate.sha1, sizeof sha1);
    assert_int_equal(SEARCH(TRUST, ISSUER, SERIAL, VALUE(CKA_CERT_SHA1_HASH, sha1)), 1);
    sha1[19]++;
    assert_int_equal(SEARCH(TRUST, ISSUER, SERIAL, VALUE(CKA_CERT_SHA1_HASH, sha1)), 0);
    assert_int_equal(fake_gate.lookups, 2);
    assert_int_equal(SEARCH(TRUST, ISSUER, SERIAL, VALUE(CKA_CERT_SHA1_HASH, other)), 0);
    assert_int_equal(fake_gate.lookups, 2);
}

/* Lengths that are not the truth: nothing behind the pointer may be looked at. */
static void absurd_lengths_find_nothing(void **state)
{
    static const CK_ULONG lengths[] = {65536, 1UL << 31, ~0UL / 2, ~0UL - 1, ~0UL};

    (void)state;
    fake_gate.trusts = true;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        const CK_ULONG len = lengths[i];

        assert_int_equal(SEARCH({CKA_CLASS, &trust_class, len}, ISSUER, SERIAL), 0);
        assert_int_equal(SEARCH(TRUST, {CKA_ISSUER, issuer, len}, SERIAL), 0);
        assert_int_equal(SEARCH(TRUST, ISSUER, {CKA_SERIAL_NUMBER, serial, len}), 0);
        assert_int_equal(SEARCH(TRUST, ISSUER, SERIAL, {CKA_LABEL, other, len}), 0);
    }
    assert_int_equal(SEARCH({CKA_CLASS, &trust_class, sizeof trust_class - 1}, ISSUER, SERIAL), 0);
    assert_int_equal(fake_gate.lookups, 0);
}

static void values_need_not_be_aligned(void **state)
{
    CK_BYTE octets[sizeof trust_class + 1];

    (void)state;
    fake_gate.trusts = true;
    memcpy(octets + 1, &trust_class, sizeof trust_class);
    assert_int_equal(SEARCH({CKA_CLASS, octets + 1, sizeof trust_class}, ISSUER, SERIAL), 1);
}

static void a_value_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        CK_ATTRIBUTE template[] = {TRUST, ISSUER, SERIAL};

        template[i].pValue = NULL;
        assert_int_equal(p11->C_FindObjectsInit(session, template, 3), CKR_ATTRIBUTE_VALUE_INVALID);
        assert_int_equal(p11->C_FindObjectsFinal(session), CKR_OPERATION_NOT_INITIALIZED);
    }
}

static void one_search_at_a_time(void **state)
{
    CK_OBJECT_HANDLE object;
    CK_ULONG found;

    (void)state;
    assert_int_equal(p11->C_FindObjectsInit(session, NULL, 0), CKR_OK);
    assert_int_equal(p11->C_FindObjectsInit(session, NULL, 0), CKR_OPERATION_ACTIVE);
    assert_int_equal(p11->C_FindObjects(session, &object, 1, &found), CKR_OK);
    assert_int_equal(p11->C_FindObjectsInit(session, NULL, 0), CKR_OPERATION_ACTIVE);
    assert_int_equal(p11->C_FindObjectsFinal(session), CKR_OK);
    assert_int_equal(p11->C_FindObjectsFinal(session), CKR_OPERATION_NOT_INITIALIZED);
    assert_int_equal(p11->C_FindObjects(session, &object, 1, &found),
                     CKR_OPERATION_NOT_INITIALIZED);
}

static void an_object_waits_until_there_is_room(void **state)
{
    CK_ATTRIBUTE template[] = {TRUST, ISSUER, SERIAL};
    CK_OBJECT_HANDLE object = 0;
    CK_ULONG found = 99;

    (void)state;
    fake_gate.trusts = true;
    assert_int_equal(p11->C_FindObjectsInit(session, template, 3), CKR_OK);
    assert_int_equal(p11->C_FindObjects(session, NULL, 0, &found), CKR_OK);
    assert_int_equal(found, 0);
    assert_int_equal(p11->C_FindObjects(session, &object, 1, &found), CKR_OK);
    assert_int_equal(found, 1);
    assert_int_equal(p11->C_FindObjectsFinal(session), CKR_OK);
}

static void a_search_can_be_cancelled(void **state)
{
    (void)state;
    assert_int_equal(p11->C_FindObjectsInit(session, NULL, 0), CKR_OK);
    assert_int_equal(p11_3_0->C_SessionCancel(session, CKF_SIGN), CKR_OK);
    assert_int_equal(p11->C_FindObjectsInit(session, NULL, 0), CKR_OPERATION_ACTIVE);
    assert_int_equal(p11_3_0->C_SessionCancel(session, CKF_FIND_OBJECTS), CKR_OK);
    assert_int_equal(p11->C_FindObjectsInit(session, NULL, 0), CKR_OK);
}

static void close_session(void)
{
    assert_int_equal(p11->C_CloseSession(session), CKR_OK);
}

static void end_search(void)
{
    assert_int_equal(p11->C_FindObjectsFinal(session), CKR_OK);
}

static void begin_another(void)
{
    CK_ATTRIBUTE template[] = {VALUE(CKA_CLASS, certificate_class)};

    end_search();
    assert_int_equal(p11->C_FindObjectsInit(session, template, 1), CKR_OK);
}

static void finalize(void)
{
    assert_int_equal(p11->C_Finalize(NULL), CKR_OK);
}

static void start_anew(void)
{
    finalize();
    assert_int_equal(p11->C_Initialize(NULL), CKR_OK);
    assert_int_equal(p11->C_OpenSession(SLOT, CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_OK);
}

static void be_busy_elsewhere(void)
{
    CK_SESSION_HANDLE mine = session;
    CK_OBJECT_HANDLE object;
    CK_ULONG found;

    fake_gate.during_lookup = NULL;
    assert_int_equal(p11->C_OpenSession(SLOT, CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_OK);
    (void)find_object();
    assert_int_equal(p11->C_CloseSession(session), CKR_OK);
    session = mine;
    assert_int_equal(p11->C_FindObjects(session, &object, 1, &found),
                     CKR_OPERATION_NOT_INITIALIZED);
    assert_int_equal(p11->C_FindObjectsInit(session, NULL, 0), CKR_OPERATION_ACTIVE);
}

/* What C_FindObjectsInit says if this happens while the agent is asked. */
static CK_RV meanwhile(void (*happens)(void))
{
    CK_ATTRIBUTE template[] = {TRUST, ISSUER, SERIAL};
    const CK_SESSION_HANDLE mine = session;

    fake_gate.trusts = true;
    fake_gate.during_lookup = happens;
    return p11->C_FindObjectsInit(mine, template, COUNT(template));
}

static void a_session_may_end_while_it_searches(void **state)
{
    (void)state;
    assert_int_equal(meanwhile(close_session), CKR_SESSION_CLOSED);
    assert_int_equal(p11->C_FindObjectsFinal(session), CKR_SESSION_HANDLE_INVALID);
}

static void a_search_may_end_while_it_searches(void **state)
{
    CK_OBJECT_HANDLE object;
    CK_ULONG found = 99;

    (void)state;
    assert_int_equal(meanwhile(end_search), CKR_FUNCTION_CANCELED);
    assert_int_equal(p11->C_FindObjectsFinal(session), CKR_OPERATION_NOT_INITIALIZED);
    assert_int_equal(meanwhile(begin_another), CKR_FUNCTION_CANCELED);
    assert_int_equal(p11->C_FindObjects(session, &object, 1, &found), CKR_OK);
    assert_int_equal(found, 0); /* the answer was to the first search */
}

static void the_module_may_end_while_it_searches(void **state)
{
    (void)state;
    assert_int_equal(meanwhile(start_anew), CKR_SESSION_CLOSED);
    assert_int_equal(meanwhile(finalize), CKR_CRYPTOKI_NOT_INITIALIZED);
    assert_int_equal(p11->C_Initialize(NULL), CKR_OK);
}

static void others_search_while_one_does(void **state)
{
    (void)state;
    assert_int_equal(meanwhile(be_busy_elsewhere), CKR_OK);
    assert_int_equal(fake_gate.lookups, 2);
}

/* Objects */

#define holds_value(object, type, expected)                                                        \
    holds_octets(object, type, &(expected), sizeof(expected))

static void holds_octets(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, const void *expected,
                         CK_ULONG len)
{
    CK_BYTE octets[64] = {0};
    CK_ATTRIBUTE asked = {type, NULL, 99};

    assert_int_equal(p11->C_GetAttributeValue(session, object, &asked, 1), CKR_OK);
    assert_int_equal(asked.ulValueLen, len);
    asked.pValue = octets;
    asked.ulValueLen = sizeof octets;
    assert_int_equal(p11->C_GetAttributeValue(session, object, &asked, 1), CKR_OK);
    assert_int_equal(asked.ulValueLen, len);
    assert_memory_equal(octets, expected, len);
    asked.ulValueLen = len - 1;
    assert_int_equal(p11->C_GetAttributeValue(session, object, &asked, 1), CKR_BUFFER_TOO_SMALL);
    assert_true(asked.ulValueLen == CK_UNAVAILABLE_INFORMATION);
}

static void an_object_says_one_thing(void **state)
{
    static const CK_ATTRIBUTE_TYPE unknown[] = {
        CKA_TRUST_CLIENT_AUTH,      CKA_TRUST_CODE_SIGNING, CKA_TRUST_EMAIL_PROTECTION,
        CKA_TRUST_IPSEC_END_SYSTEM, CKA_TRUST_IPSEC_TUNNEL, CKA_TRUST_IPSEC_USER,
        CKA_TRUST_TIME_STAMPING};
    CK_TRUST trusted = CKT_NSS_TRUSTED, nothing = CKT_NSS_TRUST_UNKNOWN;
    CK_OBJECT_HANDLE object;

    (void)state;
    fake_gate.trusts = true;
    object = find_object();
    holds_value(object, CKA_CLASS, trust_class);
    holds_value(object, CKA_TOKEN, yes);
    holds_value(object, CKA_PRIVATE, no);
    holds_value(object, CKA_MODIFIABLE, no);
    holds_octets(object, CKA_LABEL, "Converge", 8);
    holds_value(object, CKA_ISSUER, issuer);
    holds_value(object, CKA_SERIAL_NUMBER, serial);
    holds_value(object, CKA_CERT_SHA1_HASH, fake_gate.sha1);
    holds_value(object, CKA_TRUST_SERVER_AUTH, trusted);
    holds_value(object, CKA_TRUST_STEP_UP_APPROVED, no);
    for (size_t i = 0; i < COUNT(unknown); i++)
        holds_value(object, unknown[i], nothing);
}

static void it_has_no_other_attribute(void **state)
{
    static const CK_ATTRIBUTE_TYPE absent[] = {
        CKA_VALUE, CKA_SUBJECT, CKA_CERT_MD5_HASH, CKA_ID, CKA_CERTIFICATE_TYPE, CKA_TRUST, ~0UL};
    CK_BYTE octets[64];
    CK_OBJECT_HANDLE object;

    (void)state;
    fake_gate.trusts = true;
    object = find_object();
    for (size_t i = 0; i < COUNT(absent); i++) {
        CK_ATTRIBUTE asked = {absent[i], octets, sizeof octets};

        assert_int_equal(p11->C_GetAttributeValue(session, object, &asked, 1),
                         CKR_ATTRIBUTE_TYPE_INVALID);
        assert_true(asked.ulValueLen == CK_UNAVAILABLE_INFORMATION);
    }
}

static void trouble_with_one_attribute_spares_the_others(void **state)
{
    CK_BYTE label[8], hash[1];
    CK_TRUST trust;
    CK_ATTRIBUTE asked[] = {{CKA_VALUE, NULL, 5},
                            VALUE(CKA_LABEL, label),
                            VALUE(CKA_CERT_SHA1_HASH, hash),
                            {CKA_ISSUER, NULL, 0},
                            VALUE(CKA_TRUST_SERVER_AUTH, trust)};
    CK_RV rv;

    (void)state;
    fake_gate.trusts = true;
    rv = p11->C_GetAttributeValue(session, find_object(), asked, COUNT(asked));
    assert_true(rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_BUFFER_TOO_SMALL);
    assert_true(asked[0].ulValueLen == CK_UNAVAILABLE_INFORMATION);
    assert_int_equal(asked[1].ulValueLen, 8);
    assert_memory_equal(label, "Converge", 8);
    assert_true(asked[2].ulValueLen == CK_UNAVAILABLE_INFORMATION);
    assert_int_equal(asked[3].ulValueLen, sizeof issuer);
    assert_int_equal(asked[4].ulValueLen, sizeof trust);
    assert_true(trust == CKT_NSS_TRUSTED);
    assert_int_equal(p11->C_GetAttributeValue(session, find_object(), NULL, 0), CKR_OK);
}

static void an_object_cannot_be_changed(void **state)
{
    CK_ATTRIBUTE template[] = {TRUST};
    CK_OBJECT_HANDLE object, made;
    CK_ULONG size = 0;

    (void)state;
    fake_gate.trusts = true;
    object = find_object();
    assert_int_equal(p11->C_SetAttributeValue(session, object, template, 1),
                     CKR_TOKEN_WRITE_PROTECTED);
    assert_int_equal(p11->C_SetAttributeValue(session, object, NULL, 1), CKR_ARGUMENTS_BAD);
    assert_int_equal(p11->C_DestroyObject(session, object), CKR_TOKEN_WRITE_PROTECTED);
    assert_int_equal(p11->C_CopyObject(session, object, template, 1, &made),
                     CKR_TOKEN_WRITE_PROTECTED);
    assert_int_equal(p11->C_CopyObject(session, object, template, 1, NULL), CKR_ARGUMENTS_BAD);
    assert_int_equal(p11->C_GetObjectSize(session, object, NULL), CKR_ARGUMENTS_BAD);
    assert_int_equal(p11->C_GetObjectSize(session, object, &size), CKR_OK);
    assert_true(size >= sizeof issuer + sizeof serial + 20);
}

static void the_same_certificate_is_the_same_object(void **state)
{
    CK_OBJECT_HANDLE first;

    (void)state;
    fake_gate.trusts = true;
    first = find_object();
    assert_int_equal(find_object(), first);
    fake_gate.sha1[0]++;
    assert_int_not_equal(find_object(), first);
}

static void an_object_outlives_the_session_but_not_the_module(void **state)
{
    CK_OBJECT_HANDLE object, later;
    CK_ULONG size;

    (void)state;
    fake_gate.trusts = true;
    object = find_object();
    assert_int_equal(p11->C_CloseSession(session), CKR_OK);
    assert_int_equal(p11->C_OpenSession(SLOT, CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_OK);
    assert_int_equal(p11->C_GetObjectSize(session, object, &size), CKR_OK);
    start_anew();
    later = find_object();
    assert_int_not_equal(later, object);
    assert_int_equal(p11->C_GetObjectSize(session, object, &size), CKR_OBJECT_HANDLE_INVALID);
}

static void objects_are_a_bounded_number(void **state)
{
    CK_OBJECT_HANDLE objects[CVG_OBJECTS_MAX + 1];
    CK_ULONG size;

    (void)state;
    fake_gate.trusts = true;
    for (size_t i = 0; i < COUNT(objects); i++) {
        memcpy(fake_gate.sha1, &i, sizeof i);
        objects[i] = find_object();
    }
    assert_int_equal(p11->C_GetObjectSize(session, objects[0], &size), CKR_OBJECT_HANDLE_INVALID);
    for (size_t i = 1; i < COUNT(objects); i++)
        assert_int_equal(p11->C_GetObjectSize(session, objects[i], &size), CKR_OK);
}

static int set_up(void **state)
{
    (void)state;
    fake_gate_reset();
    if (p11->C_Initialize(NULL) != CKR_OK)
        return -1;
    return p11->C_OpenSession(SLOT, CKF_SERIAL_SESSION, NULL, NULL, &session) == CKR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return p11->C_Finalize(NULL) == CKR_OK ? 0 : -1;
}

static int find_tables(void **state)
{
    CK_INTERFACE_PTR interface;

    (void)state;
    if (C_GetFunctionList(&p11) != CKR_OK || C_GetInterface(NULL, NULL, &interface, 0) != CKR_OK)
        return -1;
    p11_3_0 = interface->pFunctionList;
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_the_notaries_confirmed_is_found),
        TEST(what_they_did_not_is_not),
        TEST(no_other_search_finds_or_asks_anything),
        TEST(the_hash_must_fit_where_it_is_asked_for),
        TEST(absurd_lengths_find_nothing),
        TEST(values_need_not_be_aligned),
        TEST(a_value_that_is_not_there_is_an_error),
        TEST(one_search_at_a_time),
        TEST(an_object_waits_until_there_is_room),
        TEST(a_search_can_be_cancelled),
        TEST(a_session_may_end_while_it_searches),
        TEST(a_search_may_end_while_it_searches),
        TEST(the_module_may_end_while_it_searches),
        TEST(others_search_while_one_does),
        TEST(an_object_says_one_thing),
        TEST(it_has_no_other_attribute),
        TEST(trouble_with_one_attribute_spares_the_others),
        TEST(an_object_cannot_be_changed),
        TEST(the_same_certificate_is_the_same_object),
        TEST(an_object_outlives_the_session_but_not_the_module),
        TEST(objects_are_a_bounded_number),
    };

    return cmocka_run_group_tests(tests, find_tables, NULL);
}
