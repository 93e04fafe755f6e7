/* SPDX-License-Identifier: MIT */
/* Who this notary is: its TLS certificate and key, its signing key, and the bundles it hands out.
 */
#ifndef CVG_NOTARY_IDENTITY_H
#define CVG_NOTARY_IDENTITY_H

#include <openssl/ssl.h>

#include "common/protocol/sign.h"
#include "notary/settings.h"

struct cvg_identity {
    SSL_CTX *tls;                      /* NULL: loaded without keys */
    struct cvg_v1_key *v1_key;         /* the same key, for version 1's signatures */
    struct cvg_buffer certificate_pem; /* as on disk, with keys or without */
    struct cvg_signing_key *signing_key;
    struct cvg_buffer bundle; /* empty: none is handed out */
    struct cvg_buffer bundle_v1;
};

/* Reads the files that the settings name; without keys, only certificate and bundles. The caller
 * frees. */
CVG_MUST_USE enum cvg_error cvg_identity_load(const struct cvg_settings *settings, bool with_keys,
                                              struct cvg_identity **ret_identity,
                                              struct cvg_why *ret_why);
/* Moves the keys into an identity that was loaded without; it must be one that may have them
 * (identity-check.h). */
void cvg_identity_move_keys(struct cvg_identity *from, struct cvg_identity *to);
void cvg_identity_free(struct cvg_identity *identity);

#endif
