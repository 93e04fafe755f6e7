/* SPDX-License-Identifier: MIT */
/* A question to the agent: what is taken can be written again, to the same octets but for the
 * cleaned name of the program and its release, and what a newer release appended. */
#include "common/protocol/message.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cvg_question question;
    struct cvg_buffer again;

    if (cvg_question_parse(data, size, &question, NULL) != CVG_OK)
        return 0;
    cvg_buffer_init(&again, CVG_MESSAGE_MAX);
    FUZZ_CHECK(cvg_question_write(&question, &again) == CVG_OK);
    FUZZ_CHECK(again.len <= size);
    for (size_t i = 0; i < again.len; i++)
        FUZZ_CHECK(again.data[i] == data[i] || again.data[i] == '?');
    cvg_buffer_free(&again);
    return 0;
}
