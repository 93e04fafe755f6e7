/* SPDX-License-Identifier: MIT */
/* Signatures of notaries: statements and bundle updates (version 2), and version 1's lists.
 *
 * Version 2 keys are ECDSA P-256 (SHA-256, DER signature) or Ed25519, and sign nothing but
 * statements, bundles and what a notary keeps where others can write, each under a domain of its
 * own; a key's name is the SHA-256 of its DER SubjectPublicKeyInfo. */
#ifndef CVG_PROTOCOL_SIGN_H
#define CVG_PROTOCOL_SIGN_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/error.h"
#include "common/base/fingerprint.h"

#define CVG_SIGNATURE_MAX 512

struct cvg_signing_key; /* a private key */
struct cvg_verify_key;  /* a public key */

/* A PEM private key (PKCS#8 or SEC 1). The caller frees the result. Used by one thread at a time.
 */
CVG_MUST_USE enum cvg_error cvg_signing_key_parse(const char *pem, size_t len,
                                                  struct cvg_signing_key **ret_key,
                                                  struct cvg_why *ret_why);
/* Another handle of the same key, for another thread. */
CVG_MUST_USE enum cvg_error cvg_signing_key_copy(const struct cvg_signing_key *key,
                                                 struct cvg_signing_key **ret_key);
void cvg_signing_key_free(struct cvg_signing_key *key);
const uint8_t *cvg_signing_key_id(const struct cvg_signing_key *key); /* CVG_SHA256_LEN octets */

/* Appends the DER SubjectPublicKeyInfo, as a bundle's `keys` has it in base64. */
CVG_MUST_USE enum cvg_error cvg_signing_key_public(const struct cvg_signing_key *key,
                                                   struct cvg_buffer *ret_der);

/* A DER SubjectPublicKeyInfo; refuses other kinds of key (CONFIG). */
CVG_MUST_USE enum cvg_error cvg_verify_key_parse(const uint8_t *der, size_t len,
                                                 struct cvg_verify_key **ret_key,
                                                 struct cvg_why *ret_why);
void cvg_verify_key_free(struct cvg_verify_key *key);
const uint8_t *cvg_verify_key_id(const struct cvg_verify_key *key); /* CVG_SHA256_LEN octets */

/* Signs the octets; ret_signature, initialised by the caller, is replaced (at most
 * CVG_SIGNATURE_MAX octets). */
CVG_MUST_USE enum cvg_error cvg_sign(struct cvg_signing_key *key, const void *data, size_t len,
                                     struct cvg_buffer *ret_signature);
/* CVG_OK only for a good signature; SIGNATURE for any other, CRYPTO or NOMEM if it could not be
 * checked. */
CVG_MUST_USE enum cvg_error cvg_verify(const struct cvg_verify_key *key, const void *data,
                                       size_t len, const uint8_t *signature, size_t signature_len);

struct cvg_v1_key; /* a private key of any kind, for version 1 */

/* As cvg_signing_key_parse; SYNTAX: it is no private key. */
CVG_MUST_USE enum cvg_error cvg_v1_key_parse(const char *pem, size_t len,
                                             struct cvg_v1_key **ret_key);
void cvg_v1_key_free(struct cvg_v1_key *key); /* NULL is allowed */

/* Version 1: RSA PKCS#1 v1.5 with SHA-1 where the key is RSA, ECDSA with SHA-256 where it is EC (an
 * original client never looks); CONFIG for other keys. ret_base64 is replaced with the text. */
CVG_MUST_USE enum cvg_error cvg_v1_sign(const struct cvg_v1_key *key, const void *data, size_t len,
                                        struct cvg_buffer *ret_base64);

#endif
