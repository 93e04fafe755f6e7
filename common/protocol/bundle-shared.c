/* SPDX-License-Identifier: MIT */
/* What two bundles have in common: one operator under two names would have two votes. */
#include "common/protocol/bundle.h"

#include <string.h>
#include <strings.h>

static bool share_pin(const struct cvg_bundle *a, const struct cvg_bundle *b)
{
    for (size_t i = 0; i < a->host_count; i++)
        for (size_t j = 0; j < b->host_count; j++)
            if (a->host[i].certificate_len == b->host[j].certificate_len &&
                memcmp(a->host[i].certificate, b->host[j].certificate,
                       a->host[i].certificate_len) == 0)
                return true;
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
