/* SPDX-License-Identifier: MIT */
/* A notary bundle: what is taken is within its bounds, and what is refused leaves nothing. */
#include "common/protocol/bundle.h"
#include "tests/fuzz/fuzz.h"

static void check(const struct cvg_bundle *bundle)
{
    FUZZ_CHECK(bundle->version <= 2 && bundle->protocol == (bundle->version == 2 ? 2 : 1));
    FUZZ_CHECK(bundle->name[0] != '\0' && strlen(bundle->name) < sizeof bundle->name);
    FUZZ_CHECK(bundle->host_count >= 1 && bundle->host_count <= CVG_BUNDLE_HOSTS_MAX);
    FUZZ_CHECK((bundle->version == 2) == (bundle->key_count > 0));
    FUZZ_CHECK((bundle->version == 2) == (bundle->serial > 0));
    for (size_t i = 0; i < bundle->host_count; i++) {
        const struct cvg_bundle_host *host = &bundle->host[i];
        struct cvg_endpoint endpoint;

        FUZZ_CHECK(host->certificate != NULL && host->certificate_len > 0);
        FUZZ_CHECK((host->next_certificate != NULL) == (host->next_certificate_len > 0));
        FUZZ_CHECK(host->next_certificate == NULL || bundle->version == 2);
        FUZZ_CHECK(host->bounce_port != 0 && host->address_count <= CVG_BUNDLE_ADDRESSES_MAX);
        FUZZ_CHECK(cvg_endpoint_set(host->host, strlen(host->host), host->ssl_port, &endpoint,
                                    NULL) == CVG_OK);
        FUZZ_CHECK(strcmp(endpoint.host, host->host) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cvg_bundle *bundle = NULL, *update = NULL;
    struct cvg_why why;

    if (cvg_bundle_parse((const char *)data, size, &bundle, &why) != CVG_OK) {
        FUZZ_CHECK(bundle == NULL && strlen(why.text) < sizeof why.text);
        return 0;
    }
    check(bundle);
    /* No bundle replaces itself: the serial must rise. */
    FUZZ_CHECK(cvg_bundle_update(bundle, (const char *)data, size, &update, NULL) != CVG_OK);
    cvg_bundle_free(bundle);
    return 0;
}
