/* SPDX-License-Identifier: MIT */
/* What a program writes before TLS and in its handshake: an alert is nothing but an alert, and a
 * proxy's target is in normal form. */
#include "nss-module/records.h"
#include "tests/fuzz/fuzz.h"

static void check_alert(const uint8_t *data, size_t size)
{
    if (!cvg_records_only_alert(data, size))
        return;
    FUZZ_CHECK(!cvg_records_only_alert(data, size - 1));
    FUZZ_CHECK(cvg_records_role(data, size) == CVG_ROLE_UNKNOWN);
}

static void check_connect(const uint8_t *data, size_t size)
{
    struct cvg_spoken spoken = {.sent = 1};
    struct cvg_endpoint endpoint;
    struct cvg_why why;

    if (!cvg_records_connect(data, size, &spoken)) {
        FUZZ_CHECK(!spoken.connect_host[0] && spoken.connect_port == 0);
        return;
    }
    FUZZ_CHECK(cvg_endpoint_set(spoken.connect_host, strlen(spoken.connect_host),
                                spoken.connect_port, &endpoint, &why) == CVG_OK);
    FUZZ_CHECK(strcmp(endpoint.host, spoken.connect_host) == 0);
    FUZZ_CHECK(endpoint.port == spoken.connect_port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_alert(data, size);
    check_connect(data, size);
    FUZZ_CHECK(cvg_records_role(data, size) == CVG_ROLE_UNKNOWN || data[0] == 22);
    return 0;
}
