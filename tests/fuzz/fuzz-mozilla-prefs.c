/* SPDX-License-Identifier: MIT */
/* A file of preferences: a value that is found stands in the text. */
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"
#include "tools/mozilla-prefs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cvg_mozilla_pref pref;
    char *text = malloc(size + 1);

    if (text == NULL)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (cvg_mozilla_pref_find(text, "network.http.http3.enable", &pref)) {
        FUZZ_CHECK(strlen(pref.value) < sizeof pref.value);
        FUZZ_CHECK(strstr(text, pref.value) != NULL);
    }
    free(text);
    return 0;
}
