/* SPDX-License-Identifier: MIT */
/* What two bundles have in common: one operator under two names would have two votes. */
#include "common/protocol/bundle.h"

#include <string.h>
#include <strings.h>

bool cvg_bundle_host_pins(const struct cvg_bundle_host *host, const uint8_t *der, size_t len)
{
    return (len == host->certificate_len && memcmp(der, host->certificate, len) == 0) ||
           (host->next_certificate != NULL && len == host->next_certificate_len &&
            memcmp(der, host->next_certificate, len) == 0);
}

static bool share_pin(const struct cvg_bundle *a, const struct cvg_bundle *b)
{
    for (size_t i = 0; i < a->host_count; i++) {
        const struct cvg_bundle_host *host = &a->host[i];

        for (size_t j = 0; j < b->host_count; j++)
            if (cvg_bundle_host_pins(&b->host[j], host->certificate, host->certificate_len) ||
                (host->next_certificate != NULL &&
                 cvg_bundle_host_pins(&b->host[j], host->next_certificate,
                                      host->next_certificate_len)))
                return true;
    }
    return false;
}

static bool share_key(const struct cvg_bundle *a, const struct cvg_bundle *b)
{
    for (size_t i = 0; i < a->key_count; i++)
        for (size_t j = 0; j < b->key_count; j++)
            if (memcmp(cvg_verify_key_id(a->key[i]), cvg_verify_key_id(b->key[j]),
                       CVG_SHA256_LEN) == 0)
                return true;
    return false;
}

const char *cvg_bundle_shared(const struct cvg_bundle *a, const struct cvg_bundle *b)
{
    if (strcasecmp(a->name, b->name) == 0)
        return "name";
    if (share_pin(a, b))
        return "certificate";
    return share_key(a, b) ? "signing key" : NULL;
}
