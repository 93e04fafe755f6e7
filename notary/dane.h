/* SPDX-License-Identifier: MIT */
/* TLSA records against the certificates that a server showed (RFC 6698, RFC 7671), with OpenSSL's
 * code. What DNSSEC says of the records is the caller's business. One thread at a time.
 *
 * A notary does not judge the public PKI, so usages 0 (PKIX-TA) and 1 (PKIX-EE) are matched as the
 * constraints they are: 0 like 2 (a certification authority that is named, or in the chain, has
 * signed the leaf for this name), 1 like 3 (this very leaf or key). */
#ifndef CVG_NOTARY_DANE_H
#define CVG_NOTARY_DANE_H

#include <openssl/x509.h>

#include "common/base/error.h"
#include "common/protocol/v2.h"
#include "notary/dns.h"

struct cvg_dane; /* OpenSSL's settings */

CVG_MUST_USE enum cvg_error cvg_dane_new(struct cvg_dane **ret_dane);
void cvg_dane_free(struct cvg_dane *dane); /* NULL is allowed */

/* names: whom the leaf may be for under usages 0 and 2 (the host as it was asked for, and the name
 * that its CNAMEs end in; the second may be NULL). chain: leaf first. YES: a usable record matches;
 * NO: there are usable ones, and none does; NONE: there is none, or OpenSSL cannot tell (a key of a
 * kind that it does not know, no memory). */
enum cvg_v2_opinion cvg_dane_judge(struct cvg_dane *dane, const char *host, const char *canonical,
                                   const struct cvg_dns_answer *records, STACK_OF(X509) * chain);

#endif
