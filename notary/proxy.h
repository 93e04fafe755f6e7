/* SPDX-License-Identifier: MIT */
/* The PROXY protocol's header, versions 1 and 2, by which a load balancer says who a connection
 * really comes from. To be believed only from peers that the configuration names. Pure. */
#ifndef CVG_NOTARY_PROXY_H
#define CVG_NOTARY_PROXY_H

#include "notary/address.h"

#define CVG_PROXY_MAX 4096 /* octets of a header that is still taken */

enum cvg_proxy_state {
    CVG_PROXY_MORE = 0, /* good so far, not complete */
    CVG_PROXY_DONE,
    CVG_PROXY_BAD
};

struct cvg_proxy {
    size_t len; /* of the header */
    bool named; /* false: the proxy speaks for itself (health checks), or of no IP address */
    struct cvg_address source;
};

enum cvg_proxy_state cvg_proxy_parse(const uint8_t *data, size_t len, struct cvg_proxy *ret_proxy);

#endif
