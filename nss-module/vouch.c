/* SPDX-License-Identifier: MIT */
/* Asks about the leaf of a running handshake when NSS looks its trust up, see gate.h. NSS holds
 * locks of its own meanwhile. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/client/guard.h"
#include "common/client/settings.h"
#include "nss-module/gate.h"
#include "nss-module/inquiry.h"
#include "nss-module/lock.h"
#include "nss-module/vouch.h"

/* Leaves are never forgotten: NSS keeps what it was told. Where there is no more room, no more
 * trust objects are given. */
#define VOUCHED_MAX 256

static struct cvg_leaf vouched[VOUCHED_MAX];
static unsigned vouched_count;

static __thread struct {
    struct cvg_nss *nss;
    PRFileDesc *tcp; /* valid while the thread is in what it does with the octets it read */
    struct cvg_connection connection;
    CERTCertificate *owed; /* a reference that could not be given back within a C_ function */
} thread;

static void pay_back(void)
{
    CERTCertificate *cert = thread.owed;

    thread.owed = NULL;
    if (cert)
        thread.nss->CERT_DestroyCertificate(cert);
}

void cvg_vouch_read(struct cvg_nss *nss, PRFileDesc *tcp, struct cvg_connection connection)
{
    pay_back();
    thread.nss = nss;
    thread.tcp = tcp;
    thread.connection = connection;
}

void cvg_vouch_settle(void)
{
    pay_back();
    thread.nss = NULL;
}

static bool is_vouched_locked(const struct cvg_leaf *leaf)
{
    for (unsigned i = 0; i < vouched_count; i++)
        if (vouched[i].len == leaf->len && memcmp(vouched[i].der, leaf->der, leaf->len) == 0)
            return true;
    return false;
}

bool cvg_vouched(const struct cvg_leaf *leaf)
{
    bool found;

    cvg_lock(CVG_LOCK_VOUCHED);
    found = is_vouched_locked(leaf);
    cvg_unlock(CVG_LOCK_VOUCHED);
    return found;
}

static bool remember(const struct cvg_leaf *leaf)
{
    uint8_t *copy = malloc(leaf->len);
    bool known = false;

    if (!copy)
        return false;
    memcpy(copy, leaf->der, leaf->len);
    cvg_lock(CVG_LOCK_VOUCHED);
    known = is_vouched_locked(leaf);
    if (!known && vouched_count < VOUCHED_MAX) {
        vouched[vouched_count++] = (struct cvg_leaf){copy, leaf->len};
        copy = NULL;
        known = true;
    }
    cvg_unlock(CVG_LOCK_VOUCHED);
    free(copy);
    return known;
}

static bool may_vouch(void)
{
    struct cvg_brief brief;

    cvg_settings_brief(&brief);
    return brief.mode == CVG_MODE_REPLACE && !brief.broken && !brief.excluded;
}

/* The leaf of the connection that this thread is busy with, if that is undecided. */
static bool find_subject(struct cvg_subject *ret_subject)
{
    struct cvg_nss *nss = thread.nss;
    enum cvg_role role;

    if (!nss || !cvg_connection_alive(thread.connection) ||
        thread.tcp->secret != thread.connection.secret)
        return false;
    memset(ret_subject, 0, sizeof *ret_subject);
    ret_subject->nss = nss;
    ret_subject->tcp = thread.tcp;
    ret_subject->connection = thread.connection;
    ret_subject->ssl = cvg_nss_ssl_layer(nss, thread.tcp);
    if (!ret_subject->ssl)
        return false;
    if (!thread.owed)
        thread.owed = nss->ssl.SSL_PeerCertificate(ret_subject->ssl);
    if (!thread.owed)
        return false;
    ret_subject->cert = thread.owed;
    ret_subject->leaf = (struct cvg_leaf){thread.owed->derCert.data, thread.owed->derCert.len};
    ret_subject->vouched = true;
    return cvg_connection_decision(thread.connection.secret, &ret_subject->leaf, &role) ==
               CVG_DECISION_NONE &&
           role == CVG_ROLE_CLIENT;
}

/* The acceptance is the connection's only once the leaf is remembered. */
static bool settle(const struct cvg_subject *subject, enum cvg_action action)
{
    if (action == CVG_ACTION_UNCHANGED)
        return false;
    if (action == CVG_ACTION_ACCEPT && remember(&subject->leaf)) {
        cvg_connection_decide(subject->connection, &subject->leaf, CVG_DECISION_OPEN);
        return true;
    }
    cvg_connection_decide(subject->connection, &subject->leaf, CVG_DECISION_DENIED);
    return false;
}

static bool vouch(const struct cvg_subject *subject, uint8_t ret_leaf_sha1[static 20])
{
    uint8_t sha1[20];

    if (subject->nss->PK11_HashBuf(SEC_OID_SHA1, sha1, subject->leaf.der,
                                   (PRInt32)subject->leaf.len) != SECSuccess ||
        !settle(subject, cvg_inquiry_vouch(subject)))
        return false;
    memcpy(ret_leaf_sha1, sha1, sizeof sha1);
    return true;
}

bool cvg_gate_vouch(bool (*matches)(const CERTCertificate *leaf, const void *context),
                    const void *context, uint8_t ret_leaf_sha1[static 20])
{
    struct cvg_subject subject;
    struct cvg_guard guard;
    PRErrorCode error;
    PRInt32 os_error;
    bool good;

    if (!thread.nss || !may_vouch())
        return false;
    guard = cvg_guard_begin();
    error = thread.nss->PR_GetError();
    os_error = thread.nss->PR_GetOSError();
    good =
        find_subject(&subject) && matches(subject.cert, context) && vouch(&subject, ret_leaf_sha1);
    thread.nss->PR_SetError(error, os_error);
    cvg_guard_end(&guard);
    return good;
}
