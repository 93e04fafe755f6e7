/* SPDX-License-Identifier: MIT */
/* PKCS#11's functions for cryptography, of which this token does none: what would begin an
 * operation is told that there is no such mechanism, what would continue one that none has begun.
 * Macros make the bodies; the compiler holds their parameters against NSS's declarations. */
#include "config.h"

#include <stdbool.h>

#include <pkcs11.h>

#include "common/base/attr.h"
#include "nss-module/session.h"

/* The reason, once the session is right. */
static CK_RV refuse(CK_SESSION_HANDLE session, CK_RV reason)
{
    CK_RV rv = cvg_session_check(session);

    return rv == CKR_OK ? reason : rv;
}

#define REFUSE(name, reason, ...)                                                                  \
    CK_RV name(CK_SESSION_HANDLE session, __VA_ARGS__)                                             \
    {                                                                                              \
        return refuse(session, reason);                                                            \
    }

#define REFUSE_SESSION(name, reason)                                                               \
    CK_RV name(CK_SESSION_HANDLE session)                                                          \
    {                                                                                              \
        return refuse(session, reason);                                                            \
    }

/* Parameters, which refusals hardly look at. */
#define UNUSED(type, name) CVG_UNUSED type name
#define IN                 UNUSED(CK_BYTE_PTR, in), UNUSED(CK_ULONG, in_len)
#define IN_TOO             UNUSED(CK_BYTE_PTR, too), UNUSED(CK_ULONG, too_len)
#define OUT                UNUSED(CK_BYTE_PTR, out), UNUSED(CK_ULONG_PTR, out_len)
#define MESSAGE            UNUSED(CK_VOID_PTR, message), UNUSED(CK_ULONG, message_len)
#define KEY                UNUSED(CK_OBJECT_HANDLE, key)
#define TEMPLATE           UNUSED(CK_ATTRIBUTE_PTR, template), UNUSED(CK_ULONG, count)
#define MECHANISM          CK_MECHANISM_PTR mechanism

#define NO_MECHANISM (mechanism ? CKR_MECHANISM_INVALID : CKR_ARGUMENTS_BAD)
#define NOT_BEGUN    CKR_OPERATION_NOT_INITIALIZED

REFUSE(C_EncryptInit, NO_MECHANISM, MECHANISM, KEY)
REFUSE(C_Encrypt, NOT_BEGUN, IN, OUT)
REFUSE(C_EncryptUpdate, NOT_BEGUN, IN, OUT)
REFUSE(C_EncryptFinal, NOT_BEGUN, OUT)
REFUSE(C_DecryptInit, NO_MECHANISM, MECHANISM, KEY)
REFUSE(C_Decrypt, NOT_BEGUN, IN, OUT)
REFUSE(C_DecryptUpdate, NOT_BEGUN, IN, OUT)
REFUSE(C_DecryptFinal, NOT_BEGUN, OUT)

REFUSE(C_DigestInit, NO_MECHANISM, MECHANISM)
REFUSE(C_Digest, NOT_BEGUN, IN, OUT)
REFUSE(C_DigestUpdate, NOT_BEGUN, IN)
REFUSE(C_DigestKey, NOT_BEGUN, KEY)
REFUSE(C_DigestFinal, NOT_BEGUN, OUT)

REFUSE(C_SignInit, NO_MECHANISM, MECHANISM, KEY)
REFUSE(C_Sign, NOT_BEGUN, IN, OUT)
REFUSE(C_SignUpdate, NOT_BEGUN, IN)
REFUSE(C_SignFinal, NOT_BEGUN, OUT)
REFUSE(C_SignRecoverInit, NO_MECHANISM, MECHANISM, KEY)
REFUSE(C_SignRecover, NOT_BEGUN, IN, OUT)
REFUSE(C_VerifyInit, NO_MECHANISM, MECHANISM, KEY)
REFUSE(C_Verify, NOT_BEGUN, IN, IN_TOO)
REFUSE(C_VerifyUpdate, NOT_BEGUN, IN)
REFUSE(C_VerifyFinal, NOT_BEGUN, IN)
REFUSE(C_VerifyRecoverInit, NO_MECHANISM, MECHANISM, KEY)
REFUSE(C_VerifyRecover, NOT_BEGUN, IN, OUT)

REFUSE(C_DigestEncryptUpdate, NOT_BEGUN, IN, OUT)
REFUSE(C_DecryptDigestUpdate, NOT_BEGUN, IN, OUT)
REFUSE(C_SignEncryptUpdate, NOT_BEGUN, IN, OUT)
REFUSE(C_DecryptVerifyUpdate, NOT_BEGUN, IN, OUT)

REFUSE(C_GenerateKey, NO_MECHANISM, MECHANISM, TEMPLATE, UNUSED(CK_OBJECT_HANDLE_PTR, ret_key))
REFUSE(C_GenerateKeyPair, NO_MECHANISM, MECHANISM, TEMPLATE,
       UNUSED(CK_ATTRIBUTE_PTR, private_template), UNUSED(CK_ULONG, private_count),
       UNUSED(CK_OBJECT_HANDLE_PTR, ret_public), UNUSED(CK_OBJECT_HANDLE_PTR, ret_private))
REFUSE(C_WrapKey, NO_MECHANISM, MECHANISM, UNUSED(CK_OBJECT_HANDLE, wrapping), KEY, OUT)
REFUSE(C_UnwrapKey, NO_MECHANISM, MECHANISM, KEY, IN, TEMPLATE,
       UNUSED(CK_OBJECT_HANDLE_PTR, ret_key))
REFUSE(C_DeriveKey, NO_MECHANISM, MECHANISM, KEY, TEMPLATE, UNUSED(CK_OBJECT_HANDLE_PTR, ret_key))

#define NO_RANDOM (!in && in_len > 0 ? CKR_ARGUMENTS_BAD : CKR_RANDOM_NO_RNG)
REFUSE(C_SeedRandom, NO_RANDOM, IN)
REFUSE(C_GenerateRandom, NO_RANDOM, IN)

REFUSE(C_GetOperationState, out_len ? NOT_BEGUN : CKR_ARGUMENTS_BAD, OUT)
REFUSE(C_SetOperationState, in ? CKR_SAVED_STATE_INVALID : CKR_ARGUMENTS_BAD, IN, KEY,
       UNUSED(CK_OBJECT_HANDLE, authentication))
REFUSE_SESSION(C_GetFunctionStatus, CKR_FUNCTION_NOT_PARALLEL)
REFUSE_SESSION(C_CancelFunction, CKR_FUNCTION_NOT_PARALLEL)

REFUSE(C_MessageEncryptInit, NO_MECHANISM, MECHANISM, KEY)
REFUSE(C_EncryptMessage, NOT_BEGUN, MESSAGE, IN, IN_TOO, OUT)
REFUSE(C_EncryptMessageBegin, NOT_BEGUN, MESSAGE, IN)
REFUSE(C_EncryptMessageNext, NOT_BEGUN, MESSAGE, IN, OUT, UNUSED(CK_FLAGS, flags))
REFUSE_SESSION(C_MessageEncryptFinal, NOT_BEGUN)
REFUSE(C_MessageDecryptInit, NO_MECHANISM, MECHANISM, KEY)
REFUSE(C_DecryptMessage, NOT_BEGUN, MESSAGE, IN, IN_TOO, OUT)
REFUSE(C_DecryptMessageBegin, NOT_BEGUN, MESSAGE, IN)
REFUSE(C_DecryptMessageNext, NOT_BEGUN, MESSAGE, IN, OUT, UNUSED(CK_FLAGS, flags))
REFUSE_SESSION(C_MessageDecryptFinal, NOT_BEGUN)
REFUSE(C_MessageSignInit, NO_MECHANISM, MECHANISM, KEY)
REFUSE(C_SignMessage, NOT_BEGUN, MESSAGE, IN, OUT)
REFUSE(C_SignMessageBegin, NOT_BEGUN, MESSAGE)
REFUSE(C_SignMessageNext, NOT_BEGUN, MESSAGE, IN, OUT)
REFUSE_SESSION(C_MessageSignFinal, NOT_BEGUN)
REFUSE(C_MessageVerifyInit, NO_MECHANISM, MECHANISM, KEY)
REFUSE(C_VerifyMessage, NOT_BEGUN, MESSAGE, IN, IN_TOO)
REFUSE(C_VerifyMessageBegin, NOT_BEGUN, MESSAGE)
REFUSE(C_VerifyMessageNext, NOT_BEGUN, MESSAGE, IN, IN_TOO)
REFUSE_SESSION(C_MessageVerifyFinal, NOT_BEGUN)
