/* SPDX-License-Identifier: MIT */
/* A look at a server's certificate with our own eyes, and what PKI says of it. */
#ifndef CVG_TOOLS_TLS_FETCH_H
#define CVG_TOOLS_TLS_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/endpoint.h"
#include "common/base/fingerprint.h"

struct cvg_tls_seen {
    uint8_t *leaf; /* DER; freed by cvg_tls_seen_free */
    size_t leaf_len;
    int pki_result; /* X509_V_* for this host, with the system's anchors */
    bool have_anchor;
    uint8_t anchor_sha256[CVG_SHA256_LEN];
    uint8_t peer_family; /* 4 or 6 */
    uint8_t peer_address[16];
};

/* Connects, shakes hands with SNI and hangs up, within timeout_ms for each address. UNREACHABLE,
 * TIMEOUT, PROTOCOL (no TLS there, or no certificate). */
CVG_MUST_USE enum cvg_error cvg_tls_fetch(const struct cvg_endpoint *endpoint, unsigned timeout_ms,
                                          struct cvg_tls_seen *ret_seen, struct cvg_why *ret_why);
void cvg_tls_seen_free(struct cvg_tls_seen *seen);

#endif
