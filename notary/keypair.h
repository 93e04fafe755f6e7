/* SPDX-License-Identifier: MIT */
/* New keys and the self-signed certificate of a notary. */
#ifndef CVG_NOTARY_KEYPAIR_H
#define CVG_NOTARY_KEYPAIR_H

#include <openssl/evp.h>

#include "common/base/buffer.h"
#include "common/base/endpoint.h"

/* A new P-256 key; the caller frees it with EVP_PKEY_free. */
CVG_MUST_USE enum cvg_error cvg_keypair_new(EVP_PKEY **ret_key);
/* Appends PKCS#8 PEM. */
CVG_MUST_USE enum cvg_error cvg_keypair_pem(EVP_PKEY *key, struct cvg_buffer *ret_pem);
/* Appends the DER SubjectPublicKeyInfo. */
CVG_MUST_USE enum cvg_error cvg_keypair_public(EVP_PKEY *key, struct cvg_buffer *ret_der);
/* Appends a PEM certificate for the host, signed with the key itself: clients recognise it by its
 * pin, so its dates only have to be harmless. */
CVG_MUST_USE enum cvg_error cvg_keypair_certificate(EVP_PKEY *key, const struct cvg_endpoint *host,
                                                    const char *name, struct cvg_buffer *ret_pem);

#endif
