/* SPDX-License-Identifier: MIT */
/* A host, and the same octets as "HOST:PORT". What is taken is in normal form: it is taken again
 * without a change, and libc reads addresses as we do. */
#include "common/base/endpoint.h"
#include "common/base/special.h"
#include "tests/fuzz/fuzz.h"

#include <arpa/inet.h>

static void check_address(const struct cvg_endpoint *endpoint)
{
    uint8_t address[16];
    struct in_addr lenient;

    switch (endpoint->kind) {
    case CVG_HOST_IPV4:
        FUZZ_CHECK(inet_pton(AF_INET, endpoint->host, address) == 1);
        FUZZ_CHECK(memcmp(address, endpoint->address, 4) == 0);
        break;
    case CVG_HOST_IPV6:
        FUZZ_CHECK(inet_pton(AF_INET6, endpoint->host, address) == 1);
        FUZZ_CHECK(memcmp(address, endpoint->address, 16) == 0);
        break;
    case CVG_HOST_NAME:
        FUZZ_CHECK(inet_pton(AF_INET, endpoint->host, address) == 0);
        FUZZ_CHECK(inet_aton(endpoint->host, &lenient) == 0);
        (void)cvg_special_name(endpoint->host);
        break;
    default:
        abort();
    }
}

static void check_normal(const struct cvg_endpoint *endpoint)
{
    size_t len = strlen(endpoint->host);
    char text[CVG_ENDPOINT_TEXT_MAX];
    struct cvg_endpoint again;

    FUZZ_CHECK(len > 0 && len < CVG_HOST_MAX && endpoint->port > 0);
    FUZZ_CHECK(strspn(endpoint->host, "abcdefghijklmnopqrstuvwxyz0123456789-_.:") == len);
    check_address(endpoint);
    FUZZ_CHECK(cvg_endpoint_set(endpoint->host, len, endpoint->port, &again, NULL) == CVG_OK);
    FUZZ_CHECK(memcmp(endpoint, &again, sizeof again) == 0);
    cvg_endpoint_format(endpoint, text, sizeof text);
    FUZZ_CHECK(cvg_endpoint_parse(text, 0, &again, NULL) == CVG_OK);
    FUZZ_CHECK(memcmp(endpoint, &again, sizeof again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cvg_endpoint endpoint;
    struct cvg_why why;
    char *text;

    if (cvg_endpoint_set((const char *)data, size, 443, &endpoint, &why) == CVG_OK)
        check_normal(&endpoint);
    text = calloc(1, size + 1);
    if (text == NULL)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    if (cvg_endpoint_parse(text, 443, &endpoint, &why) == CVG_OK)
        check_normal(&endpoint);
    free(text);
    return 0;
}
