/* SPDX-License-Identifier: MIT */
/* The one slot, with its token always in it. */
#ifndef CVG_NSS_MODULE_SLOT_H
#define CVG_NSS_MODULE_SLOT_H

#include <pkcs11.h>

#define CVG_SLOT 1UL

/* CKR_OK, CKR_CRYPTOKI_NOT_INITIALIZED or CKR_SLOT_ID_INVALID. */
CK_RV cvg_slot_check(CK_SLOT_ID slot);

#endif
