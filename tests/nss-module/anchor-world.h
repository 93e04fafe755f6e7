/* SPDX-License-Identifier: MIT */
/* A real NSS with a database of its own, a private PKI and a public one, and what the module sees
 * of them. */
#ifndef CVG_TESTS_NSS_MODULE_ANCHOR_WORLD_H
#define CVG_TESTS_NSS_MODULE_ANCHOR_WORLD_H

#include <stdatomic.h>
#include <stdint.h>

#include "nss-module/nss.h"
#include "tests/nss-module/mint.h"

#define CA      "critical,CA:TRUE"
#define PRIVATE "Private Root"
#define PUBLIC  "Public Root"
#define SUB     "Sub"

struct anchor_world {
    struct cvg_nss nss; /* the real functions, but for what makes PUBLIC one of Mozilla's */
    struct mint_key *private_key, *public_key, *sub_key, *leaf_key;
    struct minted private_root, public_root;
    CERTCertificate *astray[2]; /* for chain_astray() */
    atomic_int walks, slots_searched;
    uint64_t now_ms; /* the module's clock */
};
extern struct anchor_world world;

/* For each test. The end fails where a PIN was asked for, or a reference is left. */
int world_begin(void **state);
int world_end(void **state);

/* Gives the reference back at the end, or drop_last() does. */
CERTCertificate *hold(CERTCertificate *cert);
void drop_last(void);

/* Certificates; these are held. As a server sends it; as the user's database has it. */
CERTCertificate *sent(const struct minted *from);
CERTCertificate *stored(const struct minted *from, const char *flags);
CERTCertificate *leaf_from(const char *issuer, const struct mint_key *signer);

void root(const char *name, const struct mint_key *key, struct minted *ret_minted);
struct minted authority(const char *name, const struct mint_key *key, const char *issuer,
                        const struct mint_key *signer);

/* Instead of CERT_GetCertChainFromCert: what NSS was led to find above the leaf. */
CERTCertList *chain_astray(CERTCertificate *cert, PRTime time, SECCertUsage usage);

void assert_told(CERTCertificate *leaf, const struct minted *anchor);
void assert_not_told(CERTCertificate *leaf);

#endif
