/* SPDX-License-Identifier: MIT */
/* A fingerprint's text. What is taken, written and read again, is the same. */
#include "common/base/fingerprint.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cvg_fingerprint fingerprint, again;
    char text[CVG_FINGERPRINT_TEXT_MAX];

    if (cvg_fingerprint_parse((const char *)data, size, &fingerprint, NULL) != CVG_OK)
        return 0;
    FUZZ_CHECK(fingerprint.len == CVG_SHA1_LEN || fingerprint.len == CVG_SHA256_LEN);
    cvg_fingerprint_format(fingerprint.bytes, fingerprint.len, text, sizeof text);
    FUZZ_CHECK(cvg_fingerprint_parse(text, strlen(text), &again, NULL) == CVG_OK);
    FUZZ_CHECK(memcmp(&fingerprint, &again, sizeof again) == 0);
    return 0;
}
