/* SPDX-License-Identifier: MIT */
/* Certificates for tests, honest and forged alike. */
#ifndef CVG_TESTS_NSS_MODULE_MINT_H
#define CVG_TESTS_NSS_MODULE_MINT_H

#include <stddef.h>

#define MINT_MAX 2048

struct mint_key;

struct minted {
    unsigned char der[MINT_MAX];
    size_t len;
};

/* What the certificate says, in OpenSSL's words; NULL leaves an extension out. */
struct mint_wish {
    const char *subject; /* common name */
    const struct mint_key *key;
    const char *issuer;
    const struct mint_key *signer;
    const char *basic, *usage, *constraints;
    int valid_from_s, valid_to_s; /* from now; both 0: a day either way */
};

struct mint_key *mint_key_new(void);
void mint_key_free(struct mint_key *key);

/* Aborts where OpenSSL fails. */
void mint(const struct mint_wish *wish, struct minted *ret_minted);

#endif
