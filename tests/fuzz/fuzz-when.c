/* SPDX-License-Identifier: MIT */
/* A WHEN: what is read is a time, and the same one when it is written out in seconds. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"
#include "tools/when.h"

#define NOW       1700000000
#define YEAR_0    (-INT64_C(62167305600)) /* a day early, for the zones */
#define YEAR_9999 INT64_C(253402387199)   /* a day late */
#define AGE_MAX   (INT64_C(1) << 40)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), written[32];
    int64_t time_s = 0, again_s = -1;

    if (text == NULL)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (cvg_when_parse(text, NOW, &time_s)) {
        FUZZ_CHECK(time_s >= YEAR_0 && time_s <= (text[0] == '@' ? AGE_MAX : YEAR_9999));
        snprintf(written, sizeof written, "@%" PRId64, time_s);
        FUZZ_CHECK(cvg_when_parse(written, NOW, &again_s) == (time_s >= 0));
        FUZZ_CHECK(time_s < 0 || again_s == time_s);
    }
    free(text);
    return 0;
}
