/* SPDX-License-Identifier: MIT */
/* Version 2 against hostile octets, and the one rule that matters: no statement is believed that
 * the bundle's key did not sign for exactly this target. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/protocol/v1.h"
#include "common/protocol/v2.h"
#include "tests/common/protocol/vectors.h"

/* Where the fields of the vector v2-seen are (a host of 12 octets). */
enum {
    AT_VERSION = 26,
    AT_KEY = 27,
    AT_HOST_LEN = 59,
    AT_HOST = 60,
    AT_PORT = 72,
    AT_HINT = 74,
    AT_STATUS = 75,
    AT_OBSERVED = 76,
    AT_COUNT = 84,
    AT_RECORD = 85,
    RECORD_LEN = 102
};

static struct cvg_verify_key *ed25519, *p256;
static struct cvg_signing_key *signer;

static enum cvg_error request_error(const uint8_t *data, size_t len)
{
    static struct cvg_v2_request request, untouched;
    struct cvg_why why = {""};
    enum cvg_error err;

    memset(&request, 0xa5, sizeof request);
    memset(&untouched, 0xa5, sizeof untouched);
    err = cvg_v2_request_parse(data, len, &request, &why);
    if (err != CVG_OK) {
        assert_memory_equal(&request, &untouched, sizeof request);
        assert_true(why.text[0] != '\0');
    }
    return err;
}

static enum cvg_error statement_error(const uint8_t *data, size_t len)
{
    static struct cvg_v2_statement statement, untouched;
    struct cvg_why why = {""};
    enum cvg_error err;

    memset(&statement, 0xa5, sizeof statement);
    memset(&untouched, 0xa5, sizeof untouched);
    err = cvg_v2_statement_parse(data, len, &statement, &why);
    if (err != CVG_OK) {
        assert_memory_equal(&statement, &untouched, sizeof statement);
        assert_true(why.text[0] != '\0');
    }
    return err;
}

static enum cvg_error answer_error(const uint8_t *data, size_t len)
{
    struct cvg_v2_answer answer, untouched;
    struct cvg_why why = {""};
    enum cvg_error err;

    memset(&answer, 0xa5, sizeof answer);
    memset(&untouched, 0xa5, sizeof untouched);
    err = cvg_v2_answer_parse(data, len, &answer, &why);
    if (err != CVG_OK) {
        assert_memory_equal(&answer, &untouched, sizeof answer);
        assert_true(why.text[0] != '\0');
    }
    return err;
}

static void truncated_at_every_length(void **state)
{
    static const struct {
        const char *name;
        enum cvg_error (*parse)(const uint8_t *, size_t);
    } rows[] = {{"v2-request", request_error},
                {"v2-seen", statement_error},
                {"v2-not-public", statement_error},
                {"v2-opinions", statement_error},
                {"v2-answer", answer_error}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vector v;

        vector_hex(rows[i].name, &v);
        assert_int_equal(rows[i].parse(v.octets, v.len), CVG_OK);
        for (size_t len = 0; len < v.len; len++) {
            uint8_t *copy = malloc(len > 0 ? len : 1);

            memcpy(copy, v.octets, len);
            assert_int_not_equal(rows[i].parse(copy, len), CVG_OK);
            free(copy);
        }
        v.octets[v.len] = 0;
        assert_int_not_equal(rows[i].parse(v.octets, v.len + 1), CVG_OK);
    }
}

static void request_rewritten_is_the_same(void **state)
{
    struct cvg_v2_request request;
    struct cvg_buffer again;
    struct vector v;

    (void)state;
    vector_hex("v2-request", &v);
    cvg_buffer_init(&again, CVG_V2_REQUEST_MAX);
    for (size_t i = 0; i < v.len; i++) {
        uint8_t kept = v.octets[i];

        for (unsigned value = 0; value < 256; value++) {
            v.octets[i] = (uint8_t)value;
            if (cvg_v2_request_parse(v.octets, v.len, &request, NULL) != CVG_OK)
                continue;
            cvg_buffer_clear(&again);
            assert_int_equal(cvg_v2_request_write(&request, &again), CVG_OK);
            assert_int_equal(again.len, v.len);
            assert_memory_equal(again.data, v.octets, v.len);
        }
        v.octets[i] = kept;
    }
    cvg_buffer_free(&again);
}

static void request_counts_and_versions(void **state)
{
    struct vector v;

    (void)state;
    vector_hex("v2-request", &v);
    for (unsigned count = 0; count < 256; count++) {
        v.octets[1] = (uint8_t)count;
        assert_int_equal(request_error(v.octets, v.len) == CVG_OK, count == 2);
    }
    v.octets[1] = 0;
    assert_int_equal(request_error(v.octets, v.len), CVG_ERR_RANGE);
    v.octets[1] = CVG_V2_TARGETS_MAX + 1;
    assert_int_equal(request_error(v.octets, v.len), CVG_ERR_RANGE);
    v.octets[1] = 2;
    for (unsigned version = 0; version < 256; version++) {
        v.octets[0] = (uint8_t)version;
        assert_int_equal(request_error(v.octets, v.len), version == 2 ? CVG_OK : CVG_ERR_VERSION);
    }
}

static void request_hosts_and_ports(void **state)
{
    struct vector v;

    (void)state;
    vector_hex("v2-request", &v);
    memcpy(v.octets + 3, "Site.example", 12);
    assert_int_equal(request_error(v.octets, v.len), CVG_ERR_SYNTAX);
    memcpy(v.octets + 3, "site.exampl.", 12);
    assert_int_equal(request_error(v.octets, v.len), CVG_ERR_SYNTAX);
    memcpy(v.octets + 3, "site\0example", 12);
    assert_int_equal(request_error(v.octets, v.len), CVG_ERR_SYNTAX);
    vector_hex("v2-request", &v);
    v.octets[15] = v.octets[16] = 0; /* port 0 */
    assert_int_not_equal(request_error(v.octets, v.len), CVG_OK);
    vector_hex("v2-request", &v);
    memmove(v.octets + 3, v.octets + 15, v.len - 15); /* a host of no octets */
    v.octets[2] = 0;
    assert_int_equal(request_error(v.octets, v.len - 12), CVG_ERR_SYNTAX);
}

static void largest_request(void **state)
{
    struct cvg_v2_request request;
    struct cvg_buffer buffer;
    char host[CVG_HOST_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof host - 1; i++)
        host[i] = i % 64 == 63 ? '.' : 'a';
    memset(&request, 0, sizeof request);
    request.count = CVG_V2_TARGETS_MAX;
    for (size_t i = 0; i < request.count; i++)
        assert_int_equal(
            cvg_endpoint_set(host, sizeof host - 1, 443, &request.target[i].endpoint, NULL),
            CVG_OK);
    cvg_buffer_init(&buffer, CVG_V2_REQUEST_MAX);
    assert_int_equal(cvg_v2_request_write(&request, &buffer), CVG_OK);
    assert_int_equal(request_error(buffer.data, buffer.len), CVG_OK);
    assert_int_equal(request_error(buffer.data, CVG_V2_REQUEST_MAX + 1), CVG_ERR_RANGE);
    cvg_buffer_clear(&buffer);
    request.count++;
    assert_int_equal(cvg_v2_request_write(&request, &buffer), CVG_ERR_ARGUMENT);
    request.count = 0;
    assert_int_equal(cvg_v2_request_write(&request, &buffer), CVG_ERR_ARGUMENT);
    request.count = 1;
    strcpy(request.target[0].endpoint.host, "A.example");
    assert_int_equal(cvg_v2_request_write(&request, &buffer), CVG_ERR_ARGUMENT);
    request.target[0].endpoint.host[0] = '\0';
    assert_int_equal(cvg_v2_request_write(&request, &buffer), CVG_ERR_ARGUMENT);
    assert_int_equal(buffer.len, 0);
    cvg_buffer_free(&buffer);
}

static void statement_domain_and_version(void **state)
{
    struct vector v;

    (void)state;
    vector_hex("v2-seen", &v);
    for (size_t i = 0; i < AT_VERSION; i++) {
        v.octets[i] ^= 0x20;
        assert_int_equal(statement_error(v.octets, v.len), CVG_ERR_SYNTAX);
        v.octets[i] ^= 0x20;
    }
    for (unsigned version = 0; version < 256; version++) {
        v.octets[AT_VERSION] = (uint8_t)version;
        assert_int_equal(statement_error(v.octets, v.len), version == 2 ? CVG_OK : CVG_ERR_VERSION);
    }
}

static void statement_status_and_records_agree(void **state)
{
    struct vector v;

    (void)state;
    vector_hex("v2-seen", &v);
    for (unsigned status = 0; status < 256; status++) {
        bool known = status >= CVG_V2_SEEN && status <= CVG_V2_UNREACHABLE;

        v.octets[AT_STATUS] = (uint8_t)status;
        v.octets[AT_RECORD] = 1; /* the first record is current */
        assert_int_equal(statement_error(v.octets, v.len),
                         status == CVG_V2_SEEN ? CVG_OK : CVG_ERR_PROTOCOL);
        v.octets[AT_RECORD] = 0;
        assert_int_equal(statement_error(v.octets, v.len),
                         known && status != CVG_V2_SEEN ? CVG_OK : CVG_ERR_PROTOCOL);
    }
    vector_hex("v2-unreachable", &v);
    v.octets[AT_STATUS - 1] = CVG_V2_SEEN; /* its host has 11 octets */
    assert_int_equal(statement_error(v.octets, v.len), CVG_ERR_PROTOCOL);
}

static void statement_room_for_later(void **state)
{
    struct cvg_v2_statement statement;
    struct vector v;

    (void)state;
    vector_hex("v2-seen", &v);
    v.octets[AT_RECORD] = 0xff;    /* unknown flags */
    v.octets[AT_RECORD + 1] = 200; /* an unknown key type */
    v.octets[AT_HINT] = 255;
    assert_int_equal(cvg_v2_statement_parse(v.octets, v.len, &statement, NULL), CVG_OK);
    assert_true(statement.record[0].current);
    assert_int_equal(statement.record[0].leaf.key_type, CVG_KEY_OTHER);
    assert_int_equal(statement.hint, 255);
    v.octets[AT_RECORD] = 0xfe;
    assert_int_equal(statement_error(v.octets, v.len), CVG_ERR_PROTOCOL);
}

static void statement_times_and_counts(void **state)
{
    struct vector v;

    (void)state;
    vector_hex("v2-seen", &v);
    v.octets[AT_OBSERVED] = 0x80;
    assert_int_equal(statement_error(v.octets, v.len), CVG_ERR_RANGE);
    v.octets[AT_OBSERVED] = 0;
    v.octets[AT_RECORD + RECORD_LEN - 8] = 0xff; /* last seen */
    assert_int_equal(statement_error(v.octets, v.len), CVG_ERR_RANGE);
    vector_hex("v2-seen", &v);
    for (unsigned count = 0; count < 256; count++) {
        v.octets[AT_COUNT] = (uint8_t)count;
        assert_int_equal(statement_error(v.octets, v.len) == CVG_OK, count == 2);
    }
    v.octets[AT_COUNT] = CVG_V2_RECORDS_MAX + 1;
    assert_int_equal(statement_error(v.octets, v.len), CVG_ERR_RANGE);
}

static void statement_extensions_malformed(void **state)
{
    struct vector v;
    size_t at;

    (void)state;
    vector_hex("v2-not-public", &v);
    at = v.len - 7; /* type, length, "abc" */
    for (unsigned len = 0; len < 256; len++) {
        v.octets[at + 3] = (uint8_t)len;
        /* An extension of fewer octets leaves some over that are no extension. */
        assert_int_equal(statement_error(v.octets, v.len) == CVG_OK, len == 3);
    }
    v.octets[at + 3] = 3;
    v.octets[at - 1] = 6; /* all extensions' length */
    assert_int_equal(statement_error(v.octets, v.len), CVG_ERR_SYNTAX);
}

static struct cvg_v2_statement statement_made(size_t count)
{
    struct cvg_v2_statement s;

    memset(&s, 0, sizeof s);
    memcpy(s.key_id, cvg_signing_key_id(signer), sizeof s.key_id);
    assert_int_equal(cvg_endpoint_parse("site.example", 443, &s.endpoint, NULL), CVG_OK);
    s.status = count > 0 ? CVG_V2_SEEN : CVG_V2_ASIDE;
    s.count = count;
    for (size_t i = 0; i < count && i < CVG_V2_RECORDS_MAX; i++)
        s.record[i].current = true;
    return s;
}

static void largest_statement(void **state)
{
    struct cvg_v2_statement s = statement_made(CVG_V2_RECORDS_MAX);
    struct cvg_buffer buffer;

    (void)state;
    cvg_buffer_init(&buffer, CVG_V2_STATEMENT_MAX);
    assert_int_equal(cvg_v2_statement_write(&s, &buffer), CVG_OK);
    assert_int_equal(statement_error(buffer.data, buffer.len), CVG_OK);
    cvg_buffer_free(&buffer);
}

static void nobody_writes_what_nobody_takes(void **state)
{
    struct cvg_v2_statement s;
    struct cvg_buffer buffer;

    (void)state;
    cvg_buffer_init(&buffer, CVG_V2_STATEMENT_MAX);
#define REFUSED(change)                                                                            \
    do {                                                                                           \
        s = statement_made(1);                                                                     \
        change;                                                                                    \
        assert_int_equal(cvg_v2_statement_write(&s, &buffer), CVG_ERR_ARGUMENT);                   \
        assert_int_equal(buffer.len, 0);                                                           \
    } while (0)
    REFUSED(s.status = (enum cvg_v2_status)0);
    REFUSED(s.status = (enum cvg_v2_status)5);
    REFUSED(s.status = CVG_V2_ASIDE);
    REFUSED(s.count = 0);
    REFUSED(s.count = CVG_V2_RECORDS_MAX + 1);
    REFUSED(s.record[0].current = false);
    REFUSED(s.record[0].first_s = -1);
    REFUSED(s.record[0].last_s = -1);
    REFUSED(s.observed_s = -1);
    REFUSED(s.endpoint.port = 0);
    REFUSED(strcpy(s.endpoint.host, "SITE.example"));
    REFUSED(s.endpoint.host[0] = '\0');
#undef REFUSED
    assert_int_equal(cvg_v2_answer_begin(0, &buffer), CVG_ERR_ARGUMENT);
    assert_int_equal(cvg_v2_answer_begin(CVG_V2_TARGETS_MAX + 1, &buffer), CVG_ERR_ARGUMENT);
    assert_int_equal(cvg_v2_answer_item("s", 1, "", 0, &buffer), CVG_ERR_ARGUMENT);
    assert_int_equal(cvg_v2_answer_item("", 0, "s", 1, &buffer), CVG_ERR_ARGUMENT);
    assert_int_equal(buffer.len, 0);
    cvg_buffer_free(&buffer);
}

static void answer_counts_and_limits(void **state)
{
    static uint8_t large[CVG_V2_ANSWER_MAX + 1];
    struct vector v;

    (void)state;
    vector_hex("v2-answer", &v);
    for (unsigned count = 0; count < 256; count++) {
        v.octets[1] = (uint8_t)count;
        assert_int_equal(answer_error(v.octets, v.len) == CVG_OK, count == 2);
    }
    vector_hex("v2-answer", &v);
    v.octets[0] = 1;
    assert_int_equal(answer_error(v.octets, v.len), CVG_ERR_VERSION);
    assert_int_equal(answer_error(large, sizeof large), CVG_ERR_RANGE);
    memcpy(large, "\2\1\0\0\0\1x", 7); /* a statement of no octets */
    assert_int_equal(answer_error(large, 7), CVG_ERR_RANGE);
    memcpy(large, "\2\1\0\1x\0\0", 7); /* a signature of no octets */
    assert_int_equal(answer_error(large, 7), CVG_ERR_RANGE);
    memset(large, 1, 1024);
    memcpy(large, "\2\1\0\1x\2\1", 7); /* a signature of 513 */
    assert_int_equal(answer_error(large, 7 + 513), CVG_ERR_RANGE);
    memcpy(large, "\2\1\x40\1", 4); /* a statement of 16,385 */
    memcpy(large + 4 + 16385, "\0\1x", 3);
    assert_int_equal(answer_error(large, 4 + 16385 + 3), CVG_ERR_RANGE);
}

static void version_1_answer_is_none_of_version_2(void **state)
{
    struct cvg_v1_answer answer;
    struct vector v1, v2;

    (void)state;
    vector_text("protocol.md", "text", "v1-answer", &v1);
    vector_hex("v2-answer", &v2);
    assert_int_equal(answer_error(v1.octets, v1.len), CVG_ERR_VERSION);
    assert_int_equal(cvg_v1_answer_parse((char *)v2.octets, v2.len, &answer, NULL), CVG_ERR_SYNTAX);
}

/* A signed statement, and what it takes to believe it. */
struct proof {
    struct cvg_buffer statement, signature;
    struct cvg_endpoint asked;
};

static struct proof proof_made(void)
{
    struct cvg_v2_statement s = statement_made(2);
    struct proof proof;

    proof.asked = s.endpoint;
    cvg_buffer_init(&proof.statement, CVG_V2_STATEMENT_MAX);
    cvg_buffer_init(&proof.signature, CVG_V2_SIGNATURE_MAX);
    assert_int_equal(cvg_v2_statement_write(&s, &proof.statement), CVG_OK);
    assert_int_equal(cvg_sign(signer, proof.statement.data, proof.statement.len, &proof.signature),
                     CVG_OK);
    return proof;
}

static void proof_free(struct proof *proof)
{
    cvg_buffer_free(&proof->statement);
    cvg_buffer_free(&proof->signature);
}

static enum cvg_error believed(const struct proof *proof, struct cvg_verify_key *const *key,
                               size_t count, const char *host, unsigned port, uint8_t hint)
{
    static struct cvg_v2_statement statement, untouched;
    struct cvg_v2_signed item = {proof->statement.data, proof->statement.len, proof->signature.data,
                                 proof->signature.len};
    struct cvg_endpoint asked;
    struct cvg_why why = {""};
    enum cvg_error err;

    assert_int_equal(cvg_endpoint_parse(host, port, &asked, NULL), CVG_OK);
    memset(&statement, 0xa5, sizeof statement);
    memset(&untouched, 0xa5, sizeof untouched);
    err = cvg_v2_statement_verify(&item, key, count, &asked, hint, &statement, &why);
    if (err != CVG_OK) {
        assert_memory_equal(&statement, &untouched, sizeof statement);
        assert_true(why.text[0] != '\0');
    }
    return err;
}

static void signed_for_exactly_this_target(void **state)
{
    struct cvg_verify_key *both[2] = {p256, ed25519};
    struct proof proof = proof_made();

    (void)state;
    assert_int_equal(believed(&proof, both, 2, "site.example", 443, 0), CVG_OK);
    assert_int_equal(believed(&proof, &ed25519, 1, "site.example", 443, 0), CVG_OK);
    assert_int_equal(believed(&proof, both, 2, "other.example", 443, 0), CVG_ERR_PROTOCOL);
    assert_int_equal(believed(&proof, both, 2, "site.example.com", 443, 0), CVG_ERR_PROTOCOL);
    assert_int_equal(believed(&proof, both, 2, "site.example", 444, 0), CVG_ERR_PROTOCOL);
    assert_int_equal(believed(&proof, both, 2, "site.example", 443, 2), CVG_ERR_PROTOCOL);
    assert_int_equal(believed(&proof, &p256, 1, "site.example", 443, 0), CVG_ERR_SIGNATURE);
    assert_int_equal(believed(&proof, NULL, 0, "site.example", 443, 0), CVG_ERR_SIGNATURE);
    proof_free(&proof);
}

/* Naming another of the bundle's keys does not make it that key's statement. */
static void key_named_is_key_used(void **state)
{
    struct cvg_verify_key *both[2] = {p256, ed25519};
    struct proof proof = proof_made();

    (void)state;
    memcpy(proof.statement.data + AT_KEY, cvg_verify_key_id(p256), CVG_SHA256_LEN);
    assert_int_equal(cvg_sign(signer, proof.statement.data, proof.statement.len, &proof.signature),
                     CVG_OK);
    assert_int_equal(believed(&proof, both, 2, "site.example", 443, 0), CVG_ERR_SIGNATURE);
    proof_free(&proof);
}

static void one_bit_flipped_anywhere(void **state)
{
    struct proof proof = proof_made();

    (void)state;
    for (size_t i = 0; i < proof.statement.len; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            proof.statement.data[i] ^= (uint8_t)(1U << bit);
            assert_int_not_equal(believed(&proof, &ed25519, 1, "site.example", 443, 0), CVG_OK);
            proof.statement.data[i] ^= (uint8_t)(1U << bit);
        }
    for (size_t i = 0; i < proof.signature.len; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            proof.signature.data[i] ^= (uint8_t)(1U << bit);
            assert_int_equal(believed(&proof, &ed25519, 1, "site.example", 443, 0),
                             CVG_ERR_SIGNATURE);
            proof.signature.data[i] ^= (uint8_t)(1U << bit);
        }
    proof_free(&proof);
}

static void signature_cut_or_grown(void **state)
{
    struct proof proof = proof_made();
    size_t len = proof.signature.len;

    (void)state;
    for (proof.signature.len = 0; proof.signature.len <= len; proof.signature.len++)
        assert_int_equal(believed(&proof, &ed25519, 1, "site.example", 443, 0),
                         proof.signature.len == len ? CVG_OK : CVG_ERR_SIGNATURE);
    proof_free(&proof);
}

static int read_keys(void **state)
{
    struct vector v;

    (void)state;
    vector_hex("ed25519-spki", &v);
    assert_int_equal(cvg_verify_key_parse(v.octets, v.len, &ed25519, NULL), CVG_OK);
    vector_hex("p256-spki", &v);
    assert_int_equal(cvg_verify_key_parse(v.octets, v.len, &p256, NULL), CVG_OK);
    vector_text("protocol.md", "text", "ed25519-key", &v);
    assert_int_equal(cvg_signing_key_parse((char *)v.octets, v.len, &signer, NULL), CVG_OK);
    return 0;
}

static int free_keys(void **state)
{
    (void)state;
    cvg_verify_key_free(ed25519);
    cvg_verify_key_free(p256);
    cvg_signing_key_free(signer);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(truncated_at_every_length),
        cmocka_unit_test(request_rewritten_is_the_same),
        cmocka_unit_test(request_counts_and_versions),
        cmocka_unit_test(request_hosts_and_ports),
        cmocka_unit_test(largest_request),
        cmocka_unit_test(statement_domain_and_version),
        cmocka_unit_test(statement_status_and_records_agree),
        cmocka_unit_test(statement_room_for_later),
        cmocka_unit_test(statement_times_and_counts),
        cmocka_unit_test(statement_extensions_malformed),
        cmocka_unit_test(largest_statement),
        cmocka_unit_test(nobody_writes_what_nobody_takes),
        cmocka_unit_test(answer_counts_and_limits),
        cmocka_unit_test(version_1_answer_is_none_of_version_2),
        cmocka_unit_test(signed_for_exactly_this_target),
        cmocka_unit_test(key_named_is_key_used),
        cmocka_unit_test(one_bit_flipped_anywhere),
        cmocka_unit_test(signature_cut_or_grown),
    };

    return cmocka_run_group_tests_name("v2", tests, read_keys, free_keys);
}
