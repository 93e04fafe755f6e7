/* SPDX-License-Identifier: MIT */
/* The history's records, in octets as a damaged disk may hold them: the search for the next record
 * ends, never beyond its octets, and what is found can be written and found again. The first record
 * is also tried with its length and checksum put right, or nothing would get as far as its body. */
#include "common/engine/crc32c.h"
#include "common/engine/history-record.h"
#include "tests/fuzz/fuzz.h"

static struct cvg_history_item item, again;

static void write_again(void)
{
    struct cvg_buffer buffer;
    bool found;
    size_t used;

    cvg_buffer_init(&buffer, 2 * CVG_HISTORY_RECORD_MAX);
    cvg_history_record_put(&buffer, item.order, &item.entry);
    FUZZ_CHECK(cvg_buffer_error(&buffer) == CVG_OK && buffer.len <= CVG_HISTORY_RECORD_MAX);
    used = cvg_history_record_next(buffer.data, buffer.len, &again, &found);
    FUZZ_CHECK(found && used == buffer.len && again.order == item.order);
    FUZZ_CHECK(strcmp(again.entry.host, item.entry.host) == 0);
    FUZZ_CHECK(again.entry.vote_count == item.entry.vote_count);
    FUZZ_CHECK(again.entry.verdict == item.entry.verdict && again.entry.uid == item.entry.uid);
    cvg_buffer_free(&buffer);
}

static void read_all(const uint8_t *data, size_t size)
{
    size_t at = 0, used;
    bool found;

    while ((used = cvg_history_record_next(data + at, size - at, &item, &found)) > 0) {
        FUZZ_CHECK(used <= size - at);
        at += used;
        if (found)
            write_again();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t octets[CVG_HISTORY_RECORD_MAX];
    size_t body = size < sizeof octets - CVG_HISTORY_HEAD ? size : sizeof octets - CVG_HISTORY_HEAD;
    uint32_t crc = cvg_crc32c(data, body) ^ (uint32_t)body;

    read_all(data, size);
    memcpy(octets, "CVH\1", 4);
    octets[4] = (uint8_t)(body >> 8);
    octets[5] = (uint8_t)body;
    for (size_t i = 0; i < 4; i++)
        octets[6 + i] = (uint8_t)(crc >> (24 - 8 * i));
    memcpy(octets + CVG_HISTORY_HEAD, data, body);
    read_all(octets, CVG_HISTORY_HEAD + body);
    return 0;
}
