/* SPDX-License-Identifier: MIT */
/* What fuzz targets share: the entry point, and a check that crashes. */
#ifndef CVG_TESTS_FUZZ_H
#define CVG_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property of the code that holds for every input, or the target dies. */
#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

#endif
