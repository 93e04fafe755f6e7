/* SPDX-License-Identifier: MIT */
/* What a store that others can write to holds of a target: nothing but what was signed is taken for
 * a record, and what was signed is. */
#include "notary/redis-record.h"
#include "tests/fuzz/fuzz.h"

static const char pem[] = "-----BEGIN PRIVATE KEY-----\n"
                          "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
                          "-----END PRIVATE KEY-----\n";

static struct cvg_record_keys *make_keys(void)
{
    struct cvg_signing_key *key = NULL;
    struct cvg_record_keys *keys = NULL;
    FUZZ_CHECK(cvg_signing_key_parse(pem, sizeof(pem) - 1, &key, NULL) == CVG_OK);
    const struct cvg_record_sources sources = {.key = key, .path = "/nonexistent/key"};
    FUZZ_CHECK(cvg_record_keys_new(&sources, &keys, NULL) == CVG_OK);
    cvg_signing_key_free(key);
    return keys;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cvg_record_keys *keys;
    struct cvg_buffer record;
    const void *value = NULL;
    size_t len = 0;
    if (keys == NULL)
        keys = make_keys();
    FUZZ_CHECK(cvg_record_open(keys, "key", 3, data, size, &value, &len) == CVG_ERR_SIGNATURE);
    FUZZ_CHECK(value == NULL);
    if (size > CVG_VALUE_MAX)
        return 0;
    cvg_buffer_init(&record, CVG_RECORD_MAX);
    FUZZ_CHECK(cvg_record_seal(keys, "key", 3, data, size, &record) == CVG_OK);
    FUZZ_CHECK(cvg_record_open(keys, "key", 3, record.data, record.len, &value, &len) == CVG_OK);
    FUZZ_CHECK(len == size && memcmp(value, data, size) == 0);
    cvg_buffer_free(&record);
    return 0;
}
