/* SPDX-License-Identifier: MIT */
/* A profiles.ini: whatever is in it, names and paths stay within their bounds and on one line. */
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"
#include "tools/mozilla-ini.h"

static void look(const struct cvg_mozilla_section *section, void *user)
{
    size_t *count = user;

    FUZZ_CHECK(strlen(section->name) < sizeof section->name);
    FUZZ_CHECK(strlen(section->path) < sizeof section->path);
    FUZZ_CHECK(strpbrk(section->path, "\r\n") == NULL);
    (*count)++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    size_t count = 0;

    if (text == NULL)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    cvg_mozilla_ini_each(text, look, &count);
    FUZZ_CHECK(count > 0);
    free(text);
    return 0;
}
