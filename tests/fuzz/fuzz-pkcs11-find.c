/* SPDX-License-Identifier: MIT */
/* Search templates, and the attributes that are then asked for, from bytes: type, length and value
 * of each as a stranger might have them, true or not. At most one object comes out, and only where
 * class, issuer and serial number of a trust object were named. */
#include "config.h"

#include <pkcs11.h>
#include <pkcs11n.h>

#include "tests/fuzz/fuzz.h"
#include "tests/nss-module/fake-gate.h"

#define ATTRIBUTES_MAX 16

static const CK_ATTRIBUTE_TYPE types[] = {
    CKA_CLASS,   CKA_ISSUER, CKA_SERIAL_NUMBER, CKA_TOKEN,          CKA_LABEL,
    CKA_PRIVATE, CKA_VALUE,  CKA_SUBJECT,       CKA_CERT_SHA1_HASH, CKA_TRUST_SERVER_AUTH,
    ~0UL};
static const CK_OBJECT_CLASS classes[] = {CKO_NSS_TRUST, CKO_NSS_BUILTIN_ROOT_LIST, CKO_CERTIFICATE,
                                          CKO_NSS_CRL};

struct input {
    const uint8_t *data;
    size_t size;
};

static uint8_t take(struct input *input)
{
    if (input->size == 0)
        return 0;
    input->size--;
    return *input->data++;
}

/* A value of its own allocation, so that a sanitizer sees who reads behind it. */
static void fill(CK_ATTRIBUTE *attribute, struct input *input)
{
    const uint8_t how = take(input);
    size_t len = take(input) % 32;

    attribute->type = types[how % (sizeof types / sizeof types[0])];
    attribute->pValue = NULL;
    if (how & 0x80) { /* nothing there, or a length that nothing can have */
        attribute->ulValueLen = how & 0x40 ? CK_UNAVAILABLE_INFORMATION - len : len;
        if (how & 0x40)
            attribute->pValue = calloc(1, 1);
        return;
    }
    if (attribute->type == CKA_CLASS && (how & 0x40) == 0)
        len = sizeof classes[0];
    if (len > input->size && attribute->type != CKA_CLASS)
        len = input->size;
    attribute->pValue = malloc(len ? len : 1);
    attribute->ulValueLen = len;
    FUZZ_CHECK(attribute->pValue);
    if (attribute->type == CKA_CLASS && len == sizeof classes[0])
        memcpy(attribute->pValue, &classes[take(input) % 4], len);
    else
        for (size_t i = 0; i < len; i++)
            ((uint8_t *)attribute->pValue)[i] = take(input);
}

static int names(const CK_ATTRIBUTE *template, CK_ULONG count, CK_ATTRIBUTE_TYPE type)
{
    for (CK_ULONG i = 0; i < count; i++)
        if (template[i].type == type && template[i].pValue && template[i].ulValueLen > 0)
            return 1;
    return 0;
}

static void check_object(CK_FUNCTION_LIST_PTR p11, CK_SESSION_HANDLE session,
                         CK_OBJECT_HANDLE object, CK_ATTRIBUTE *template, CK_ULONG count)
{
    FUZZ_CHECK(names(template, count, CKA_CLASS) && names(template, count, CKA_ISSUER) &&
               names(template, count, CKA_SERIAL_NUMBER));
    /* It has all that was named, in the same size: so each value is written over by itself. */
    FUZZ_CHECK(p11->C_GetAttributeValue(session, object, template, count) == CKR_OK);
}

static void find(CK_FUNCTION_LIST_PTR p11, CK_SESSION_HANDLE session, CK_ATTRIBUTE *template,
                 CK_ULONG count)
{
    CK_OBJECT_HANDLE objects[2];
    CK_ULONG found;
    CK_RV rv = p11->C_FindObjectsInit(session, template, count);

    FUZZ_CHECK(rv == CKR_OK || rv == CKR_ATTRIBUTE_VALUE_INVALID);
    if (rv != CKR_OK)
        return;
    FUZZ_CHECK(p11->C_FindObjects(session, objects, 2, &found) == CKR_OK);
    FUZZ_CHECK(found <= 1 && (found == 0 || fake_gate.trusts));
    if (found == 1)
        check_object(p11, session, objects[0], template, count);
    FUZZ_CHECK(p11->C_FindObjectsFinal(session) == CKR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CK_ATTRIBUTE template[ATTRIBUTES_MAX];
    struct input input = {data, size};
    CK_FUNCTION_LIST_PTR p11;
    CK_SESSION_HANDLE session;
    CK_ULONG count = 0;

    fake_gate_reset();
    fake_gate.trusts = take(&input) & 1;
    while (count < ATTRIBUTES_MAX && input.size > 0)
        fill(&template[count++], &input);
    FUZZ_CHECK(C_GetFunctionList(&p11) == CKR_OK && p11->C_Initialize(NULL) == CKR_OK);
    FUZZ_CHECK(p11->C_OpenSession(1, CKF_SERIAL_SESSION, NULL, NULL, &session) == CKR_OK);
    find(p11, session, template, count);
    find(p11, session, template, count);
    FUZZ_CHECK(p11->C_Finalize(NULL) == CKR_OK);
    while (count > 0)
        free(template[--count].pValue);
    return 0;
}
