/* SPDX-License-Identifier: MIT */
/* A version 1 notary's JSON: what is taken, written and read again, is the same. */
#include "common/protocol/v1.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cvg_v1_answer answer, second;
    struct cvg_buffer json;

    memset(&second, 0, sizeof second);
    if (cvg_v1_answer_parse((const char *)data, size, &answer, NULL) != CVG_OK)
        return 0;
    cvg_buffer_init(&json, CVG_V1_ANSWER_MAX);
    FUZZ_CHECK(cvg_v1_answer_write(answer.record, answer.count, "eA==", &json) == CVG_OK);
    FUZZ_CHECK(cvg_v1_answer_parse((const char *)json.data, json.len, &second, NULL) == CVG_OK);
    FUZZ_CHECK(memcmp(&answer, &second, sizeof answer) == 0);
    cvg_buffer_free(&json);
    return 0;
}
