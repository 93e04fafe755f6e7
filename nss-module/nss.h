/* SPDX-License-Identifier: MIT */
/* The NSS that this process has: its functions, taken from the very objects that called us or whose
 * sockets we see. Nothing of NSS or NSPR is linked: Firefox brings its own. */
#ifndef CVG_NSS_MODULE_NSS_H
#define CVG_NSS_MODULE_NSS_H

#include <stdatomic.h>
#include <stdbool.h>

#include <nspr.h>
#include <cert.h>
#include <keyhi.h>
#include <pk11pub.h>
#include <private/pprio.h>
#include <secerr.h>
#include <sslerr.h>
#include <ssl.h>

#define CVG_NSS_MAX     4 /* copies of NSS in one process */
#define CVG_NSS_SSL_MAX 4 /* copies of libssl3 over one of them */

/* What we use of it: X(name) for each function. The first list is libnss3's and what it is bound to
 * (NSPR, nssutil), the second libssl3's. */
/* clang-format off */
#define CVG_NSS_FUNCTIONS(X)                                                                       \
    X(PR_GetTCPMethods) X(PR_GetNameForIdentity) X(PR_GetPeerName) X(PR_GetSocketOption)           \
    X(PR_FileDesc2NativeHandle) X(PR_GetError) X(PR_GetOSError) X(PR_SetError) X(PR_Now)           \
    X(PORT_Free) X(PK11_HashBuf) X(CERT_DestroyCertificate) X(CERT_DestroyCertList)                \
    X(CERT_GetCertChainFromCert) X(CERT_GetCertTrust) X(CERT_ExtractPublicKey)                     \
    X(CERT_VerifySignedDataWithPublicKey) X(SECKEY_DestroyPublicKey) X(PK11_FindCertInSlot)        \
    X(PK11_HasAttributeSet) X(PK11_FreeSlotList) X(PK11_GetAllTokens) X(PK11_IsFriendly)           \
    X(PK11_NeedLogin) X(PK11_IsLoggedIn) X(CERT_IsCACert) X(CERT_CheckCertValidTimes)              \
    X(CERT_FindCertExtension) X(CERT_DecodeBasicConstraintValue) X(CERT_CreateSubjectCertList)     \
    X(SECITEM_FreeItem)
#define CVG_NSS_SSL_FUNCTIONS(X)                                                                   \
    X(SSL_PeerCertificate) X(SSL_RevealURL) X(SSL_OptionGet) X(SSL_GetNextProto)
/* clang-format on */

#define CVG_NSS_POINTER(name) __typeof__(name) *name;

struct cvg_nss_ssl {
    CVG_NSS_SSL_FUNCTIONS(CVG_NSS_POINTER)
};

/* A libssl3: the functions of one would take the sockets of another for none of theirs. */
struct cvg_nss_library {
    _Atomic PRDescIdentity identity; /* of its layers; PR_NSPR_IO_LAYER: none yet */
    struct cvg_nss_ssl functions;
};

struct cvg_nss {
    CVG_NSS_FUNCTIONS(CVG_NSS_POINTER)
    PRIOMethods *table;                              /* NSPR's own, of TCP sockets; methods.h */
    struct cvg_nss_library library[CVG_NSS_SSL_MAX]; /* in the order in which they were seen */
    _Atomic(const PRIOMethods *) ssl_vain; /* of a layer whose library has not what we need */
};

/* The NSS that the code at this address belongs to; where that is not NSS (p11-kit), the one that
 * the process has loaded. NULL if there is none, or one without what we need. The same NSS gives
 * the same pointer for as long as the process lives. Any thread; takes no lock of the host's beyond
 * the loader's. */
struct cvg_nss *cvg_nss_of(const void *caller);

/* The layer named "SSL" above this TCP socket; NULL if there is none or its library has not what we
 * need. */
PRFileDesc *cvg_nss_ssl_layer(struct cvg_nss *nss, PRFileDesc *tcp);

/* The functions of the libssl3 that such a layer is of. */
const struct cvg_nss_ssl *cvg_nss_ssl_of(const struct cvg_nss *nss, const PRFileDesc *ssl);

#endif
