/* SPDX-License-Identifier: MIT */
/* A version 2 request as a notary reads it: what is taken is written again to the same octets. */
#include "common/protocol/v2.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cvg_v2_request request;
    struct cvg_buffer again;

    if (cvg_v2_request_parse(data, size, &request, NULL) != CVG_OK)
        return 0;
    cvg_buffer_init(&again, CVG_V2_REQUEST_MAX);
    FUZZ_CHECK(cvg_v2_request_write(&request, &again) == CVG_OK);
    FUZZ_CHECK(again.len == size && memcmp(again.data, data, size) == 0);
    cvg_buffer_free(&again);
    return 0;
}
