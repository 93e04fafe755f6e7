/* SPDX-License-Identifier: MIT */
/* NSS's list of modules. Blocks lie in order within the text; what we add is found again, once, and
 * taking it away leaves every other block as it was. */
#include "tests/fuzz/fuzz.h"
#include "tools/pkcs11-conf.h"

#define LIBRARY "/fuzz/libconverge-nss.so"

static bool is_ours(const char *library, const void *context)
{
    return strcmp(library, context) == 0;
}

static size_t count(const char *text, size_t len, size_t *ret_ours)
{
    struct cvg_pkcs11_block block;
    size_t offset = 0, found = 0, behind = 0;

    *ret_ours = 0;
    while (cvg_pkcs11_next(text, len, &offset, &block)) {
        FUZZ_CHECK(block.begin >= behind && block.begin < block.end && block.end <= len);
        FUZZ_CHECK(offset == block.end);
        FUZZ_CHECK(strlen(block.library) <= CVG_PKCS11_LINE_MAX);
        behind = block.end;
        *ret_ours += is_ours(block.library, LIBRARY) ? 1 : 0;
        found++;
    }
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cvg_buffer added, left;
    size_t ours, blocks, ours_after;

    cvg_buffer_init(&added, CVG_PKCS11_CONF_MAX);
    cvg_buffer_init(&left, CVG_PKCS11_CONF_MAX);
    if (cvg_buffer_put(&added, data, size) == CVG_OK && cvg_buffer_put(&left, "", 0) == CVG_OK) {
        blocks = count((const char *)added.data, added.len, &ours);
        FUZZ_CHECK(cvg_pkcs11_add(&added, LIBRARY) == CVG_OK);
        FUZZ_CHECK(count((const char *)added.data, added.len, &ours_after) == blocks + 1);
        FUZZ_CHECK(ours_after == ours + 1);
        FUZZ_CHECK(cvg_pkcs11_without((const char *)added.data, added.len, is_ours, LIBRARY,
                                      &left) == CVG_OK);
        FUZZ_CHECK(count((const char *)left.data, left.len, &ours_after) == blocks - ours);
        FUZZ_CHECK(ours_after == 0);
    }
    cvg_buffer_free(&added);
    cvg_buffer_free(&left);
    return 0;
}
