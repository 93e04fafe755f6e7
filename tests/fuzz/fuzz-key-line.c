/* SPDX-License-Identifier: MIT */
/* A converge.conf whose mode is changed: where it parsed, it parses still, with that mode; changed
 * once more, it stays as it is. */
#include "common/base/config.h"
#include "tests/fuzz/fuzz.h"
#include "tools/key-line.h"

#define TEXT_MAX 65536

static struct cvg_config before, after;

static void change(const char *text, size_t len)
{
    struct cvg_buffer once, twice;

    cvg_buffer_init(&once, TEXT_MAX);
    cvg_buffer_init(&twice, TEXT_MAX);
    if (cvg_key_line_set(text, len, "mode", "monitor", &once) == CVG_OK) {
        const char *changed = (const char *)once.data;
        enum cvg_error err = cvg_config_parse(changed, once.len, "f", &after, NULL);

        FUZZ_CHECK(err == CVG_OK || err == CVG_ERR_RANGE); /* a line that is too long now */
        FUZZ_CHECK(err != CVG_OK || after.mode == CVG_MODE_MONITOR);
        FUZZ_CHECK(err != CVG_OK || (after.lock == before.lock && after.quorum == before.quorum &&
                                     after.allow_off == before.allow_off &&
                                     after.exempt_names.count == before.exempt_names.count));
        FUZZ_CHECK(cvg_key_line_set(changed, once.len, "mode", "monitor", &twice) == CVG_OK);
        FUZZ_CHECK(twice.len == once.len && memcmp(twice.data, once.data, once.len) == 0);
    }
    cvg_buffer_free(&once);
    cvg_buffer_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct cvg_buffer other;

    if (cvg_config_parse(text, size, "f", &before, NULL) == CVG_OK)
        change(text, size);
    cvg_buffer_init(&other, TEXT_MAX); /* what does not parse is not to be read beyond its end */
    if (cvg_key_line_set(text, size, "mode", "monitor", &other) == CVG_OK)
        FUZZ_CHECK(other.len > 0);
    cvg_buffer_free(&other);
    return 0;
}
