/* SPDX-License-Identifier: MIT */
/* The agent's messages as a client reads them: an answer that is taken is written again to the same
 * octets, but for what a newer agent appended, and one with another id never is. */
#include "common/protocol/message.h"
#include "tests/fuzz/fuzz.h"

static void answer(const uint8_t *data, size_t size, uint64_t id)
{
    struct cvg_answer taken;
    struct cvg_buffer again;

    FUZZ_CHECK(cvg_answer_parse(data, size, id ^ 1, &taken, NULL) != CVG_OK);
    if (cvg_answer_parse(data, size, id, &taken, NULL) != CVG_OK)
        return;
    cvg_buffer_init(&again, CVG_MESSAGE_MAX);
    if (cvg_reason_valid(taken.reason)) {
        FUZZ_CHECK(cvg_answer_write(&taken, &again) == CVG_OK);
        FUZZ_CHECK(again.len <= size && memcmp(again.data, data, again.len) == 0);
    }
    cvg_buffer_free(&again);
}

static void reply(const uint8_t *data, size_t size, enum cvg_message_type type)
{
    const char *json;
    size_t len;
    uint64_t id;
    bool more;

    if (cvg_command_parse(data, size, type, &id, &more, &json, &len) == CVG_OK)
        FUZZ_CHECK(len > 0 && json + len == (const char *)data + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum cvg_message_type type;
    uint64_t id;

    if (cvg_message_peek(data, size, &type, &id) != CVG_OK)
        return 0;
    if (type == CVG_MESSAGE_VERDICT)
        answer(data, size, id);
    else
        reply(data, size, type);
    return 0;
}
