/* SPDX-License-Identifier: MIT */
/* The ClientHello of looks: like a browser's, in three forms. Any thread. */
#ifndef CVG_NOTARY_HELLO_H
#define CVG_NOTARY_HELLO_H

#include <openssl/ssl.h>

/* Which kinds of signature, and thereby of certificate, the hello offers. */
enum cvg_offer { CVG_OFFER_ALL = 0, CVG_OFFER_RSA, CVG_OFFER_EC, CVG_OFFER_COUNT };

/* A client that says hello so, and whose handshakes end in the verify callback: a notary reports
 * what is shown there, whoever shows it. NULL on failure; the caller frees. */
SSL_CTX *cvg_hello_context(enum cvg_offer offer);

#endif
