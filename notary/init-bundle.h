/* SPDX-License-Identifier: MIT */
/* The bundles that a new notary hands out (doc/bundle.md). Pure. */
#ifndef CVG_NOTARY_INIT_BUNDLE_H
#define CVG_NOTARY_INIT_BUNDLE_H

#include "common/protocol/sign.h"
#include "notary/init.h"

/* certificate: PEM; public_key: DER SubjectPublicKeyInfo of the signing key. Appends the file's
 * text, which parses as a bundle (SYNTAX or RANGE if what init says does not fit into one). */
CVG_MUST_USE enum cvg_error cvg_init_bundle(const struct cvg_init *init, const char *host,
                                            const char *certificate,
                                            const struct cvg_buffer *public_key,
                                            struct cvg_signing_key *key,
                                            struct cvg_buffer *ret_text, struct cvg_why *ret_why);
/* Version 1, for original clients. */
CVG_MUST_USE enum cvg_error cvg_init_bundle_v1(const struct cvg_init *init, const char *host,
                                               const char *certificate, struct cvg_buffer *ret_text,
                                               struct cvg_why *ret_why);

#endif
