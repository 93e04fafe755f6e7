/* SPDX-License-Identifier: MIT */
/* Knows Gecko's sockets by the name of the layer above TLS, see gecko.h. */
#include "config.h"

#include "nss-module/gecko.h"

#include <stdatomic.h>
#include <string.h>

static atomic_uint_fast64_t refused; /* a hash of the leaf that was, last; 0: none */

static bool is_gecko(struct cvg_nss *nss, PRFileDesc *ssl)
{
    const char *name = ssl->higher ? nss->PR_GetNameForIdentity(ssl->higher->identity) : NULL;

    return name && strcmp(name, "NSS layer") == 0;
}

/* FNV-1a: a mistake costs a wait. */
static uint64_t hash_of(const struct cvg_leaf *leaf)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < leaf->len; i++)
        hash = (hash ^ leaf->der[i]) * UINT64_C(0x100000001b3);
    return hash;
}

bool cvg_gecko_http2(struct cvg_nss *nss, PRFileDesc *ssl, const struct cvg_leaf *leaf)
{
    SSLNextProtoState state;
    unsigned char name[16];
    unsigned len = 0;

    if (!is_gecko(nss, ssl) ||
        cvg_nss_ssl_of(nss, ssl)->SSL_GetNextProto(ssl, &state, name, &len, sizeof name) !=
            SECSuccess ||
        len != 2 || memcmp(name, "h2", 2) != 0)
        return false;
    atomic_store(&refused, hash_of(leaf));
    return true;
}

bool cvg_gecko_tries_again(const struct cvg_leaf *leaf)
{
    uint64_t last = atomic_load(&refused);

    return last != 0 && last == hash_of(leaf);
}
