/* SPDX-License-Identifier: MIT */
/* Sessions: read-only, any number, each with at most one search. */
#ifndef CVG_NSS_MODULE_SESSION_H
#define CVG_NSS_MODULE_SESSION_H

#include <stdint.h>

#include <pkcs11.h>

#define CVG_SESSIONS_MAX 65535UL

/* CKR_OK, CKR_CRYPTOKI_NOT_INITIALIZED or CKR_SESSION_HANDLE_INVALID. Any thread, as all below. */
CK_RV cvg_session_check(CK_SESSION_HANDLE session);

CK_ULONG cvg_session_count(void);

/* A search begins: CKR_OPERATION_ACTIVE if there is one. What it found is told with the number it
 * got; that fails if it was ended, or the session closed, meanwhile. */
CK_RV cvg_session_search(CK_SESSION_HANDLE session, uint64_t *ret_search);
CK_RV cvg_session_found(CK_SESSION_HANDLE session, uint64_t search, CK_OBJECT_HANDLE object);

/* The object that was found, once, if there is room for any; then CK_INVALID_HANDLE. */
CK_RV cvg_session_next(CK_SESSION_HANDLE session, CK_ULONG room, CK_OBJECT_HANDLE *ret_object);

/* CKR_OPERATION_NOT_INITIALIZED if there is no search to end. */
CK_RV cvg_session_search_end(CK_SESSION_HANDLE session);

/* Under the lock of surface.h. Closes all; forgets the sessions of the process that forked this
 * one, whose memory may be in any state. */
void cvg_session_clear_locked(void);
void cvg_session_renew_locked(void);

#endif
