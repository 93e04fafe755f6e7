/* SPDX-License-Identifier: MIT */
/* Certificates, chains, Certificate Transparency logs and their SCTs, made for tests. What fails
 * ends the program. */
#ifndef CVG_TESTS_NOTARY_MINT_H
#define CVG_TESTS_NOTARY_MINT_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdio.h>

#include "notary/blob.h"

/* How a certificate is to be; zeros and NULL are good. */
struct mint {
    const char *name;     /* common name, and unless it is an authority the DNS name */
    EVP_PKEY *key;        /* its own */
    X509 *issuer;         /* NULL: self-signed */
    EVP_PKEY *issuer_key; /* the issuer's; NULL: self-signed */
    bool authority;
    bool expired;
    EVP_PKEY *const *log; /* logs that sign an SCT each, which is embedded */
    size_t log_count;
    bool log_signs_wrong; /* the last of them signs something else */
    int64_t log_time_ms;  /* when the SCTs say they are from; 0: now */
};

EVP_PKEY *mint_key(void); /* P-256 */
X509 *mint_certificate(const struct mint *how);
/* Writes the logs as a list that OpenSSL reads. */
void mint_log_list(FILE *file, EVP_PKEY *const *log, size_t count);
/* The certificates as a sighting has them (notary/probe.h). */
struct cvg_blob *mint_chain(X509 *const *certificate, size_t count);

/* An RSA key of that size, at most 16,384 bits, of which nobody knows the private part. */
EVP_PKEY *mint_made_up_key(int bits);

#endif
