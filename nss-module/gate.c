/* SPDX-License-Identifier: MIT */
/* Decides before each write, see gate.h. Early data of TLS 1.3 leaves before a certificate is
 * there: only a peer that was checked before, in the session that is resumed, can read it. The
 * resumed session's leaf is there from its ServerHello on, and is decided like any other. */
#include "config.h"

#include "nss-module/gate.h"

#include <string.h>

#include "common/client/guard.h"
#include "nss-module/connection.h"
#include "nss-module/gecko.h"
#include "nss-module/inquiry.h"
#include "nss-module/records.h"
#include "nss-module/round.h"
#include "nss-module/vouch.h"

/* To be written; none: a read. */
struct octets {
    const void *data;
    size_t len;
};

static bool is_blocking(const struct cvg_subject *subject)
{
    PRSocketOptionData option = {.option = PR_SockOpt_Nonblocking};

    return subject->nss->PR_GetSocketOption(subject->tcp, &option) != PR_SUCCESS ||
           !option.value.non_blocking;
}

/* Where the handshake's beginning went by unseen, the option is all there is. */
static bool is_server(const struct cvg_subject *subject, enum cvg_role role)
{
    PRIntn as_server = PR_FALSE;

    if (role != CVG_ROLE_UNKNOWN)
        return role == CVG_ROLE_SERVER;
    return cvg_nss_ssl_of(subject->nss, subject->ssl)
                   ->SSL_OptionGet(subject->ssl, SSL_HANDSHAKE_AS_SERVER, &as_server) ==
               SECSuccess &&
           as_server;
}

/* What the agent knows already is known here before the write returns: NSS takes a write that would
 * block for done and ends the handshake, and a refusal that comes after that is no error of the
 * handshake any more. Firefox tells a person why only of those, if it speaks HTTP/2. */
static enum cvg_decision start(const struct cvg_subject *subject, struct cvg_pending **ret_pending)
{
    enum cvg_decision decision = cvg_inquiry_start(subject, ret_pending);

    if (decision != CVG_DECISION_NONE)
        return decision;
    if (cvg_gecko_tries_again(&subject->leaf))
        cvg_round_patient_wait(cvg_pending_fd(*ret_pending));
    else
        cvg_round_first_wait(cvg_pending_fd(*ret_pending));
    return cvg_inquiry_look(subject, *ret_pending);
}

/* NONE: still without an answer. A question that another thread is just looking at is without one
 * for this thread. */
static enum cvg_decision look(const struct cvg_subject *subject, enum cvg_visit visit)
{
    enum cvg_decision decision = CVG_DECISION_NONE;
    struct cvg_pending *pending = NULL;
    enum cvg_turn turn;

    cvg_round_begin(subject->connection.serial, visit);
    turn = cvg_connection_take(subject->connection, &subject->leaf, &pending);
    if (turn == CVG_TURN_BUSY)
        return CVG_DECISION_NONE;
    if (turn == CVG_TURN_ABSENT)
        decision = start(subject, &pending);
    else
        decision = cvg_inquiry_look(subject, pending);
    if (decision == CVG_DECISION_NONE) {
        cvg_round_wait_for(subject->connection.serial, visit, cvg_pending_fd(pending));
    } else {
        cvg_connection_decide(subject->connection, &subject->leaf, decision);
        cvg_pending_drop(pending);
        pending = NULL;
    }
    cvg_connection_give(subject->connection, &subject->leaf, pending);
    return decision;
}

/* Without an entry there is no place for a question that waits. */
static enum cvg_decision ask(struct cvg_subject *subject, enum cvg_visit visit)
{
    enum cvg_decision decision;

    subject->connection = cvg_connection_open(subject->nss, subject->tcp->secret);
    subject->vouched = cvg_vouched(&subject->leaf);
    if (subject->connection.serial != 0 && !is_blocking(subject))
        return look(subject, visit);
    decision = cvg_inquiry_ask(subject);
    cvg_connection_decide(subject->connection, &subject->leaf, decision);
    return decision;
}

static enum cvg_pass pass_of(enum cvg_decision decision)
{
    if (decision == CVG_DECISION_OPEN)
        return CVG_PASS_OPEN;
    return decision == CVG_DECISION_NONE ? CVG_PASS_WAIT : CVG_PASS_REFUSED;
}

static enum cvg_pass decide(struct cvg_subject *subject, struct octets octets)
{
    const struct cvg_known known = cvg_connection_known(subject->tcp->secret, &subject->leaf);
    enum cvg_decision decision;

    if (known.decision != CVG_DECISION_NONE && known.decision != CVG_DECISION_DENIED)
        return pass_of(known.decision);
    if (cvg_records_only_alert(octets.data, octets.len))
        return CVG_PASS_OPEN;
    if (known.decision == CVG_DECISION_DENIED)
        return CVG_PASS_REFUSED;
    if (is_server(subject, known.role))
        return CVG_PASS_OPEN;
    decision = ask(subject, octets.data ? CVG_VISIT_WRITE : CVG_VISIT_READ);
    if (known.waiting && decision == CVG_DECISION_REFUSED &&
        cvg_gecko_http2(subject->nss, subject->ssl, &subject->leaf))
        return CVG_PASS_FAILED;
    return pass_of(decision);
}

static enum cvg_pass with_certificate(struct cvg_nss *nss, PRFileDesc *tcp, PRFileDesc *ssl,
                                      struct octets octets)
{
    struct cvg_subject subject = {.nss = nss, .tcp = tcp, .ssl = ssl, .searchable = true};
    enum cvg_pass pass;

    subject.cert = cvg_nss_ssl_of(nss, ssl)->SSL_PeerCertificate(ssl);
    if (!subject.cert)
        return CVG_PASS_OPEN;
    subject.leaf = (struct cvg_leaf){subject.cert->derCert.data, subject.cert->derCert.len};
    pass = decide(&subject, octets);
    nss->CERT_DestroyCertificate(subject.cert);
    return pass;
}

/* Keeps NSPR's error around what calls NSS. */
static enum cvg_pass guarded(struct cvg_nss *nss, PRFileDesc *tcp, PRFileDesc *ssl,
                             struct octets octets)
{
    PRErrorCode error = nss->PR_GetError();
    PRInt32 os_error = nss->PR_GetOSError();
    enum cvg_pass pass;

    cvg_vouch_settle();
    pass = with_certificate(nss, tcp, ssl, octets);
    nss->PR_SetError(error, os_error);
    return pass;
}

enum cvg_pass cvg_gate_write(struct cvg_nss *nss, PRFileDesc *tcp, const void *data, size_t len)
{
    struct cvg_guard guard = cvg_guard_begin();
    PRFileDesc *ssl = cvg_nss_ssl_layer(nss, tcp);
    enum cvg_pass pass = CVG_PASS_OPEN;

    if (ssl)
        pass = guarded(nss, tcp, ssl, (struct octets){data, len});
    else if (cvg_connection_known(tcp->secret, NULL).decision >= CVG_DECISION_REFUSED)
        pass = CVG_PASS_REFUSED;
    cvg_guard_end(&guard);
    return pass;
}

/* A server may speak before it has heard that the handshake is over (TLS 1.3, and resumption). What
 * it says is held back as the program's own words are, or a program that listens first would take
 * the word of somebody who is refused an instant later. */
enum cvg_pass cvg_gate_read(struct cvg_nss *nss, PRFileDesc *tcp)
{
    struct cvg_guard guard = cvg_guard_begin();
    const struct cvg_known known = cvg_connection_known(tcp->secret, NULL);
    enum cvg_pass pass = CVG_PASS_OPEN;
    PRFileDesc *ssl;

    if (known.decision >= CVG_DECISION_REFUSED) {
        pass = CVG_PASS_REFUSED;
    } else if (known.waiting) {
        ssl = cvg_nss_ssl_layer(nss, tcp);
        pass = ssl ? guarded(nss, tcp, ssl, (struct octets){NULL, 0}) : CVG_PASS_OPEN;
    }
    cvg_guard_end(&guard);
    return pass;
}

void cvg_gate_have_written(struct cvg_nss *nss, PRFileDesc *tcp, const void *data, size_t len)
{
    struct cvg_guard guard = cvg_guard_begin();

    cvg_connection_sent(cvg_connection_open(nss, tcp->secret), data, len);
    cvg_guard_end(&guard);
}

void cvg_gate_have_read(struct cvg_nss *nss, PRFileDesc *tcp, size_t len)
{
    struct cvg_guard guard = cvg_guard_begin();
    struct cvg_connection connection = cvg_connection_open(nss, tcp->secret);

    cvg_connection_received(connection, len);
    cvg_vouch_read(nss, tcp, connection);
    cvg_guard_end(&guard);
}

void cvg_gate_close(PRFileDesc *tcp)
{
    struct cvg_guard guard = cvg_guard_begin();

    cvg_vouch_settle();
    cvg_connection_close(tcp->secret);
    cvg_guard_end(&guard);
}
