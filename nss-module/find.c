/* SPDX-License-Identifier: MIT */
/* PKCS#11's search for objects. Only one kind of search finds anything: NSS's for the trust of the
 * certificate with a given issuer and serial number, which trust.h may answer. */
#include "config.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <pkcs11.h>
#include <pkcs11n.h>

#include "nss-module/module.h"
#include "nss-module/object.h"
#include "nss-module/session.h"
#include "nss-module/trust.h"

/* Longer ones are nobody's whose certificate a handshake carries. */
#define ISSUER_MAX 65535
#define SERIAL_MAX 1024

static const CK_ATTRIBUTE *attribute(const CK_ATTRIBUTE *template, CK_ULONG count,
                                     CK_ATTRIBUTE_TYPE type)
{
    for (CK_ULONG i = 0; i < count; i++)
        if (template[i].type == type)
            return &template[i];
    return NULL;
}

static bool has_octets(const CK_ATTRIBUTE *attribute, size_t max)
{
    return attribute && attribute->pValue && attribute->ulValueLen > 0 &&
           attribute->ulValueLen <= max;
}

/* Whether the template names the class, the issuer and the serial number of a trust object, and
 * nothing that ours would not have. */
static bool is_trust_lookup(const CK_ATTRIBUTE *template, CK_ULONG count,
                            struct cvg_object_key *ret_key)
{
    const CK_ATTRIBUTE *issuer = attribute(template, count, CKA_ISSUER);
    const CK_ATTRIBUTE *serial = attribute(template, count, CKA_SERIAL_NUMBER);
    struct cvg_object_key key = {0};

    if (!attribute(template, count, CKA_CLASS) || !has_octets(issuer, ISSUER_MAX) ||
        !has_octets(serial, SERIAL_MAX))
        return false;
    key.issuer = issuer->pValue;
    key.issuer_len = issuer->ulValueLen;
    key.serial = serial->pValue;
    key.serial_len = serial->ulValueLen;
    if (!cvg_object_matches(&key, template, count))
        return false;
    *ret_key = key;
    return true;
}

/* Asks the agent, perhaps: without a lock. */
static CK_OBJECT_HANDLE look_up(const CK_ATTRIBUTE *template, CK_ULONG count)
{
    uint8_t sha1[20];
    struct cvg_object_key key;

    if (!is_trust_lookup(template, count, &key) ||
        !cvg_trust_lookup(key.issuer, key.issuer_len, key.serial, key.serial_len, sha1))
        return CK_INVALID_HANDLE;
    key.sha1 = sha1;
    if (!cvg_object_matches(&key, template, count))
        return CK_INVALID_HANDLE;
    return cvg_object_keep(&key);
}

static CK_RV check_template(const CK_ATTRIBUTE *template, CK_ULONG count)
{
    if (!template && count > 0)
        return CKR_ARGUMENTS_BAD;
    for (CK_ULONG i = 0; i < count; i++)
        if (!template[i].pValue && template[i].ulValueLen > 0)
            return CKR_ATTRIBUTE_VALUE_INVALID;
    return CKR_OK;
}

CK_RV C_FindObjectsInit(CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR template, CK_ULONG count)
{
    uint64_t search;
    CK_RV rv = cvg_session_check(session);

    if (rv == CKR_OK)
        rv = check_template(template, count);
    if (rv == CKR_OK)
        rv = cvg_session_search(session, &search);
    if (rv != CKR_OK)
        return rv;
    cvg_module_look_again();
    return cvg_session_found(session, search, look_up(template, count));
}

CK_RV C_FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE_PTR ret_objects, CK_ULONG max,
                    CK_ULONG_PTR ret_count)
{
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
    CK_RV rv = cvg_session_check(session);

    if (rv != CKR_OK)
        return rv;
    if ((!ret_objects && max > 0) || !ret_count)
        return CKR_ARGUMENTS_BAD;
    rv = cvg_session_next(session, max, &object);
    if (rv != CKR_OK)
        return rv;
    *ret_count = object != CK_INVALID_HANDLE;
    if (object != CK_INVALID_HANDLE)
        ret_objects[0] = object;
    return CKR_OK;
}

CK_RV C_FindObjectsFinal(CK_SESSION_HANDLE session)
{
    return cvg_session_search_end(session);
}

/* Of what can be cancelled, searches are all that a session of ours can have. */
CK_RV C_SessionCancel(CK_SESSION_HANDLE session, CK_FLAGS flags)
{
    CK_RV rv;

    if (!(flags & CKF_FIND_OBJECTS))
        return cvg_session_check(session);
    rv = cvg_session_search_end(session);
    return rv == CKR_OPERATION_NOT_INITIALIZED ? CKR_OK : rv;
}
