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
#include "nss-module/lookup.h"
#include "nss-module/vouch.h"

/* Leaves are never forgotten: NSS keeps what it was told. Where there is no more room, no more
 * trust objects are given. */
#define VOUCHED_MAX 256
#define SHA1_LEN    20

static struct cvg_leaf vouched[VOUCHED_MAX];
static unsigned vouched_count;

static __thread struct {
    struct cvg_nss *nss;
    PRFileDesc *tcp; /* valid while the thread is in what it does with the octets it read */
    struct cvg_connection connection;
    CERTCertificate *owed; /* a reference that could not be given back within a C_ function */
    struct {
        struct cvg_connection connection;
        const struct cvg_leaf *leaf; /* one of vouched, NULL if there is none */
        uint8_t sha1[SHA1_LEN];
    } given;            /* the last trust object: NSS asks again at once, about octets of its own */
    uint64_t unchanged; /* the serial of the connection about which the last answer was this: NSS
                           looks a leaf up several times in a handshake */
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

static const struct cvg_leaf *find_locked(const struct cvg_leaf *leaf)
{
    for (unsigned i = 0; i < vouched_count; i++)
        if (vouched[i].len == leaf->len && memcmp(vouched[i].der, leaf->der, leaf->len) == 0)
            return &vouched[i];
    return NULL;
}

bool cvg_vouched(const struct cvg_leaf *leaf)
{
    bool found;

    cvg_lock(CVG_LOCK_VOUCHED);
    found = find_locked(leaf) != NULL;
    cvg_unlock(CVG_LOCK_VOUCHED);
    return found;
}

/* The kept one; NULL if there is no room for it. */
static const struct cvg_leaf *remember(const struct cvg_leaf *leaf)
{
    uint8_t *copy = malloc(leaf->len);
    const struct cvg_leaf *known;

    if (!copy)
        return NULL;
    memcpy(copy, leaf->der, leaf->len);
    cvg_lock(CVG_LOCK_VOUCHED);
    known = find_locked(leaf);
    if (!known && vouched_count < VOUCHED_MAX) {
        vouched[vouched_count] = (struct cvg_leaf){copy, leaf->len};
        known = &vouched[vouched_count++];
        copy = NULL;
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

/* The connection that this thread is busy with. */
static bool find_connection(struct cvg_subject *ret_subject)
{
    struct cvg_nss *nss = thread.nss;

    if (!nss || thread.unchanged == thread.connection.serial ||
        !cvg_connection_alive(thread.connection) || thread.tcp->secret != thread.connection.secret)
        return false;
    memset(ret_subject, 0, sizeof *ret_subject);
    ret_subject->nss = nss;
    ret_subject->tcp = thread.tcp;
    ret_subject->connection = thread.connection;
    ret_subject->ssl = cvg_nss_ssl_layer(nss, thread.tcp);
    ret_subject->vouched = true;
    return ret_subject->ssl != NULL;
}

/* Its leaf, if that is what is looked up. */
static bool find_leaf(struct cvg_subject *subject, const struct cvg_lookup *lookup)
{
    if (!thread.owed)
        thread.owed = cvg_nss_ssl_of(subject->nss, subject->ssl)->SSL_PeerCertificate(subject->ssl);
    subject->cert = thread.owed;
    if (thread.owed)
        subject->leaf = (struct cvg_leaf){thread.owed->derCert.data, thread.owed->derCert.len};
    else if (!cvg_lookup_leaf(lookup, &subject->leaf))
        return false;
    return cvg_lookup_is_about(lookup, &subject->leaf);
}

static bool is_undecided(const struct cvg_subject *subject)
{
    const struct cvg_known known = cvg_connection_known(subject->connection.secret, &subject->leaf);

    return known.decision == CVG_DECISION_NONE && known.role == CVG_ROLE_CLIENT;
}

/* The acceptance is the connection's only once the leaf is remembered. */
static bool settle(const struct cvg_subject *subject, enum cvg_action action,
                   const uint8_t sha1[static SHA1_LEN])
{
    const struct cvg_leaf *known = NULL;

    if (action == CVG_ACTION_UNCHANGED) {
        thread.unchanged = subject->connection.serial;
        return false;
    }
    if (action == CVG_ACTION_ACCEPT)
        known = remember(&subject->leaf);
    if (!known) {
        cvg_connection_decide(subject->connection, &subject->leaf, CVG_DECISION_DENIED);
        return false;
    }
    cvg_connection_decide(subject->connection, &subject->leaf, CVG_DECISION_OPEN);
    thread.given.connection = subject->connection;
    thread.given.leaf = known;
    memcpy(thread.given.sha1, sha1, SHA1_LEN);
    return true;
}

/* Whether this thread was given a trust object for the same in the same handshake. */
static bool is_given(const struct cvg_subject *subject, const struct cvg_lookup *lookup)
{
    return thread.given.leaf && subject->connection.serial != 0 &&
           thread.given.connection.serial == subject->connection.serial &&
           cvg_lookup_is_about(lookup, thread.given.leaf);
}

static bool vouch(const struct cvg_lookup *lookup)
{
    struct cvg_subject subject;
    uint8_t sha1[SHA1_LEN];

    if (!find_connection(&subject))
        return false;
    if (is_given(&subject, lookup))
        return true;
    return find_leaf(&subject, lookup) && is_undecided(&subject) &&
           subject.nss->PK11_HashBuf(SEC_OID_SHA1, sha1, subject.leaf.der,
                                     (PRInt32)subject.leaf.len) == SECSuccess &&
           settle(&subject, cvg_inquiry_vouch(&subject), sha1);
}

bool cvg_gate_vouch(const struct cvg_lookup *lookup, uint8_t ret_leaf_sha1[static SHA1_LEN])
{
    struct cvg_guard guard;
    PRErrorCode error;
    PRInt32 os_error;
    bool good;

    if (!thread.nss || !may_vouch())
        return false;
    guard = cvg_guard_begin();
    error = thread.nss->PR_GetError();
    os_error = thread.nss->PR_GetOSError();
    good = vouch(lookup);
    if (good)
        memcpy(ret_leaf_sha1, thread.given.sha1, SHA1_LEN);
    thread.nss->PR_SetError(error, os_error);
    cvg_guard_end(&guard);
    return good;
}
