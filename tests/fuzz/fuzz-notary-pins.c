/* SPDX-License-Identifier: MIT */
/* An operator's file of pins: what is refused is told with its line, and what is taken judges. */
#include "notary/pins.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct cvg_leaf leaf = {.key_type = CVG_KEY_EC};
    struct cvg_pins *pins = NULL;
    struct cvg_why why = {.text = ""};
    struct cvg_endpoint endpoint;
    FUZZ_CHECK(cvg_endpoint_parse("site.example", 443, &endpoint, NULL) == CVG_OK);
    if (cvg_pins_parse((const char *)data, size, "pins", &pins, &why) != CVG_OK) {
        FUZZ_CHECK(strncmp(why.text, "pins:", 5) == 0);
        return 0;
    }
    FUZZ_CHECK(cvg_pins_judge(pins, &endpoint, &leaf) <= CVG_V2_OPINION_NO);
    cvg_pins_free(pins);
    return 0;
}
