/* SPDX-License-Identifier: MIT */
/* Every allocation fails once, ours, libcrypto's and (through common/protocol/json-memory.c)
 * jansson's: no parser, writer or check then
 * says CVG_OK with a wrong result, and what is wrong is never believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>
#include <openssl/crypto.h>

#include "common/protocol/base64.h"
#include "common/protocol/bundle.h"
#include "common/protocol/json.h"
#include "common/protocol/message.h"
#include "common/protocol/v1.h"
#include "common/protocol/v2.h"
#include "tests/common/protocol/vectors.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);

/* The allocation that fails, counted down; 0: none. */
static unsigned long fail_in;
static unsigned long allocations;

static bool fails_now(void)
{
    allocations++;
    return fail_in > 0 && --fail_in == 0;
}

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    return fails_now() ? NULL : __real_realloc(block, size);
}

static void *crypto_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return __wrap_malloc(size);
}

static void *crypto_realloc(void *block, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return __wrap_realloc(block, size);
}

static void crypto_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    free(block);
}

/* A scenario returns its error and, when that is CVG_OK, has checked its result. It is run with no
 * failure first, which must give `expected` and lets the libraries set themselves up. */
static void each_allocation_fails(enum cvg_error (*scenario)(void), enum cvg_error expected)
{
    unsigned long count;

    fail_in = 0;
    assert_int_equal(scenario(), expected);
    allocations = 0;
    assert_int_equal(scenario(), expected);
    count = allocations;
    for (unsigned long n = 1; n <= count; n++) {
        enum cvg_error err;

        fail_in = n;
        err = scenario();
        fail_in = 0;
        if (expected != CVG_OK)
            assert_int_not_equal(err, CVG_OK);
    }
}

static struct vector leaf, leaf_sha256, leaf_spki, spki, pem, v1_answer, seen, seen_signature;
static struct vector question, verdict, request, bundle, next_bundle;
static struct cvg_verify_key *key;
static struct cvg_endpoint asked;

static void assert_octets(const struct cvg_buffer *buffer, const struct vector *vector)
{
    assert_int_equal(buffer->len, vector->len);
    assert_memory_equal(buffer->data, vector->octets, vector->len);
}

static enum cvg_error leaf_scenario(void)
{
    struct cvg_leaf digests;
    enum cvg_error err = cvg_leaf_of_der(leaf.octets, leaf.len, &digests);

    if (err == CVG_OK) {
        assert_memory_equal(digests.sha256, leaf_sha256.octets, CVG_SHA256_LEN);
        assert_memory_equal(digests.spki_sha256, leaf_spki.octets, CVG_SHA256_LEN);
    }
    return err;
}

static enum cvg_error verify_key_scenario(void)
{
    struct cvg_verify_key *parsed = NULL;
    enum cvg_error err = cvg_verify_key_parse(spki.octets, spki.len, &parsed, NULL);

    if (err == CVG_OK)
        assert_memory_equal(cvg_verify_key_id(parsed), cvg_verify_key_id(key), CVG_SHA256_LEN);
    else
        assert_null(parsed);
    cvg_verify_key_free(parsed);
    return err;
}

static enum cvg_error sign_scenario(void)
{
    struct cvg_signing_key *signer = NULL;
    struct cvg_buffer signature;
    enum cvg_error err = cvg_signing_key_parse((char *)pem.octets, pem.len, &signer, NULL);

    cvg_buffer_init(&signature, CVG_SIGNATURE_MAX);
    if (err == CVG_OK)
        err = cvg_sign(signer, seen.octets, seen.len, &signature);
    if (err == CVG_OK)
        assert_octets(&signature, &seen_signature);
    cvg_buffer_free(&signature);
    cvg_signing_key_free(signer);
    return err;
}

static enum cvg_error statement_verify(const struct vector *signature)
{
    struct cvg_v2_signed item = {seen.octets, seen.len, signature->octets, signature->len};
    struct cvg_v2_statement statement;
    enum cvg_error err = cvg_v2_statement_verify(&item, &key, 1, &asked, 0, &statement, NULL);

    if (err == CVG_OK) {
        assert_int_equal(statement.status, CVG_V2_SEEN);
        assert_string_equal(statement.endpoint.host, "site.example");
        assert_int_equal(statement.count, 2);
        assert_memory_equal(statement.record[0].leaf.sha256, leaf_sha256.octets, CVG_SHA256_LEN);
    }
    return err;
}

static enum cvg_error statement_scenario(void)
{
    return statement_verify(&seen_signature);
}

static enum cvg_error bad_statement_scenario(void)
{
    struct vector bad = seen_signature;

    bad.octets[0] ^= 1;
    return statement_verify(&bad);
}

static enum cvg_error v1_answer_scenario(void)
{
    struct cvg_v1_answer answer;
    struct cvg_buffer json;
    enum cvg_error err =
        cvg_v1_answer_parse((char *)v1_answer.octets, v1_answer.len, &answer, NULL);

    cvg_buffer_init(&json, CVG_V1_ANSWER_MAX);
    if (err == CVG_OK)
        err = cvg_v1_answer_write(answer.record, answer.count, "c2lnbmF0dXJl", &json);
    if (err == CVG_OK)
        assert_octets(&json, &v1_answer);
    cvg_buffer_free(&json);
    return err;
}

static enum cvg_error duplicate_member_scenario(void)
{
    static const char text[] = "{\"fingerprintList\": [], \"fingerprintList\": []}";
    struct cvg_v1_answer answer;

    return cvg_v1_answer_parse(text, sizeof text - 1, &answer, NULL);
}

static enum cvg_error bundle_scenario(void)
{
    struct cvg_bundle *parsed = NULL;
    enum cvg_error err = cvg_bundle_parse((char *)bundle.octets, bundle.len, &parsed, NULL);

    if (err == CVG_OK) {
        assert_int_equal(parsed->key_count, 1);
        assert_memory_equal(cvg_verify_key_id(parsed->key[0]), cvg_verify_key_id(key),
                            CVG_SHA256_LEN);
        assert_int_equal(parsed->host_count, 1);
        assert_memory_equal(parsed->host[0].certificate, leaf.octets, leaf.len);
        assert_int_equal(parsed->host[0].address_count, 2);
    } else {
        assert_null(parsed);
    }
    cvg_bundle_free(parsed);
    return err;
}

/* An update that announces: it is taken whole, or not at all. */
static enum cvg_error update_scenario(void)
{
    struct cvg_bundle *old = NULL, *parsed = NULL;
    enum cvg_error err = cvg_bundle_parse((char *)bundle.octets, bundle.len, &old, NULL);

    if (err == CVG_OK)
        err = cvg_bundle_update(old, (char *)next_bundle.octets, next_bundle.len, &parsed, NULL);
    if (err == CVG_OK) {
        assert_int_equal(parsed->key_count, 2);
        assert_non_null(parsed->host[0].next_certificate);
        assert_memory_equal(parsed->origin, old->origin, sizeof old->origin);
    } else {
        assert_null(parsed);
    }
    cvg_bundle_free(parsed);
    cvg_bundle_free(old);
    return err;
}

static enum cvg_error forged_bundle_scenario(void)
{
    struct vector forged = bundle;
    char *at = strstr((char *)forged.octets, "Alpha Coop");
    struct cvg_bundle *parsed = NULL;
    enum cvg_error err;

    assert_non_null(at);
    *at = 'B';
    err = cvg_bundle_parse((char *)forged.octets, forged.len, &parsed, NULL);
    cvg_bundle_free(parsed);
    return err;
}

static enum cvg_error question_scenario(void)
{
    struct cvg_question q;
    struct cvg_buffer buffer;
    enum cvg_error err = cvg_question_parse(question.octets, question.len, &q, NULL);

    cvg_buffer_init(&buffer, CVG_MESSAGE_MAX);
    if (err == CVG_OK)
        err = cvg_question_write(&q, &buffer);
    if (err == CVG_OK)
        assert_octets(&buffer, &question);
    cvg_buffer_free(&buffer);
    return err;
}

static enum cvg_error verdict_scenario(void)
{
    struct cvg_answer a;
    struct cvg_buffer buffer;
    enum cvg_error err =
        cvg_answer_parse(verdict.octets, verdict.len, 0x0102030405060708, &a, NULL);

    cvg_buffer_init(&buffer, CVG_MESSAGE_MAX);
    if (err == CVG_OK)
        err = cvg_answer_write(&a, &buffer);
    if (err == CVG_OK)
        assert_octets(&buffer, &verdict);
    cvg_buffer_free(&buffer);
    return err;
}

static enum cvg_error request_scenario(void)
{
    struct cvg_v2_request parsed;
    struct cvg_buffer buffer;
    enum cvg_error err = cvg_v2_request_parse(request.octets, request.len, &parsed, NULL);

    cvg_buffer_init(&buffer, CVG_V2_REQUEST_MAX);
    if (err == CVG_OK)
        err = cvg_v2_request_write(&parsed, &buffer);
    if (err == CVG_OK)
        assert_octets(&buffer, &request);
    cvg_buffer_free(&buffer);
    return err;
}

static enum cvg_error statement_write_scenario(void)
{
    struct cvg_v2_statement statement;
    struct cvg_buffer buffer;
    enum cvg_error err = cvg_v2_statement_parse(seen.octets, seen.len, &statement, NULL);

    cvg_buffer_init(&buffer, CVG_V2_STATEMENT_MAX);
    if (err == CVG_OK)
        err = cvg_v2_statement_write(&statement, &buffer);
    if (err == CVG_OK)
        assert_octets(&buffer, &seen);
    cvg_buffer_free(&buffer);
    return err;
}

static void certificates_and_keys(void **state)
{
    (void)state;
    each_allocation_fails(leaf_scenario, CVG_OK);
    each_allocation_fails(verify_key_scenario, CVG_OK);
    each_allocation_fails(sign_scenario, CVG_OK);
}

static void statements(void **state)
{
    (void)state;
    each_allocation_fails(statement_scenario, CVG_OK);
    each_allocation_fails(bad_statement_scenario, CVG_ERR_SIGNATURE);
    each_allocation_fails(statement_write_scenario, CVG_OK);
    each_allocation_fails(request_scenario, CVG_OK);
}

static void version_1(void **state)
{
    (void)state;
    each_allocation_fails(v1_answer_scenario, CVG_OK);
    each_allocation_fails(duplicate_member_scenario, CVG_ERR_SYNTAX);
}

static void bundles(void **state)
{
    (void)state;
    each_allocation_fails(bundle_scenario, CVG_OK);
    each_allocation_fails(update_scenario, CVG_OK);
    each_allocation_fails(forged_bundle_scenario, CVG_ERR_SIGNATURE);
}

static void messages(void **state)
{
    (void)state;
    each_allocation_fails(question_scenario, CVG_OK);
    each_allocation_fails(verdict_scenario, CVG_OK);
}

/* The counter really reaches into the libraries; else the cases above would prove little. */
static void all_allocations_are_counted(void **state)
{
    json_t *object = NULL;

    (void)state;
    allocations = 0;
    assert_int_equal(statement_scenario(), CVG_OK);
    assert_true(allocations > 0);
    fail_in = 1;
    assert_int_equal(cvg_json_parse("{}", 2, 2, &object, NULL), CVG_ERR_NOMEM);
    fail_in = 0;
    assert_null(object);
}

static int setup(void **state)
{
    (void)state;
    vector_hex("leaf", &leaf);
    vector_hex("leaf-sha256", &leaf_sha256);
    vector_hex("leaf-spki-sha256", &leaf_spki);
    vector_hex("ed25519-spki", &spki);
    vector_text("protocol.md", "text", "ed25519-key", &pem);
    vector_text("protocol.md", "text", "v1-answer", &v1_answer);
    vector_hex("v2-seen", &seen);
    vector_hex("v2-seen-signature", &seen_signature);
    vector_hex("check-leaf", &question);
    vector_hex("verdict", &verdict);
    vector_hex("v2-request", &request);
    vector_text("bundle.md", "json", "bundle-v2", &bundle);
    vector_text("bundle.md", "json", "bundle-v2-next", &next_bundle);
    assert_int_equal(cvg_verify_key_parse(spki.octets, spki.len, &key, NULL), CVG_OK);
    assert_int_equal(cvg_endpoint_parse("site.example", 443, &asked, NULL), CVG_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cvg_verify_key_free(key);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_and_keys),
        cmocka_unit_test(statements),
        cmocka_unit_test(version_1),
        cmocka_unit_test(bundles),
        cmocka_unit_test(messages),
        cmocka_unit_test(all_allocations_are_counted),
    };

    if (CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free) != 1)
        return 1;
    return cmocka_run_group_tests_name("no-memory", tests, setup, teardown);
}
