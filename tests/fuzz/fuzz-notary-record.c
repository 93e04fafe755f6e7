/* SPDX-License-Identifier: MIT */
/* A notary's stored observations: what is taken, written and read again, is the same, and can be
 * added to. */
#include "notary/observations.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cvg_v2_record record[CVG_V2_RECORDS_MAX];
    struct cvg_observations seen = {0};
    struct cvg_leaf leaf = {.key_type = CVG_KEY_EC};
    const struct cvg_address address = {.family = 4, .bytes = {192, 0, 2, 1}};
    struct cvg_buffer again;
    if (cvg_observations_parse(data, size, &seen) != CVG_OK)
        return 0;
    cvg_buffer_init(&again, 65536);
    FUZZ_CHECK(cvg_observations_write(&seen, &again) == CVG_OK);
    FUZZ_CHECK(again.len == size && memcmp(again.data, data, size) == 0);
    FUZZ_CHECK(cvg_observations_add(&seen, &leaf, &address, 1800000000) == CVG_OK);
    FUZZ_CHECK(seen.count <= CVG_V2_RECORDS_MAX && seen.view_count <= CVG_VIEWS_MAX);
    FUZZ_CHECK(cvg_observations_list(&seen, 1800000000, 86400, record) == seen.count);
    (void)cvg_observations_expiry(&seen, 1800000000, 86400);
    cvg_buffer_free(&again);
    cvg_observations_free(&seen);
    return 0;
}
