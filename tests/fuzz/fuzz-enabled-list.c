/* SPDX-License-Identifier: MIT */
/* The list of what is enabled: a line that is added is there once, and taking it away leaves the
 * other lines' text. */
#include "tests/fuzz/fuzz.h"
#include "tools/enabled-list.h"

#define LINE "openssl /etc/ssl/openssl.cnf"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cvg_buffer text;

    cvg_buffer_init(&text, CVG_ENABLED_LIST_MAX);
    if (cvg_buffer_put(&text, data, size) == CVG_OK) {
        size_t had = cvg_enabled_text_has(&text, LINE) ? 1 : 0;

        if (cvg_enabled_text_add(&text, LINE) == CVG_OK) {
            FUZZ_CHECK(cvg_enabled_text_has(&text, LINE) && cvg_enabled_text_has_target(&text));
            FUZZ_CHECK(had == 0 || (text.len == size && memcmp(text.data, data, size) == 0));
            FUZZ_CHECK(cvg_enabled_text_remove(&text, LINE) == CVG_OK);
            FUZZ_CHECK(!cvg_enabled_text_has(&text, LINE));
        }
    }
    cvg_buffer_free(&text);
    return 0;
}
