/* SPDX-License-Identifier: MIT */
/* The question about a connection and its leaf, and what its answer means for the gate. */
#ifndef CVG_NSS_MODULE_INQUIRY_H
#define CVG_NSS_MODULE_INQUIRY_H

#include <stdbool.h>

#include "nss-module/connection.h"
#include "nss-module/nss.h"

struct cvg_subject {
    struct cvg_nss *nss;
    PRFileDesc *tcp, *ssl;
    CERTCertificate *cert;
    struct cvg_leaf leaf; /* its DER */
    struct cvg_connection connection;
    bool vouched;    /* PKI passes this leaf only because of us: asked about as a trust error, and
                        nothing passes but an acceptance */
    bool searchable; /* tokens may be searched: this is no C_ function */
};

/* Asks and waits; never NONE. */
enum cvg_decision cvg_inquiry_ask(const struct cvg_subject *subject);

/* Asks without waiting: NONE, if *ret_pending is the question to look at later. */
enum cvg_decision cvg_inquiry_start(const struct cvg_subject *subject,
                                    struct cvg_pending **ret_pending);

/* NONE while there is no answer. */
enum cvg_decision cvg_inquiry_look(const struct cvg_subject *subject, struct cvg_pending *pending);

/* For a lookup during the handshake: asks and waits. ACCEPT, REFUSE, or UNCHANGED where nothing is
 * known against the connection. */
enum cvg_action cvg_inquiry_vouch(const struct cvg_subject *subject);

#endif
