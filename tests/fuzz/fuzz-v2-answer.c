/* SPDX-License-Identifier: MIT */
/* A version 2 answer as a client reads it, with the key of doc/protocol.md: whatever arrives, only
 * statements that this key has signed are believed, and the seeds hold all that it has. */
#include "common/protocol/v2.h"
#include "tests/fuzz/fuzz.h"

static const uint8_t spki[44] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21,
                                 0x00, 0x03, 0xa1, 0x07, 0xbf, 0xf3, 0xce, 0x10, 0xbe, 0x1d, 0x70,
                                 0xdd, 0x18, 0xe7, 0x4b, 0xc0, 0x99, 0x67, 0xe4, 0xd6, 0x30, 0x9b,
                                 0xa5, 0x0d, 0x5f, 0x1d, 0xdc, 0x86, 0x64, 0x12, 0x55, 0x31, 0xb8};

static void item(const struct cvg_v2_signed *one, struct cvg_verify_key *key)
{
    static struct cvg_v2_statement statement;
    struct cvg_endpoint asked;

    FUZZ_CHECK(cvg_endpoint_parse("site.example", 443, &asked, NULL) == CVG_OK);
    if (cvg_v2_statement_verify(one, &key, 1, &asked, 0, &statement, NULL) != CVG_OK)
        return;
    FUZZ_CHECK(statement.status == CVG_V2_SEEN && statement.observed_s == 1790003600);
    FUZZ_CHECK(strcmp(statement.endpoint.host, "site.example") == 0 && statement.count == 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cvg_verify_key *key;
    struct cvg_v2_answer answer;

    if (!key)
        FUZZ_CHECK(cvg_verify_key_parse(spki, sizeof spki, &key, NULL) == CVG_OK);
    if (cvg_v2_answer_parse(data, size, &answer, NULL) != CVG_OK)
        return 0;
    for (size_t i = 0; i < answer.count; i++)
        item(&answer.item[i], key);
    return 0;
}
