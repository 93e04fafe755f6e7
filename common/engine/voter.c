/* SPDX-License-Identifier: MIT */
/* Whom a bundle's votes belong to. */
#include "common/engine/voter.h"

#include <string.h>

#include "common/protocol/digest.h"

/* The digest of the certificates' digests, in the bundle's order. */
static enum cvg_error digest_pins(const struct cvg_bundle *bundle,
                                  uint8_t ret_digest[static CVG_SHA256_LEN])
{
    uint8_t pin[CVG_BUNDLE_HOSTS_MAX][CVG_SHA256_LEN];

    for (size_t i = 0; i < bundle->host_count; i++) {
        enum cvg_error err =
            cvg_sha256(bundle->host[i].certificate, bundle->host[i].certificate_len, pin[i]);

        if (err != CVG_OK)
            return err;
    }
    return cvg_sha256(pin, bundle->host_count * sizeof pin[0], ret_digest);
}

enum cvg_error cvg_voter_of(const struct cvg_bundle *bundle, struct cvg_voter *ret_voter)
{
    uint8_t digest[CVG_SHA256_LEN];
    enum cvg_error err = CVG_OK;

    if (bundle->key_count > 0)
        memcpy(digest, bundle->origin, sizeof digest);
    else
        err = digest_pins(bundle, digest);
    if (err != CVG_OK)
        return err;
    memcpy(ret_voter->name, bundle->name, sizeof ret_voter->name);
    memcpy(ret_voter->identity, digest, sizeof ret_voter->identity);
    return CVG_OK;
}
