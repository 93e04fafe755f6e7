/* SPDX-License-Identifier: MIT */
/* SHA-1 and SHA-256 of octets, and of what is inside a certificate. Pure; any thread. */
#ifndef CVG_PROTOCOL_DIGEST_H
#define CVG_PROTOCOL_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/base/fingerprint.h"

enum cvg_key_type {
    CVG_KEY_OTHER = 0,
    CVG_KEY_RSA = 1,
    CVG_KEY_EC = 2,
    CVG_KEY_ED25519 = 3,
    CVG_KEY_ED448 = 4
};

/* What a notary remembers of a leaf, and a client compares. */
struct cvg_leaf {
    uint8_t sha256[CVG_SHA256_LEN];      /* of the DER certificate */
    uint8_t sha1[CVG_SHA1_LEN];          /* of the DER certificate */
    uint8_t spki_sha256[CVG_SHA256_LEN]; /* of the DER SubjectPublicKeyInfo */
    enum cvg_key_type key_type;
};

CVG_MUST_USE enum cvg_error cvg_sha1(const void *data, size_t len,
                                     uint8_t ret_digest[static CVG_SHA1_LEN]);
CVG_MUST_USE enum cvg_error cvg_sha256(const void *data, size_t len,
                                       uint8_t ret_digest[static CVG_SHA256_LEN]);

/* der must be exactly one certificate; SYNTAX otherwise. */
CVG_MUST_USE enum cvg_error cvg_leaf_of_der(const uint8_t *der, size_t len,
                                            struct cvg_leaf *ret_leaf);

#endif
