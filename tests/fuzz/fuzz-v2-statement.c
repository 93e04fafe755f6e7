/* SPDX-License-Identifier: MIT */
/* A version 2 statement: what is taken, written and read again, says the same. */
#include "common/protocol/v2.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cvg_v2_statement statement, second;
    struct cvg_buffer again;

    if (cvg_v2_statement_parse(data, size, &statement, NULL) != CVG_OK)
        return 0;
    cvg_buffer_init(&again, CVG_V2_STATEMENT_MAX);
    FUZZ_CHECK(cvg_v2_statement_write(&statement, &again) == CVG_OK);
    FUZZ_CHECK(cvg_v2_statement_parse(again.data, again.len, &second, NULL) == CVG_OK);
    FUZZ_CHECK(cvg_endpoint_cmp(&statement.endpoint, &second.endpoint) == 0);
    FUZZ_CHECK(statement.status == second.status && statement.hint == second.hint);
    FUZZ_CHECK(statement.observed_s == second.observed_s && statement.count == second.count);
    FUZZ_CHECK(memcmp(statement.key_id, second.key_id, sizeof statement.key_id) == 0);
    for (size_t i = 0; i < statement.count; i++)
        FUZZ_CHECK(statement.record[i].current == second.record[i].current &&
                   memcmp(&statement.record[i].leaf, &second.record[i].leaf,
                          sizeof(struct cvg_leaf)) == 0);
    FUZZ_CHECK(statement.opinions_count == second.opinions_count);
    for (size_t i = 0; i < statement.opinions_count; i++)
        FUZZ_CHECK(statement.opinions[i].verifier == second.opinions[i].verifier &&
                   statement.opinions[i].checked_s == second.opinions[i].checked_s &&
                   memcmp(statement.opinions[i].opinion, second.opinions[i].opinion,
                          sizeof second.opinions[i].opinion) == 0);
    cvg_buffer_free(&again);
    return 0;
}
