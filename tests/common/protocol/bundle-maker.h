/* SPDX-License-Identifier: MIT */
/* For tests: keys, certificates and bundles made on the spot. Every failure aborts the test. All
 * results are malloc'ed; the caller frees them. */
#ifndef CVG_TESTS_BUNDLE_MAKER_H
#define CVG_TESTS_BUNDLE_MAKER_H

#include "common/protocol/sign.h"

/* A self-signed certificate in PEM; padding adds an extension of that many octets. */
char *maker_certificate(const char *name, size_t padding);

/* A P-256 signing key; cvg_signing_key_free releases it. */
struct cvg_signing_key *maker_key(void);

/* The base64 text of the key's public part, as in a bundle's keys. */
char *maker_public(const struct cvg_signing_key *key);

/* The text of a version 2 bundle: one host "notary.NAME.example", the keys' public texts, and the
 * members of extra (",\"region\": \"CH\"" or ""). certificate is PEM. */
char *maker_text(const char *name, unsigned long long serial, const char *certificate,
                 const struct cvg_signing_key *const key[], size_t key_count, const char *extra);

/* The text with a next_certificate (PEM) in its one host. */
char *maker_next(const char *text, const char *certificate);

/* The envelope: the text, signed by key. */
char *maker_sign(const char *text, struct cvg_signing_key *key);

/* A version 1 bundle of one host. */
char *maker_version_1(const char *name, const char *certificate);

#endif
