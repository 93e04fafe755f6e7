/* SPDX-License-Identifier: MIT */
/* Walks a chain to its anchor, see anchor.h. NSS finds issuers by name, among certificates that the
 * server sent, too: whoever robbed a public CA may send some that lead to a private one. So every
 * step must stand by itself, and nothing of a public root may be on the way. */
#include "config.h"

#include "nss-module/anchor-walk.h"

#include <certdb.h>
#include <pkcs11n.h>
#include <string.h>

/* Asking for a PIN is not ours to do. What needs one to show its certificates has no public roots
 * that NSS would trust without. */
static bool silent(struct cvg_nss *nss, PK11SlotInfo *slot)
{
    return nss->PK11_IsFriendly(slot) || !nss->PK11_NeedLogin(slot) ||
           nss->PK11_IsLoggedIn(slot, NULL);
}

static bool is_public_in(struct cvg_nss *nss, PK11SlotInfo *slot, CERTCertificate *cert)
{
    CK_OBJECT_HANDLE found;

    if (!silent(nss, slot))
        return false;
    found = nss->PK11_FindCertInSlot(slot, cert, NULL);
    return found != CK_INVALID_HANDLE &&
           nss->PK11_HasAttributeSet(slot, found, CKA_NSS_MOZILLA_CA_POLICY, PR_FALSE);
}

/* Whether this very certificate is a root of Mozilla's programme; also if that cannot be told. */
static bool is_public(struct cvg_nss *nss, CERTCertificate *cert)
{
    PK11SlotList *slots = nss->PK11_GetAllTokens(CKM_INVALID_MECHANISM, PR_FALSE, PR_FALSE, NULL);
    bool public = !slots;

    for (PK11SlotListElement *at = slots ? slots->head : NULL; at && !public; at = at->next)
    public = is_public_in(nss, at->slot, cert);
    if (slots)
        nss->PK11_FreeSlotList(slots);
    return public;
}

static bool same_key(const CERTCertificate *a, const CERTCertificate *b)
{
    return a->derPublicKey.len == b->derPublicKey.len &&
           memcmp(a->derPublicKey.data, b->derPublicKey.data, a->derPublicKey.len) == 0;
}

/* Whether it is a public root, or such a root's name and key under another's signature. */
static bool stands_for_public(struct cvg_nss *nss, CERTCertificate *cert)
{
    CERTCertList *named =
        nss->CERT_CreateSubjectCertList(NULL, cert->dbhandle, &cert->derSubject, 0, PR_FALSE);
    bool public = is_public(nss, cert);

    for (CERTCertListNode *at = named ? CERT_LIST_HEAD(named) : NULL;
         at && !CERT_LIST_END(at, named) && !public; at = CERT_LIST_NEXT(at))
    public = same_key(at->cert, cert) && is_public(nss, at->cert);
    if (named)
        nss->CERT_DestroyCertList(named);
    return public;
}

/* Whether its basic constraints let it issue, above so many other authorities. An anchor may be of
 * the times before these constraints. */
static bool may_be_above(struct cvg_nss *nss, CERTCertificate *cert, int authorities, bool anchor)
{
    CERTBasicConstraints constraints;
    SECItem encoded = {siBuffer, NULL, 0};
    bool may;

    if (nss->CERT_FindCertExtension(cert, SEC_OID_X509_BASIC_CONSTRAINTS, &encoded) != SECSuccess)
        return anchor && nss->PR_GetError() == SEC_ERROR_EXTENSION_NOT_FOUND;
    may = nss->CERT_DecodeBasicConstraintValue(&constraints, &encoded) == SECSuccess &&
          constraints.isCA &&
          (constraints.pathLenConstraint < 0 || constraints.pathLenConstraint >= authorities);
    nss->SECITEM_FreeItem(&encoded, PR_FALSE);
    return may;
}

/* Name constraints are not evaluated here: a chain that has some is asked about. */
static bool is_unconstrained(struct cvg_nss *nss, CERTCertificate *cert)
{
    return nss->CERT_FindCertExtension(cert, SEC_OID_X509_NAME_CONSTRAINTS, NULL) != SECSuccess &&
           nss->PR_GetError() == SEC_ERROR_EXTENSION_NOT_FOUND;
}

static bool may_issue(struct cvg_nss *nss, CERTCertificate *cert, int authorities, bool anchor)
{
    unsigned type = 0;

    return nss->CERT_IsCACert(cert, &type) && (type & NS_CERT_TYPE_SSL_CA) &&
           (cert->keyUsage & KU_KEY_CERT_SIGN) &&
           nss->CERT_CheckCertValidTimes(cert, nss->PR_Now(), PR_FALSE) == secCertTimeValid &&
           may_be_above(nss, cert, authorities, anchor) && is_unconstrained(nss, cert);
}

static bool signed_by(struct cvg_nss *nss, const CERTCertificate *cert, CERTCertificate *issuer)
{
    SECKEYPublicKey *key = nss->CERT_ExtractPublicKey(issuer);
    bool verified;

    if (!key)
        return false;
    verified =
        nss->CERT_VerifySignedDataWithPublicKey(&cert->signatureWrap, key, NULL) == SECSuccess;
    nss->SECKEY_DestroyPublicKey(key);
    return verified;
}

static bool is_anchor(struct cvg_nss *nss, const CERTCertificate *cert)
{
    CERTCertTrust trust;

    return nss->CERT_GetCertTrust(cert, &trust) == SECSuccess &&
           (trust.sslFlags & CERTDB_TRUSTED_CA);
}

/* The end of this chain, if all of the chain holds. Not the first trusted authority: a user who
 * trusts a public intermediate has not made it private. */
static CERTCertificate *anchor_of(struct cvg_nss *nss, CERTCertList *chain)
{
    CERTCertListNode *below = CERT_LIST_HEAD(chain);
    CERTCertListNode *end = CERT_LIST_TAIL(chain);
    int authorities = 0;

    /* Most chains end in a public root: nothing below it matters then. */
    if (below == end || !is_anchor(nss, end->cert) || is_public(nss, end->cert))
        return NULL;
    for (CERTCertListNode *at = CERT_LIST_NEXT(below); !CERT_LIST_END(at, chain);
         at = CERT_LIST_NEXT(at)) {
        if (!may_issue(nss, at->cert, authorities++, at == end) ||
            !signed_by(nss, below->cert, at->cert) || stands_for_public(nss, at->cert))
            return NULL;
        below = at;
    }
    return end->cert;
}

bool cvg_anchor_walk(struct cvg_nss *nss, CERTCertificate *leaf,
                     uint8_t ret_sha256[static CVG_SHA256_LEN])
{
    CERTCertList *chain = nss->CERT_GetCertChainFromCert(leaf, nss->PR_Now(), certUsageSSLServer);
    CERTCertificate *anchor = NULL;
    bool told = false;

    if (!chain)
        return false;
    if (!CERT_LIST_EMPTY(chain))
        anchor = anchor_of(nss, chain);
    if (anchor)
        told = nss->PK11_HashBuf(SEC_OID_SHA256, ret_sha256, anchor->derCert.data,
                                 (PRInt32)anchor->derCert.len) == SECSuccess;
    nss->CERT_DestroyCertList(chain);
    return told;
}
