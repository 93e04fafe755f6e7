/* SPDX-License-Identifier: MIT */
/* doc/protocol.md against the code: every vector is parsed, its fields are what the document says,
 * and written again it is the same octets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/protocol/bundle.h"
#include "common/protocol/message.h"
#include "common/protocol/v1.h"
#include "common/protocol/v2.h"
#include "tests/common/protocol/vectors.h"

#define VECTOR_ID 0x0102030405060708ULL

static struct vector leaf, leaf_sha256, leaf_sha1, leaf_spki;

static void assert_octets(const struct cvg_buffer *buffer, const struct vector *vector)
{
    assert_int_equal(cvg_buffer_error(buffer), CVG_OK);
    assert_int_equal(buffer->len, vector->len);
    assert_memory_equal(buffer->data, vector->octets, vector->len);
}

static struct cvg_verify_key *verify_key(const char *name)
{
    struct cvg_verify_key *key = NULL;
    struct vector spki;

    vector_hex(name, &spki);
    assert_int_equal(cvg_verify_key_parse(spki.octets, spki.len, &key, NULL), CVG_OK);
    return key;
}

static void check_key(const char *pem_name, const char *spki_name, const char *id_name)
{
    struct cvg_verify_key *public_key = verify_key(spki_name);
    struct cvg_signing_key *key = NULL;
    struct vector pem, spki, id;
    struct cvg_buffer der;

    vector_text("protocol.md", "text", pem_name, &pem);
    vector_hex(spki_name, &spki);
    vector_hex(id_name, &id);
    assert_int_equal(cvg_signing_key_parse((char *)pem.octets, pem.len, &key, NULL), CVG_OK);
    cvg_buffer_init(&der, 1024);
    assert_int_equal(cvg_signing_key_public(key, &der), CVG_OK);
    assert_octets(&der, &spki);
    assert_int_equal(id.len, CVG_SHA256_LEN);
    assert_memory_equal(cvg_signing_key_id(key), id.octets, id.len);
    assert_memory_equal(cvg_verify_key_id(public_key), id.octets, id.len);
    cvg_buffer_free(&der);
    cvg_signing_key_free(key);
    cvg_verify_key_free(public_key);
}

static void keys(void **state)
{
    (void)state;
    check_key("ed25519-key", "ed25519-spki", "ed25519-id");
    check_key("p256-key", "p256-spki", "p256-id");
}

static void leaf_digests(void **state)
{
    struct cvg_leaf digests;

    (void)state;
    assert_int_equal(cvg_leaf_of_der(leaf.octets, leaf.len, &digests), CVG_OK);
    assert_memory_equal(digests.sha256, leaf_sha256.octets, CVG_SHA256_LEN);
    assert_memory_equal(digests.sha1, leaf_sha1.octets, CVG_SHA1_LEN);
    assert_memory_equal(digests.spki_sha256, leaf_spki.octets, CVG_SHA256_LEN);
    assert_int_equal(digests.key_type, CVG_KEY_ED25519);
}

static void version_1_request(void **state)
{
    struct vector path, body;
    struct cvg_buffer written_path, written_body;
    struct cvg_endpoint target;
    uint8_t sha1[CVG_SHA1_LEN];

    (void)state;
    vector_text("protocol.md", "text", "v1-path", &path);
    vector_text("protocol.md", "text", "v1-body", &body);
    assert_int_equal(cvg_v1_path_parse((char *)path.octets, path.len, &target, NULL), CVG_OK);
    assert_int_equal(cvg_v1_body_parse((char *)body.octets, body.len, sha1, NULL), CVG_OK);
    assert_string_equal(target.host, "site.example");
    assert_int_equal(target.port, 443);
    assert_memory_equal(sha1, leaf_sha1.octets, sizeof sha1);
    cvg_buffer_init(&written_path, 1024);
    cvg_buffer_init(&written_body, 1024);
    assert_int_equal(cvg_v1_request_write(&target, sha1, &written_path, &written_body), CVG_OK);
    assert_octets(&written_path, &path);
    assert_octets(&written_body, &body);
    cvg_buffer_free(&written_path);
    cvg_buffer_free(&written_body);
}

static void version_1_answer(void **state)
{
    struct vector with, without;
    struct cvg_v1_answer answer;
    struct cvg_buffer written;

    (void)state;
    vector_text("protocol.md", "text", "v1-answer", &with);
    vector_text("protocol.md", "text", "v1-signed", &without);
    assert_int_equal(cvg_v1_answer_parse((char *)with.octets, with.len, &answer, NULL), CVG_OK);
    assert_int_equal(answer.count, 1);
    assert_int_equal(answer.record[0].start_s, 1321110000);
    assert_int_equal(answer.record[0].finish_s, 1321196400);
    assert_memory_equal(answer.record[0].sha1, leaf_sha1.octets, CVG_SHA1_LEN);
    cvg_buffer_init(&written, CVG_V1_ANSWER_MAX);
    assert_int_equal(cvg_v1_answer_write(answer.record, 1, "c2lnbmF0dXJl", &written), CVG_OK);
    assert_octets(&written, &with);
    cvg_buffer_clear(&written);
    assert_int_equal(cvg_v1_answer_write(answer.record, 1, NULL, &written), CVG_OK);
    assert_octets(&written, &without);
    cvg_buffer_free(&written);
}

static void version_2_request(void **state)
{
    struct vector vector;
    struct cvg_v2_request request;
    struct cvg_buffer written;

    (void)state;
    vector_hex("v2-request", &vector);
    assert_int_equal(cvg_v2_request_parse(vector.octets, vector.len, &request, NULL), CVG_OK);
    assert_int_equal(request.count, 2);
    assert_string_equal(request.target[0].endpoint.host, "site.example");
    assert_int_equal(request.target[0].endpoint.port, 443);
    assert_int_equal(request.target[0].hint, CVG_STARTTLS_AUTO);
    assert_memory_equal(request.target[0].leaf_sha256, leaf_sha256.octets, CVG_SHA256_LEN);
    assert_string_equal(request.target[1].endpoint.host, "2001:db8::7");
    assert_int_equal(request.target[1].endpoint.kind, CVG_HOST_IPV6);
    assert_int_equal(request.target[1].endpoint.port, 5432);
    assert_int_equal(request.target[1].hint, CVG_STARTTLS_POSTGRESQL);
    cvg_buffer_init(&written, CVG_V2_REQUEST_MAX);
    assert_int_equal(cvg_v2_request_write(&request, &written), CVG_OK);
    assert_octets(&written, &vector);
    cvg_buffer_free(&written);
}

static void check_seen(const struct cvg_v2_statement *statement)
{
    assert_int_equal(statement->status, CVG_V2_SEEN);
    assert_int_equal(statement->observed_s, 1790003600);
    assert_int_equal(statement->count, 2);
    assert_true(statement->record[0].current);
    assert_memory_equal(statement->record[0].leaf.sha256, leaf_sha256.octets, CVG_SHA256_LEN);
    assert_memory_equal(statement->record[0].leaf.sha1, leaf_sha1.octets, CVG_SHA1_LEN);
    assert_memory_equal(statement->record[0].leaf.spki_sha256, leaf_spki.octets, CVG_SHA256_LEN);
    assert_int_equal(statement->record[0].leaf.key_type, CVG_KEY_ED25519);
    assert_int_equal(statement->record[0].first_s, 1790000000);
    assert_int_equal(statement->record[0].last_s, 1790003600);
    assert_false(statement->record[1].current);
    assert_int_equal(statement->record[1].leaf.key_type, CVG_KEY_RSA);
    assert_int_equal(statement->record[1].leaf.sha1[0], 0x22);
    assert_int_equal(statement->record[1].first_s, 1780000000);
}

static void check_written(const struct cvg_v2_statement *statement, const char *name)
{
    struct vector vector;
    struct cvg_buffer written;

    vector_hex(name, &vector);
    cvg_buffer_init(&written, CVG_V2_STATEMENT_MAX);
    assert_int_equal(cvg_v2_statement_write(statement, &written), CVG_OK);
    assert_octets(&written, &vector);
    cvg_buffer_free(&written);
}

static void version_2_answer(void **state)
{
    struct cvg_verify_key *key[2] = {verify_key("p256-spki"), verify_key("ed25519-spki")};
    struct vector vector, request_vector;
    struct cvg_v2_statement statement;
    struct cvg_v2_request request;
    struct cvg_v2_answer answer;

    (void)state;
    vector_hex("v2-answer", &vector);
    vector_hex("v2-request", &request_vector);
    assert_int_equal(
        cvg_v2_request_parse(request_vector.octets, request_vector.len, &request, NULL), CVG_OK);
    assert_int_equal(cvg_v2_answer_parse(vector.octets, vector.len, &answer, NULL), CVG_OK);
    assert_int_equal(answer.count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct cvg_v2_target *target = &request.target[i];

        assert_int_equal(cvg_v2_statement_verify(&answer.item[i], key, 2, &target->endpoint,
                                                 target->hint, &statement, NULL),
                         CVG_OK);
        check_written(&statement, i == 0 ? "v2-seen" : "v2-unreachable");
        if (i == 0)
            check_seen(&statement);
        else
            assert_int_equal(statement.status, CVG_V2_UNREACHABLE);
    }
    cvg_verify_key_free(key[0]);
    cvg_verify_key_free(key[1]);
}

static void version_2_answer_written(void **state)
{
    struct vector part[4], vector;
    struct cvg_buffer written;

    (void)state;
    vector_hex("v2-seen", &part[0]);
    vector_hex("v2-seen-signature", &part[1]);
    vector_hex("v2-unreachable", &part[2]);
    vector_hex("v2-unreachable-signature", &part[3]);
    vector_hex("v2-answer", &vector);
    cvg_buffer_init(&written, CVG_V2_ANSWER_MAX);
    assert_int_equal(cvg_v2_answer_begin(2, &written), CVG_OK);
    for (size_t i = 0; i < 4; i += 2)
        assert_int_equal(cvg_v2_answer_item(part[i].octets, part[i].len, part[i + 1].octets,
                                            part[i + 1].len, &written),
                         CVG_OK);
    assert_octets(&written, &vector);
    cvg_buffer_free(&written);
}

static void unknown_extension_is_skipped(void **state)
{
    struct cvg_verify_key *key = verify_key("ed25519-spki");
    struct vector octets, signature;
    struct cvg_endpoint asked;
    struct cvg_v2_statement statement;
    struct cvg_v2_signed item;

    (void)state;
    vector_hex("v2-not-public", &octets);
    vector_hex("v2-not-public-signature", &signature);
    item = (struct cvg_v2_signed){octets.octets, octets.len, signature.octets, signature.len};
    assert_int_equal(cvg_endpoint_parse("intern.example", 443, &asked, NULL), CVG_OK);
    assert_int_equal(cvg_v2_statement_verify(&item, &key, 1, &asked, 0, &statement, NULL), CVG_OK);
    assert_int_equal(statement.status, CVG_V2_NOT_PUBLIC);
    assert_int_equal(statement.count, 0);
    cvg_verify_key_free(key);
}

static void opinions_are_the_documents(void **state)
{
    struct cvg_verify_key *key = verify_key("ed25519-spki");
    struct vector octets, signature;
    struct cvg_endpoint asked;
    struct cvg_v2_statement statement;
    struct cvg_v2_signed item;

    (void)state;
    vector_hex("v2-opinions", &octets);
    vector_hex("v2-opinions-signature", &signature);
    item = (struct cvg_v2_signed){octets.octets, octets.len, signature.octets, signature.len};
    assert_int_equal(cvg_endpoint_parse("site.example", 443, &asked, NULL), CVG_OK);
    assert_int_equal(cvg_v2_statement_verify(&item, &key, 1, &asked, 0, &statement, NULL), CVG_OK);
    check_seen(&statement);
    assert_int_equal(statement.opinions_count, 3);
    assert_int_equal(statement.opinions[0].verifier, CVG_VERIFIER_DANE);
    assert_int_equal(statement.opinions[0].checked_s, 1790003600);
    assert_int_equal(statement.opinions[0].opinion[0], CVG_V2_OPINION_YES);
    assert_int_equal(statement.opinions[0].opinion[1], CVG_V2_OPINION_NONE);
    assert_int_equal(statement.opinions[1].verifier, CVG_VERIFIER_CT);
    assert_int_equal(statement.opinions[1].opinion[0], CVG_V2_OPINION_NONE);
    assert_int_equal(statement.opinions[2].verifier, 0x63);
    assert_int_equal(statement.opinions[2].checked_s, 1790000000);
    assert_int_equal(statement.opinions[2].opinion[0], CVG_V2_OPINION_NO);
    assert_int_equal(statement.opinions[2].opinion[1], CVG_V2_OPINION_YES);
    check_written(&statement, "v2-opinions");
    cvg_verify_key_free(key);
}

static void ed25519_signature_is_the_documents(void **state)
{
    struct cvg_signing_key *key = NULL;
    struct vector pem, octets, signature;
    struct cvg_buffer written;

    (void)state;
    vector_text("protocol.md", "text", "ed25519-key", &pem);
    vector_hex("v2-seen", &octets);
    vector_hex("v2-seen-signature", &signature);
    assert_int_equal(cvg_signing_key_parse((char *)pem.octets, pem.len, &key, NULL), CVG_OK);
    cvg_buffer_init(&written, CVG_SIGNATURE_MAX);
    assert_int_equal(cvg_sign(key, octets.octets, octets.len, &written), CVG_OK);
    assert_octets(&written, &signature);
    cvg_buffer_free(&written);
    cvg_signing_key_free(key);
}

static void check_question_written(const struct cvg_question *question, const struct vector *vector)
{
    struct cvg_buffer written;

    cvg_buffer_init(&written, CVG_MESSAGE_MAX);
    assert_int_equal(cvg_question_write(question, &written), CVG_OK);
    assert_octets(&written, vector);
    cvg_buffer_free(&written);
}

static void question_with_fingerprint(void **state)
{
    struct vector vector;
    struct cvg_question q;

    (void)state;
    vector_hex("check-fingerprint", &vector);
    assert_int_equal(cvg_question_parse(vector.octets, vector.len, &q, NULL), CVG_OK);
    assert_true(q.id == VECTOR_ID);
    assert_true(q.have_name);
    assert_false(q.have_anchor);
    assert_string_equal(q.host, "site.example");
    assert_int_equal(q.host_found, CVG_FOUND_GIVEN);
    assert_int_equal(q.port_count, 1);
    assert_int_equal(q.port[0], 443);
    assert_int_equal(q.peer_family, 0);
    assert_int_equal(q.pki, CVG_PKI_OK);
    assert_int_equal(q.timeout_ms, 2000);
    assert_string_equal(q.program, "check");
    assert_int_equal(q.fingerprint.len, CVG_SHA1_LEN);
    assert_memory_equal(q.fingerprint.bytes, leaf_sha1.octets, CVG_SHA1_LEN);
    assert_null(q.leaf);
    check_question_written(&q, &vector);
}

static void question_with_leaf(void **state)
{
    static const uint8_t peer[4] = {192, 0, 2, 7};
    struct vector vector;
    struct cvg_question q;

    (void)state;
    vector_hex("check-leaf", &vector);
    assert_int_equal(cvg_question_parse(vector.octets, vector.len, &q, NULL), CVG_OK);
    assert_int_equal(q.host_found, CVG_FOUND_SNI);
    assert_int_equal(q.port_count, 2);
    assert_int_equal(q.port[1], 8443);
    assert_int_equal(q.port_found, CVG_FOUND_SEVERAL);
    assert_int_equal(q.peer_family, 4);
    assert_memory_equal(q.peer_address, peer, sizeof peer);
    assert_int_equal(q.pki, CVG_PKI_TRUST_ERROR);
    assert_int_equal(q.pki_error, 18);
    assert_true(q.have_anchor);
    assert_int_equal(q.anchor_sha256[31], 0x44);
    assert_int_equal(q.timeout_ms, 1500);
    assert_string_equal(q.program, "curl");
    assert_int_equal(q.leaf_len, leaf.len);
    assert_memory_equal(q.leaf, leaf.octets, leaf.len);
    assert_int_equal(q.fingerprint.len, 0);
    check_question_written(&q, &vector);
}

static void verdict(void **state)
{
    struct vector vector;
    struct cvg_answer a;
    struct cvg_buffer written;

    (void)state;
    vector_hex("verdict", &vector);
    assert_int_equal(cvg_answer_parse(vector.octets, vector.len, VECTOR_ID, &a, NULL), CVG_OK);
    assert_int_equal(a.verdict, CVG_VERDICT_AGREE);
    assert_int_equal(a.action, CVG_ACTION_ACCEPT);
    assert_int_equal(a.reason, CVG_REASON_VOTE);
    assert_int_equal(a.port, 443);
    assert_int_equal(a.elapsed_ms, 12);
    assert_string_equal(a.text, "2 of 2 notaries see this certificate.");
    assert_int_equal(a.vote_count, 2);
    assert_string_equal(a.vote[0].notary, "alpha");
    assert_int_equal(a.vote[0].kind, CVG_VOTE_YES);
    assert_int_equal(a.vote[0].elapsed_ms, 11);
    assert_string_equal(a.vote[1].notary, "beta");
    assert_int_equal(a.vote[1].kind, CVG_VOTE_SILENT);
    assert_int_equal(a.vote[1].error, CVG_ERR_TIMEOUT);
    assert_true(a.vote[1].bounced);
    cvg_buffer_init(&written, CVG_MESSAGE_MAX);
    assert_int_equal(cvg_answer_write(&a, &written), CVG_OK);
    assert_octets(&written, &vector);
    cvg_buffer_free(&written);
}

static void check_command(const char *name, enum cvg_message_type type, bool expected_more,
                          const char *expected_json)
{
    struct vector vector;
    struct cvg_buffer written;
    const char *json = NULL;
    size_t len = 0;
    uint64_t id = 0;
    bool more = !expected_more;

    vector_hex(name, &vector);
    assert_int_equal(cvg_command_parse(vector.octets, vector.len, type, &id, &more, &json, &len),
                     CVG_OK);
    assert_true(id == VECTOR_ID);
    assert_int_equal(more, expected_more);
    assert_int_equal(len, strlen(expected_json));
    assert_memory_equal(json, expected_json, len);
    cvg_buffer_init(&written, CVG_MESSAGE_MAX);
    assert_int_equal(cvg_command_write(type, id, more, json, len, &written), CVG_OK);
    assert_octets(&written, &vector);
    cvg_buffer_free(&written);
}

static void command_and_reply(void **state)
{
    (void)state;
    check_command("command", CVG_MESSAGE_COMMAND, false, "{\"command\": \"status\"}");
    check_command("reply", CVG_MESSAGE_REPLY, true, "{\"ok\": true}");
}

static void bundle_of_version_2(void **state)
{
    struct vector file, id;
    struct cvg_bundle *bundle = NULL;

    (void)state;
    vector_text("bundle.md", "json", "bundle-v2", &file);
    vector_hex("ed25519-id", &id);
    assert_int_equal(cvg_bundle_parse((char *)file.octets, file.len, &bundle, NULL), CVG_OK);
    assert_string_equal(bundle->name, "alpha");
    assert_int_equal(bundle->protocol, 2);
    assert_int_equal(bundle->serial, 1);
    assert_int_equal(bundle->key_count, 1);
    assert_memory_equal(cvg_verify_key_id(bundle->key[0]), id.octets, CVG_SHA256_LEN);
    assert_int_equal(bundle->host_count, 1);
    assert_string_equal(bundle->host[0].host, "notary.alpha.example");
    assert_int_equal(bundle->host[0].address_count, 2);
    assert_int_equal(bundle->host[0].certificate_len, leaf.len);
    assert_memory_equal(bundle->host[0].certificate, leaf.octets, leaf.len);
    cvg_bundle_free(bundle);
}

/* The announcement: an update, by a signature of the bundle before it. */
static void bundle_that_announces(void **state)
{
    struct vector first, next, id;
    struct cvg_bundle *old = NULL, *bundle = NULL;

    (void)state;
    vector_text("bundle.md", "json", "bundle-v2", &first);
    vector_text("bundle.md", "json", "bundle-v2-next", &next);
    vector_hex("p256-id", &id);
    assert_int_equal(cvg_bundle_parse((char *)first.octets, first.len, &old, NULL), CVG_OK);
    assert_null(old->host[0].next_certificate);
    assert_int_equal(cvg_bundle_update(old, (char *)next.octets, next.len, &bundle, NULL), CVG_OK);
    assert_int_equal(bundle->serial, 2);
    assert_int_equal(bundle->key_count, 2);
    assert_memory_equal(cvg_verify_key_id(bundle->key[1]), id.octets, CVG_SHA256_LEN);
    assert_memory_equal(bundle->host[0].certificate, leaf.octets, leaf.len);
    assert_true(bundle->host[0].next_certificate_len > 200);
    cvg_bundle_free(bundle);
    cvg_bundle_free(old);
}

static int read_leaf(void **state)
{
    (void)state;
    vector_hex("leaf", &leaf);
    vector_hex("leaf-sha256", &leaf_sha256);
    vector_hex("leaf-sha1", &leaf_sha1);
    vector_hex("leaf-spki-sha256", &leaf_spki);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys),
        cmocka_unit_test(leaf_digests),
        cmocka_unit_test(version_1_request),
        cmocka_unit_test(version_1_answer),
        cmocka_unit_test(version_2_request),
        cmocka_unit_test(version_2_answer),
        cmocka_unit_test(version_2_answer_written),
        cmocka_unit_test(unknown_extension_is_skipped),
        cmocka_unit_test(opinions_are_the_documents),
        cmocka_unit_test(ed25519_signature_is_the_documents),
        cmocka_unit_test(question_with_fingerprint),
        cmocka_unit_test(question_with_leaf),
        cmocka_unit_test(verdict),
        cmocka_unit_test(command_and_reply),
        cmocka_unit_test(bundle_of_version_2),
        cmocka_unit_test(bundle_that_announces),
    };

    return cmocka_run_group_tests_name("vectors", tests, read_leaf, NULL);
}
