/* SPDX-License-Identifier: MIT */
/* The certificates that a server showed, read. Pure; any thread. */
#ifndef CVG_NOTARY_CHAIN_H
#define CVG_NOTARY_CHAIN_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "common/base/error.h"
#include "notary/blob.h"

#define CVG_CHAIN_MAX          16   /* certificates that are looked at; a server may show more */
#define CVG_CHAIN_KEY_BITS_MAX 8192 /* of whoever signs: larger keys hold up the loop */

/* Whether checking that key's signatures would hold up the loop. NULL: no. */
bool cvg_chain_key_is_dear(const EVP_PKEY *key);

/* The certificates of a sighting's chain (probe.h), leaf first. Those behind the leaf that are
 * none, or have a larger key than anybody signs with, are left out. SYNTAX: there is no chain, or
 * no leaf. The caller frees with sk_X509_pop_free. */
CVG_MUST_USE enum cvg_error cvg_chain_read(const struct cvg_blob *chain,
                                           STACK_OF(X509) * *ret_certificates);

#endif
