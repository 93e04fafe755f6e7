/* SPDX-License-Identifier: MIT */
/* PKCS#11's functions about users: the token has none, and every session is read-only. */
#include "config.h"

#include <pkcs11.h>

#include "nss-module/session.h"

CK_RV C_InitPIN(CK_SESSION_HANDLE session, CK_UTF8CHAR_PTR pin, CK_ULONG pin_len)
{
    CK_RV rv = cvg_session_check(session);

    if (rv != CKR_OK)
        return rv;
    return !pin && pin_len > 0 ? CKR_ARGUMENTS_BAD : CKR_USER_NOT_LOGGED_IN;
}

CK_RV C_SetPIN(CK_SESSION_HANDLE session, CK_UTF8CHAR_PTR old_pin, CK_ULONG old_len,
               CK_UTF8CHAR_PTR new_pin, CK_ULONG new_len)
{
    CK_RV rv = cvg_session_check(session);

    if (rv != CKR_OK)
        return rv;
    if ((!old_pin && old_len > 0) || (!new_pin && new_len > 0))
        return CKR_ARGUMENTS_BAD;
    return CKR_SESSION_READ_ONLY;
}

/* A security officer would need that there is no read-only session; this one is. */
static CK_RV login(CK_USER_TYPE user)
{
    switch (user) {
    case CKU_SO:
        return CKR_SESSION_READ_ONLY_EXISTS;
    case CKU_USER:
        return CKR_USER_PIN_NOT_INITIALIZED;
    case CKU_CONTEXT_SPECIFIC:
        return CKR_OPERATION_NOT_INITIALIZED;
    default:
        return CKR_USER_TYPE_INVALID;
    }
}

CK_RV C_Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG pin_len)
{
    CK_RV rv = cvg_session_check(session);

    if (rv != CKR_OK)
        return rv;
    return !pin && pin_len > 0 ? CKR_ARGUMENTS_BAD : login(user);
}

CK_RV C_LoginUser(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin,
                  CK_ULONG pin_len, CK_UTF8CHAR_PTR name, CK_ULONG name_len)
{
    CK_RV rv = cvg_session_check(session);

    if (rv != CKR_OK)
        return rv;
    if ((!pin && pin_len > 0) || (!name && name_len > 0))
        return CKR_ARGUMENTS_BAD;
    return login(user);
}

CK_RV C_Logout(CK_SESSION_HANDLE session)
{
    CK_RV rv = cvg_session_check(session);

    return rv == CKR_OK ? CKR_USER_NOT_LOGGED_IN : rv;
}
