/* SPDX-License-Identifier: MIT */
/* What C_Initialize is called with. Pure. */
#ifndef CVG_NSS_MODULE_INITARGS_H
#define CVG_NSS_MODULE_INITARGS_H

#include <stdbool.h>

#include <pkcs11.h>

/* CKR_OK; CKR_CANT_LOCK where the caller insists on its own mutexes; else CKR_ARGUMENTS_BAD.
 * pReserved must be NULL, unless with_parameters: NSS and p11-kit hand a string over there. */
CK_RV cvg_initargs_check(const void *args, bool with_parameters);

#endif
