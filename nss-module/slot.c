/* SPDX-License-Identifier: MIT */
/* PKCS#11's functions about slots and tokens. Ours never changes: write protected, nothing to log
 * in to, no mechanism. */
#include "config.h"

#include "nss-module/slot.h"

#include <stddef.h>
#include <string.h>

#include "nss-module/module.h"
#include "nss-module/session.h"

CK_RV cvg_slot_check(CK_SLOT_ID slot)
{
    if (!cvg_module_ready())
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    return slot == CVG_SLOT ? CKR_OK : CKR_SLOT_ID_INVALID;
}

CK_RV C_GetSlotList(CK_BBOOL with_token, CK_SLOT_ID_PTR ret_slots, CK_ULONG_PTR count)
{
    CK_ULONG room;

    (void)with_token;
    if (!cvg_module_ready())
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (!count)
        return CKR_ARGUMENTS_BAD;
    room = *count;
    *count = 1;
    if (!ret_slots)
        return CKR_OK;
    if (room < 1)
        return CKR_BUFFER_TOO_SMALL;
    ret_slots[0] = CVG_SLOT;
    return CKR_OK;
}

CK_RV C_GetSlotInfo(CK_SLOT_ID slot, CK_SLOT_INFO_PTR ret_info)
{
    CK_RV rv = cvg_slot_check(slot);

    if (rv != CKR_OK)
        return rv;
    if (!ret_info)
        return CKR_ARGUMENTS_BAD;
    memset(ret_info, 0, sizeof *ret_info);
    cvg_module_pad(ret_info->slotDescription, sizeof ret_info->slotDescription, CVG_MODULE_NAME);
    cvg_module_pad(ret_info->manufacturerID, sizeof ret_info->manufacturerID, CVG_MODULE_NAME);
    ret_info->flags = CKF_TOKEN_PRESENT;
    ret_info->hardwareVersion = cvg_module_version();
    ret_info->firmwareVersion = cvg_module_version();
    return CKR_OK;
}

static void fill_texts(CK_TOKEN_INFO *info)
{
    cvg_module_pad(info->label, sizeof info->label, CVG_MODULE_NAME);
    cvg_module_pad(info->manufacturerID, sizeof info->manufacturerID, CVG_MODULE_NAME);
    cvg_module_pad(info->model, sizeof info->model, "notaries");
    cvg_module_pad(info->serialNumber, sizeof info->serialNumber, "1");
    cvg_module_pad(info->utcTime, sizeof info->utcTime, "");
}

CK_RV C_GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR ret_info)
{
    CK_RV rv = cvg_slot_check(slot);

    if (rv != CKR_OK)
        return rv;
    if (!ret_info)
        return CKR_ARGUMENTS_BAD;
    memset(ret_info, 0, sizeof *ret_info);
    fill_texts(ret_info);
    ret_info->flags = CKF_WRITE_PROTECTED | CKF_TOKEN_INITIALIZED;
    ret_info->ulMaxSessionCount = CVG_SESSIONS_MAX;
    ret_info->ulSessionCount = cvg_session_count();
    ret_info->ulTotalPublicMemory = CK_UNAVAILABLE_INFORMATION;
    ret_info->ulFreePublicMemory = CK_UNAVAILABLE_INFORMATION;
    ret_info->ulTotalPrivateMemory = CK_UNAVAILABLE_INFORMATION;
    ret_info->ulFreePrivateMemory = CK_UNAVAILABLE_INFORMATION;
    ret_info->hardwareVersion = cvg_module_version();
    ret_info->firmwareVersion = cvg_module_version();
    return CKR_OK;
}

CK_RV C_GetMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE_PTR ret_types, CK_ULONG_PTR count)
{
    CK_RV rv = cvg_slot_check(slot);

    (void)ret_types;
    if (rv != CKR_OK)
        return rv;
    if (!count)
        return CKR_ARGUMENTS_BAD;
    *count = 0;
    return CKR_OK;
}

CK_RV C_GetMechanismInfo(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO_PTR ret_info)
{
    CK_RV rv = cvg_slot_check(slot);

    (void)type;
    if (rv != CKR_OK)
        return rv;
    return ret_info ? CKR_MECHANISM_INVALID : CKR_ARGUMENTS_BAD;
}

CK_RV C_InitToken(CK_SLOT_ID slot, CK_UTF8CHAR_PTR pin, CK_ULONG pin_len, CK_UTF8CHAR_PTR label)
{
    CK_RV rv = cvg_slot_check(slot);

    if (rv != CKR_OK)
        return rv;
    if (!label || (!pin && pin_len > 0))
        return CKR_ARGUMENTS_BAD;
    return cvg_session_count() > 0 ? CKR_SESSION_EXISTS : CKR_TOKEN_WRITE_PROTECTED;
}

/* Nothing ever happens to the slot. A call that is willing to wait for it is refused, since nobody
 * could end it before the process does; NSS then looks from time to time by itself. */
CK_RV C_WaitForSlotEvent(CK_FLAGS flags, CK_SLOT_ID_PTR ret_slot, CK_VOID_PTR reserved)
{
    if (!cvg_module_ready())
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (!ret_slot || reserved)
        return CKR_ARGUMENTS_BAD;
    return flags & CKF_DONT_BLOCK ? CKR_NO_EVENT : CKR_FUNCTION_NOT_SUPPORTED;
}
