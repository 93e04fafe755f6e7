/* SPDX-License-Identifier: MIT */
/* Notary bundles (`*.notary`): who a notary is, where it is, and how it is recognised. Versions 0
 * and 1 as the original; version 2 adds addresses, signing keys and a signature (doc/bundle.md):
 *
 *   {"bundle": "<the signed text, itself JSON>", "signature": "<base64>"}
 *
 * The signature is over "converge notary bundle", a NUL and the octets of the text, by one of the
 * text's own keys (and, in an update, by a key of the bundle it replaces). The text:
 *
 *   {"version": 2, "serial": 1, "name": "...", "region": "CH", "operator": "...",
 *    "bundle_location": "https://....notary", "keys": ["<base64 of DER SubjectPublicKeyInfo>"],
 *    "hosts": [{"host": "...", "ssl_port": 443, "bounce_port": 4242, "relay_port": 80,
 *               "certificate": "-----BEGIN CERTIFICATE-----...", "addresses": ["192.0.2.1"],
 *               "next_certificate": "-----BEGIN CERTIFICATE-----..."}]}
 *
 * region, operator, bundle_location, addresses, next_certificate and ports may be left out; unknown
 * members are ignored; a member given twice is an error.
 *
 * Pure: bytes in, structs out; so both the agent and the tools read bundles with this. Which
 * bundles an installation has is the engine's business (common/engine/bundle.h). Not thread-safe.
 */
#ifndef CVG_PROTOCOL_BUNDLE_H
#define CVG_PROTOCOL_BUNDLE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/endpoint.h"
#include "common/protocol/message.h"
#include "common/protocol/sign.h"

#define CVG_BUNDLE_MAX           262144 /* octets of a bundle file */
#define CVG_BUNDLE_HOSTS_MAX     16
#define CVG_BUNDLE_ADDRESSES_MAX 8
#define CVG_BUNDLE_KEYS_MAX      4
#define CVG_BUNDLE_DOMAIN        "converge notary bundle" /* signed with its NUL */

struct cvg_bundle_host {
    char host[CVG_HOST_MAX];
    uint16_t ssl_port;    /* direct queries */
    uint16_t bounce_port; /* the same service, for queries through a relay (version 1: 4242) */
    uint16_t relay_port;  /* this notary as a relay (versions 0 and 1: http_port); 0: none */
    uint8_t *certificate; /* DER: the pin; owned by the bundle */
    size_t certificate_len;
    uint8_t *next_certificate; /* version 2: the pin that will follow, as good; NULL: none */
    size_t next_certificate_len;
    char address[CVG_BUNDLE_ADDRESSES_MAX][46]; /* canonical texts: no DNS is needed */
    size_t address_count;
};

struct cvg_bundle {
    unsigned protocol;               /* 1 or 2: what its hosts speak; fixed, never probed */
    unsigned version;                /* of the format: 0, 1 or 2 */
    uint64_t serial;                 /* version 2: rises with every update */
    char name[CVG_MESSAGE_NAME_MAX]; /* logical name: one vote; UTF-8 without controls */
    char region[3];                  /* ISO country or "" */
    char operator_name[128];         /* version 2, UTF-8 without controls */
    char location[512];              /* where updates are, https and *.notary, or "" */
    struct cvg_bundle_host host[CVG_BUNDLE_HOSTS_MAX]; /* high availability: any of them */
    size_t host_count;
    struct cvg_verify_key *key[CVG_BUNDLE_KEYS_MAX]; /* version 2; owned; [0] now, others next */
    size_t key_count;
    uint8_t origin[CVG_SHA256_LEN]; /* version 2: the id of key[0] of the first bundle in the line
                                       of updates: who the notary is, whatever key signs now */
};

/* ret_why names the member that is wrong and what is allowed. The caller frees. */
CVG_MUST_USE enum cvg_error cvg_bundle_parse(const char *json, size_t len,
                                             struct cvg_bundle **ret_bundle,
                                             struct cvg_why *ret_why);
void cvg_bundle_free(struct cvg_bundle *bundle);

/* Whether the certificate is a pin of the host: the one it shows, or the one that it announces. */
bool cvg_bundle_host_pins(const struct cvg_bundle_host *host, const uint8_t *der, size_t len);

/* What the two have in common that no two notaries of an installation may: "name" (letters' case
 * does not matter), "certificate" or "signing key"; static. NULL: nothing. */
const char *cvg_bundle_shared(const struct cvg_bundle *a, const struct cvg_bundle *b);

/* Whether the text of an update may replace the bundle: version 2, same name, higher serial, signed
 * by a key of the old one. VERSION for a lower version or serial; SIGNATURE for any other key, and
 * for an old bundle of version 0 or 1: it has no key, so only a person can replace it. */
CVG_MUST_USE enum cvg_error cvg_bundle_update(const struct cvg_bundle *old, const char *json,
                                              size_t len, struct cvg_bundle **ret_bundle,
                                              struct cvg_why *ret_why);

#endif
