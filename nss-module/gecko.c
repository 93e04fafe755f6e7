/* SPDX-License-Identifier: MIT */
/* Knows Gecko's sockets by the name of the layer above TLS, see gecko.h. */
#include "config.h"

#include "nss-module/gecko.h"

#include <string.h>

static bool is_gecko(struct cvg_nss *nss, PRFileDesc *ssl)
{
    const char *name = ssl->higher ? nss->PR_GetNameForIdentity(ssl->higher->identity) : NULL;

    return name && strcmp(name, "NSS layer") == 0;
}

bool cvg_gecko_http2(struct cvg_nss *nss, PRFileDesc *ssl)
{
    SSLNextProtoState state;
    unsigned char name[16];
    unsigned len = 0;

    return is_gecko(nss, ssl) &&
           nss->ssl.SSL_GetNextProto(ssl, &state, name, &len, sizeof name) == SECSuccess &&
           len == 2 && memcmp(name, "h2", 2) == 0;
}
