/* SPDX-License-Identifier: MIT */
/* Two texts, parted by a NUL: the diff has every line of the one that is not in the other, and none
 * where they are the same. */
#include <stdbool.h>

#include "tests/fuzz/fuzz.h"
#include "tools/diff.h"

/* How many lines of the diff's body begin so. */
static size_t count(const struct cvg_buffer *diff, char sign)
{
    const char *at = (const char *)diff->data, *end = at + diff->len;
    size_t number = 0, line = 0;

    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));

        number += line++ >= 2 && *at == sign ? 1 : 0;
        at = newline != NULL ? newline + 1 : end;
    }
    return number;
}

static size_t lines(const uint8_t *data, size_t size)
{
    size_t number = size > 0 && data[size - 1] != '\n' ? 1 : 0;

    for (size_t i = 0; i < size; i++)
        number += data[i] == '\n' ? 1 : 0;
    return number;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nul = size > 0 ? memchr(data, '\0', size) : NULL;
    size_t first = nul != NULL ? (size_t)(nul - data) : size;
    size_t rest = nul != NULL ? size - first - 1 : 0;
    struct cvg_buffer before, after, diff;

    cvg_buffer_init(&before, 65536);
    cvg_buffer_init(&after, 65536);
    cvg_buffer_init(&diff, 1048576);
    if (cvg_buffer_put(&before, data, first) == CVG_OK &&
        cvg_buffer_put(&after, nul != NULL ? nul + 1 : NULL, rest) == CVG_OK &&
        cvg_diff("f", &before, &after, &diff) == CVG_OK) {
        bool same = first == rest && (first == 0 || memcmp(data, after.data, rest) == 0);

        FUZZ_CHECK(same == (diff.len == 0));
        FUZZ_CHECK(same || lines(data, first) + count(&diff, '+') ==
                               lines(after.data, rest) + count(&diff, '-'));
    }
    cvg_buffer_free(&before);
    cvg_buffer_free(&after);
    cvg_buffer_free(&diff);
    return 0;
}
