/* SPDX-License-Identifier: MIT */
/* Keeps trust objects in a ring, and answers for their attributes. An object says one thing: this
 * certificate is trusted for servers. Of everything else it knows nothing, and distrusts nothing.
 */
#include "config.h"

#include "nss-module/object.h"

#include <stdlib.h>
#include <string.h>

#include <pkcs11.h>
#include <pkcs11n.h>

#include "nss-module/surface.h"
#include "nss-module/module.h"
#include "nss-module/session.h"

#define SHA1_LEN 20

struct object {
    CK_OBJECT_HANDLE handle;
    size_t issuer_len, serial_len;
    uint8_t sha1[SHA1_LEN];
    uint8_t octets[]; /* issuer, then serial */
};

static struct {
    struct object *ring[CVG_OBJECTS_MAX]; /* object n at n modulo the size */
    CK_OBJECT_HANDLE last;
} table;

static const CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static const CK_OBJECT_CLASS class = CKO_NSS_TRUST;
static const CK_TRUST trusted = CKT_NSS_TRUSTED, unknown = CKT_NSS_TRUST_UNKNOWN;
static const char label[] = CVG_MODULE_NAME;

struct value {
    const void *data;
    size_t len;
};

#define CONSTANT(name) ((struct value){&(name), sizeof(name)})

static struct value constant_of(CK_ATTRIBUTE_TYPE type)
{
    switch (type) {
    case CKA_CLASS:
        return CONSTANT(class);
    case CKA_TOKEN:
        return CONSTANT(yes);
    case CKA_PRIVATE:
    case CKA_MODIFIABLE:
    case CKA_TRUST_STEP_UP_APPROVED:
        return CONSTANT(no);
    case CKA_LABEL:
        return (struct value){label, sizeof label - 1};
    case CKA_TRUST_SERVER_AUTH:
        return CONSTANT(trusted);
    case CKA_TRUST_CLIENT_AUTH:
    case CKA_TRUST_CODE_SIGNING:
    case CKA_TRUST_EMAIL_PROTECTION:
    case CKA_TRUST_IPSEC_END_SYSTEM:
    case CKA_TRUST_IPSEC_TUNNEL:
    case CKA_TRUST_IPSEC_USER:
    case CKA_TRUST_TIME_STAMPING:
        return CONSTANT(unknown);
    default:
        return (struct value){NULL, 0};
    }
}

/* The attribute's value; data is NULL if the object has no such attribute. */
static struct value value_of(const struct cvg_object_key *key, CK_ATTRIBUTE_TYPE type)
{
    switch (type) {
    case CKA_ISSUER:
        return (struct value){key->issuer, key->issuer_len};
    case CKA_SERIAL_NUMBER:
        return (struct value){key->serial, key->serial_len};
    case CKA_CERT_SHA1_HASH:
        return (struct value){key->sha1, SHA1_LEN};
    default:
        return constant_of(type);
    }
}

static bool fits(const struct cvg_object_key *key, const CK_ATTRIBUTE *wanted)
{
    const struct value value = value_of(key, wanted->type);

    if (wanted->type == CKA_CERT_SHA1_HASH && !key->sha1)
        return wanted->ulValueLen == SHA1_LEN && wanted->pValue;
    return value.data && wanted->pValue && wanted->ulValueLen == value.len &&
           memcmp(wanted->pValue, value.data, value.len) == 0;
}

bool cvg_object_matches(const struct cvg_object_key *key, const CK_ATTRIBUTE *template,
                        CK_ULONG count)
{
    for (CK_ULONG i = 0; i < count; i++)
        if (!fits(key, &template[i]))
            return false;
    return true;
}

static struct cvg_object_key key_of(const struct object *object)
{
    return (struct cvg_object_key){object->octets, object->octets + object->issuer_len,
                                   object->issuer_len, object->serial_len, object->sha1};
}

static bool same(const struct object *object, const struct cvg_object_key *key)
{
    return object->issuer_len == key->issuer_len && object->serial_len == key->serial_len &&
           memcmp(object->octets, key->issuer, key->issuer_len) == 0 &&
           memcmp(object->octets + key->issuer_len, key->serial, key->serial_len) == 0 &&
           memcmp(object->sha1, key->sha1, SHA1_LEN) == 0;
}

static CK_OBJECT_HANDLE find_same_locked(const struct cvg_object_key *key)
{
    for (size_t i = 0; i < CVG_OBJECTS_MAX; i++)
        if (table.ring[i] && same(table.ring[i], key))
            return table.ring[i]->handle;
    return CK_INVALID_HANDLE;
}

static CK_OBJECT_HANDLE add_locked(const struct cvg_object_key *key)
{
    struct object *object = malloc(sizeof *object + key->issuer_len + key->serial_len);
    struct object **place;

    if (!object)
        return CK_INVALID_HANDLE;
    if (++table.last == CK_INVALID_HANDLE) /* the count has come round */
        table.last++;
    *object = (struct object){table.last, key->issuer_len, key->serial_len, {0}};
    memcpy(object->sha1, key->sha1, SHA1_LEN);
    memcpy(object->octets, key->issuer, key->issuer_len);
    memcpy(object->octets + key->issuer_len, key->serial, key->serial_len);
    place = &table.ring[table.last % CVG_OBJECTS_MAX];
    free(*place);
    *place = object;
    return object->handle;
}

CK_OBJECT_HANDLE cvg_object_keep(const struct cvg_object_key *key)
{
    CK_OBJECT_HANDLE handle;

    cvg_surface_lock();
    handle = find_same_locked(key);
    if (handle == CK_INVALID_HANDLE && cvg_module_ready()) /* it may have ended meanwhile */
        handle = add_locked(key);
    cvg_surface_unlock();
    return handle;
}

static const struct object *find_locked(CK_OBJECT_HANDLE handle)
{
    const struct object *object = table.ring[handle % CVG_OBJECTS_MAX];

    return object && object->handle == handle ? object : NULL;
}

/* PKCS#11's rules for one attribute of C_GetAttributeValue's template. */
static CK_RV tell(const struct cvg_object_key *key, CK_ATTRIBUTE *asked)
{
    const struct value value = value_of(key, asked->type);
    CK_RV rv = CKR_OK;

    if (!value.data)
        rv = CKR_ATTRIBUTE_TYPE_INVALID;
    else if (asked->pValue && asked->ulValueLen < value.len)
        rv = CKR_BUFFER_TOO_SMALL;
    else if (asked->pValue)
        memcpy(asked->pValue, value.data, value.len);
    asked->ulValueLen = rv == CKR_OK ? value.len : CK_UNAVAILABLE_INFORMATION;
    return rv;
}

static CK_RV tell_all_locked(CK_OBJECT_HANDLE handle, CK_ATTRIBUTE *template, CK_ULONG count)
{
    const struct object *object = find_locked(handle);
    struct cvg_object_key key;
    CK_RV rv = CKR_OK;

    if (!object)
        return CKR_OBJECT_HANDLE_INVALID;
    key = key_of(object);
    for (CK_ULONG i = 0; i < count; i++) {
        CK_RV one = tell(&key, &template[i]);

        if (rv == CKR_OK)
            rv = one;
    }
    return rv;
}

CK_RV C_GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                          CK_ATTRIBUTE_PTR template, CK_ULONG count)
{
    CK_RV rv = cvg_session_check(session);

    if (rv != CKR_OK)
        return rv;
    if (!template && count > 0)
        return CKR_ARGUMENTS_BAD;
    cvg_surface_lock();
    rv = tell_all_locked(object, template, count);
    cvg_surface_unlock();
    return rv;
}

/* CKR_OK if the session and the object are. */
static CK_RV check(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle, size_t *ret_size)
{
    CK_RV rv = cvg_session_check(session);
    const struct object *object;

    if (rv != CKR_OK)
        return rv;
    cvg_surface_lock();
    object = find_locked(handle);
    if (object)
        *ret_size = sizeof *object + object->issuer_len + object->serial_len;
    else
        rv = CKR_OBJECT_HANDLE_INVALID;
    cvg_surface_unlock();
    return rv;
}

CK_RV C_GetObjectSize(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ULONG_PTR ret_size)
{
    size_t size;
    CK_RV rv = check(session, object, &size);

    if (rv != CKR_OK)
        return rv;
    if (!ret_size)
        return CKR_ARGUMENTS_BAD;
    *ret_size = size;
    return CKR_OK;
}

CK_RV C_CreateObject(CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR template, CK_ULONG count,
                     CK_OBJECT_HANDLE_PTR ret_object)
{
    CK_RV rv = cvg_session_check(session);

    if (rv != CKR_OK)
        return rv;
    if ((!template && count > 0) || !ret_object)
        return CKR_ARGUMENTS_BAD;
    return CKR_TOKEN_WRITE_PROTECTED;
}

CK_RV C_CopyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR template,
                   CK_ULONG count, CK_OBJECT_HANDLE_PTR ret_object)
{
    size_t size;
    CK_RV rv = check(session, object, &size);

    if (rv != CKR_OK)
        return rv;
    if ((!template && count > 0) || !ret_object)
        return CKR_ARGUMENTS_BAD;
    return CKR_TOKEN_WRITE_PROTECTED;
}

CK_RV C_DestroyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    size_t size;
    CK_RV rv = check(session, object, &size);

    return rv == CKR_OK ? CKR_TOKEN_WRITE_PROTECTED : rv;
}

CK_RV C_SetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                          CK_ATTRIBUTE_PTR template, CK_ULONG count)
{
    size_t size;
    CK_RV rv = check(session, object, &size);

    if (rv != CKR_OK)
        return rv;
    return !template && count > 0 ? CKR_ARGUMENTS_BAD : CKR_TOKEN_WRITE_PROTECTED;
}

void cvg_object_clear_locked(void)
{
    for (size_t i = 0; i < CVG_OBJECTS_MAX; i++)
        free(table.ring[i]);
    cvg_object_renew_locked();
}

void cvg_object_renew_locked(void)
{
    memset(table.ring, 0, sizeof table.ring);
}
