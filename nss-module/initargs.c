/* SPDX-License-Identifier: MIT */
/* Checks CK_C_INITIALIZE_ARGS. We lock with the system's mutexes and start no threads. */
#include "config.h"

#include "nss-module/initargs.h"

CK_RV cvg_initargs_check(const void *args, bool with_parameters)
{
    const CK_C_INITIALIZE_ARGS *given = args;
    int callbacks;

    if (!given)
        return CKR_OK;
    /* NSS calls pReserved LibraryParameters, and has a pReserved of its own behind it. */
    if (given->LibraryParameters && !with_parameters)
        return CKR_ARGUMENTS_BAD;
    callbacks = (given->CreateMutex != NULL) + (given->DestroyMutex != NULL) +
                (given->LockMutex != NULL) + (given->UnlockMutex != NULL);
    if (callbacks != 0 && callbacks != 4)
        return CKR_ARGUMENTS_BAD;
    if (callbacks == 4 && !(given->flags & CKF_OS_LOCKING_OK))
        return CKR_CANT_LOCK;
    return CKR_OK;
}
