/* SPDX-License-Identifier: MIT */
/* The PROXY protocol's header: no beginning of a good one is refused, and nothing that follows a
 * complete one changes it. */
#include "notary/proxy.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cvg_proxy whole, part;
    if (size > 2 * CVG_PROXY_MAX || cvg_proxy_parse(data, size, &whole) != CVG_PROXY_DONE)
        return 0;
    FUZZ_CHECK(whole.len <= size && whole.len <= CVG_PROXY_MAX);
    FUZZ_CHECK(!whole.named || whole.source.family == 4 || whole.source.family == 6);
    FUZZ_CHECK(cvg_proxy_parse(data, whole.len, &part) == CVG_PROXY_DONE);
    FUZZ_CHECK(part.len == whole.len && part.named == whole.named);
    FUZZ_CHECK(!part.named || cvg_address_equal(&part.source, &whole.source));
    for (size_t len = 0; len < whole.len; len++)
        FUZZ_CHECK(cvg_proxy_parse(data, len, &part) == CVG_PROXY_MORE);
    return 0;
}
