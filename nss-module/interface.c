/* SPDX-License-Identifier: MIT */
/* The tables of functions, and the three entries that hand them out: the only symbols that the
 * module exports. */
#include "config.h"

#include <stddef.h>
#include <string.h>

#include <pkcs11.h>

#include "common/base/attr.h"
#include "nss-module/module.h"

CVG_EXPORT CK_DECLARE_FUNCTION(CK_RV, C_GetFunctionList)(CK_FUNCTION_LIST_PTR_PTR ret_list);
CVG_EXPORT CK_DECLARE_FUNCTION(CK_RV, C_GetInterfaceList)(CK_INTERFACE_PTR ret_interfaces,
                                                          CK_ULONG_PTR count);
CVG_EXPORT CK_DECLARE_FUNCTION(CK_RV, C_GetInterface)(CK_UTF8CHAR_PTR name, CK_VERSION_PTR version,
                                                      CK_INTERFACE_PTR_PTR ret_interface,
                                                      CK_FLAGS flags);

/* NSS's own list of names in the order of the tables, once with what 3.0 added and once without. */
#define CK_PKCS11_FUNCTION_INFO(name) name,
#undef CK_NEED_ARG_LIST
#undef CK_PKCS11_2_0_ONLY
#undef CK_PKCS11_3_0
#define CK_PKCS11_3_0 1
static CK_FUNCTION_LIST_3_0 functions_3_0 = {
    {3, 0},
#include <pkcs11f.h>
};

#define CK_PKCS11_2_0_ONLY 1
#define C_GetInfo          cvg_module_get_info_2_40
static CK_FUNCTION_LIST functions_2_40 = {
    {2, 40},
#include <pkcs11f.h>
};
#undef C_GetInfo

/* The default comes first. None promises what PKCS#11 calls fork safe: a child initialises anew. */
static CK_CHAR interface_name[] = "PKCS 11";
static CK_INTERFACE interfaces[] = {
    {interface_name, &functions_3_0, 0},
    {interface_name, &functions_2_40, 0},
};
#define INTERFACES (sizeof interfaces / sizeof interfaces[0])

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR ret_list)
{
    if (!ret_list)
        return CKR_ARGUMENTS_BAD;
    *ret_list = &functions_2_40;
    return CKR_OK;
}

CK_RV C_GetInterfaceList(CK_INTERFACE_PTR ret_interfaces, CK_ULONG_PTR count)
{
    CK_ULONG room;

    if (!count)
        return CKR_ARGUMENTS_BAD;
    room = *count;
    *count = INTERFACES;
    if (!ret_interfaces)
        return CKR_OK;
    if (room < INTERFACES)
        return CKR_BUFFER_TOO_SMALL;
    memcpy(ret_interfaces, interfaces, sizeof interfaces);
    return CKR_OK;
}

static bool suits(const CK_INTERFACE *interface, const CK_UTF8CHAR *name, const CK_VERSION *version,
                  CK_FLAGS flags)
{
    const CK_VERSION *offered = interface->pFunctionList;

    if (name && strcmp((const char *)name, (const char *)interface_name) != 0)
        return false;
    if (version && (version->major != offered->major || version->minor != offered->minor))
        return false;
    return (interface->flags & flags) == flags;
}

CK_RV C_GetInterface(CK_UTF8CHAR_PTR name, CK_VERSION_PTR version,
                     CK_INTERFACE_PTR_PTR ret_interface, CK_FLAGS flags)
{
    if (!ret_interface)
        return CKR_ARGUMENTS_BAD;
    for (size_t i = 0; i < INTERFACES; i++)
        if (suits(&interfaces[i], name, version, flags)) {
            *ret_interface = &interfaces[i];
            return CKR_OK;
        }
    return CKR_FUNCTION_FAILED;
}
