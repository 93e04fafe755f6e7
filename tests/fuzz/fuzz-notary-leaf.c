/* SPDX-License-Identifier: MIT */
/* A TLS Certificate message as a hostile server may send it; the first octet chooses the form. */
#include "common/protocol/digest.h"
#include "notary/leaf-message.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *der = NULL;
    size_t len = 0;
    struct cvg_blob *chain = NULL;
    struct cvg_leaf leaf;
    if (size > 0 && cvg_chain_of_message(data + 1, size - 1, (data[0] & 1) != 0, &chain) == CVG_OK)
        FUZZ_CHECK(chain->len > 3 && chain->len < size);
    cvg_blob_unref(chain);
    if (size < 1 ||
        cvg_leaf_of_message(data + 1, size - 1, (data[0] & 1) != 0, &der, &len) != CVG_OK)
        return 0;
    FUZZ_CHECK(len > 0 && der > data && der + len <= data + size);
    (void)!cvg_leaf_of_der(der, len, &leaf);
    return 0;
}
