/* SPDX-License-Identifier: MIT */
/* A version 1 request: a path up to the first line's end, then a form. What is taken, written and
 * read again, is the same. */
#include "common/protocol/v1.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *newline = size > 0 ? memchr(text, '\n', size) : NULL;
    size_t path_len = newline ? (size_t)(newline - text) : size;
    size_t body_at = newline ? path_len + 1 : size;
    uint8_t sha1[CVG_SHA1_LEN] = {0}, second_sha1[CVG_SHA1_LEN];
    struct cvg_endpoint target, second;
    struct cvg_buffer path, body;

    (void)!cvg_v1_body_parse(text + body_at, size - body_at, sha1, NULL);
    if (cvg_v1_path_parse(text, path_len, &target, NULL) != CVG_OK)
        return 0;
    cvg_buffer_init(&path, 1024);
    cvg_buffer_init(&body, 1024);
    FUZZ_CHECK(cvg_v1_request_write(&target, sha1, &path, &body) == CVG_OK);
    FUZZ_CHECK(cvg_v1_path_parse((char *)path.data, path.len, &second, NULL) == CVG_OK);
    FUZZ_CHECK(cvg_endpoint_cmp(&target, &second) == 0);
    FUZZ_CHECK(cvg_v1_body_parse((char *)body.data, body.len, second_sha1, NULL) == CVG_OK);
    FUZZ_CHECK(memcmp(sha1, second_sha1, sizeof sha1) == 0);
    cvg_buffer_free(&path);
    cvg_buffer_free(&body);
    return 0;
}
