/* SPDX-License-Identifier: MIT */
/* Whether this process has initialised the module, and what the module says of itself. */
#ifndef CVG_NSS_MODULE_MODULE_H
#define CVG_NSS_MODULE_MODULE_H

#include <stdbool.h>
#include <stddef.h>

#include <pkcs11.h>

/* In every field that NSS and its users show. */
#define CVG_MODULE_NAME "Converge"

/* Between C_Initialize and C_Finalize, in the process that called the former. Any thread. */
bool cvg_module_ready(void);

/* Looks for an NSS that was loaded after C_Initialize was called by something else (p11-kit), and
 * sets up the gate of one whose sockets another copy of this module watched, which has ended. Cheap
 * where there is nothing to do. Takes the lock of surface.h. */
void cvg_module_look_again(void);

/* The version of Converge, as PKCS#11 writes versions. */
CK_VERSION cvg_module_version(void);

/* Fills a blank-padded field. */
void cvg_module_pad(CK_UTF8CHAR *ret_field, size_t size, const char *text);

/* C_GetInfo for the table of PKCS#11 2.40: NSS before 3.50 refuses another version there. C_GetInfo
 * itself is that of 3.0. */
CK_RV cvg_module_get_info_2_40(CK_INFO_PTR ret_info);

#endif
