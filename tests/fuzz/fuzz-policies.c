/* SPDX-License-Identifier: MIT */
/* An administrator's policies.json. What is taken comes back to the octet; what is not is left as
 * it was; and after adding, everything that has to be said is said. */
#include "tests/fuzz/fuzz.h"
#include "tools/mozilla-policies.h"

#define MODULE "/fuzz/libconverge-nss.so"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cvg_buffer text, kept;
    struct cvg_policies_state state = {.module = false};

    cvg_buffer_init(&text, CVG_POLICIES_MAX);
    cvg_buffer_init(&kept, CVG_POLICIES_MAX);
    if (cvg_buffer_put(&text, data, size) == CVG_OK &&
        cvg_buffer_put(&kept, data, size) == CVG_OK) {
        bool had = cvg_policies_look(&text, MODULE, &state, NULL) == CVG_OK && state.module;

        if (cvg_policies_add(&text, MODULE, NULL) == CVG_OK) {
            FUZZ_CHECK(cvg_policies_look(&text, MODULE, &state, NULL) == CVG_OK);
            FUZZ_CHECK(state.module && state.locked && !state.empty);
            FUZZ_CHECK(had || cvg_policies_remove(&text, MODULE, &kept, NULL) == CVG_OK);
        }
        FUZZ_CHECK(had || (text.len == size && memcmp(text.data, kept.data, size) == 0));
    }
    cvg_buffer_free(&text);
    cvg_buffer_free(&kept);
    return 0;
}
