/* SPDX-License-Identifier: MIT */
/* One notary's answer becomes one vote: what says yes, what says no, and that everything that is
 * not a complete, authentic answer to just this question is silent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/engine/answer.h"
#include "common/protocol/v2.h"
#include "tests/common/protocol/bundle-maker.h"

static struct {
    struct cvg_signing_key *key, *stranger;
    struct cvg_bundle *v1, *v2;
    struct cvg_subject subject;
} with;

static struct cvg_bundle *bundle_of(char *file)
{
    struct cvg_bundle *bundle = NULL;

    assert_int_equal(cvg_bundle_parse(file, strlen(file), &bundle, NULL), CVG_OK);
    free(file);
    return bundle;
}

static int set_up(void **state)
{
    char *certificate = maker_certificate("notary", 0), *text;
    const struct cvg_signing_key *keys[1];

    (void)state;
    with.key = maker_key();
    with.stranger = maker_key();
    keys[0] = with.key;
    text = maker_text("alpha", 1, certificate, keys, 1, "");
    with.v2 = bundle_of(maker_sign(text, with.key));
    with.v1 = bundle_of(maker_version_1("beta", certificate));
    free(text);
    free(certificate);
    memset(&with.subject, 0, sizeof with.subject);
    with.subject.have_leaf = true;
    memset(with.subject.leaf.sha256, 0xaa, CVG_SHA256_LEN);
    memset(with.subject.leaf.sha1, 0xaa, CVG_SHA1_LEN);
    memset(with.subject.leaf.spki_sha256, 0xaa, CVG_SHA256_LEN);
    with.subject.fingerprint.len = CVG_SHA256_LEN;
    memset(with.subject.fingerprint.bytes, 0xaa, CVG_SHA256_LEN);
    return cvg_endpoint_parse("site.example.com:8443", 443, &with.subject.endpoint, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    cvg_signing_key_free(with.key);
    cvg_signing_key_free(with.stranger);
    cvg_bundle_free(with.v1);
    cvg_bundle_free(with.v2);
    return 0;
}

/* A version 1 list of "fingerprint octet, finish" pairs, ended by octet 0. */
static struct cvg_opinion v1_opinion(unsigned status, const unsigned long *pairs)
{
    char json[4096] = "{\"fingerprintList\": [";

    for (size_t i = 0; pairs[i] != 0; i += 2) {
        size_t len = strlen(json);

        len += (size_t)snprintf(json + len, sizeof json - len,
                                "%s{\"timestamp\": {\"start\": \"1\", \"finish\": \"%lu\"}, "
                                "\"fingerprint\": \"%02lX",
                                i > 0 ? "," : "", pairs[i + 1], pairs[i]);
        for (size_t k = 1; k < CVG_SHA1_LEN; k++)
            len += (size_t)snprintf(json + len, sizeof json - len, ":%02lX", pairs[i]);
        snprintf(json + len, sizeof json - len, "\"}");
    }
    strcat(json, "], \"signature\": \"AAAA\"}");
    return cvg_opinion_of(with.v1, &with.subject, CVG_OK, status, json, strlen(json));
}

#define V1(status, ...) v1_opinion(status, (const unsigned long[]){__VA_ARGS__, 0})

static void version_1_says_yes_for_what_is_listed_as_current(void **state)
{
    (void)state;
    assert_int_equal(V1(200, 0xaa, 1000000).kind, CVG_VOTE_YES);
    assert_int_equal(V1(202, 0xaa, 1000000).kind, CVG_VOTE_YES);
    assert_int_equal(V1(200, 0xbb, 1000000).kind, CVG_VOTE_NO);
    assert_int_equal(V1(409, 0xaa, 1000000).kind, CVG_VOTE_NO);
    /* Two certificates of one site, and one that was there yesterday. */
    assert_int_equal(V1(200, 0xbb, 1086400, 0xaa, 1000000).kind, CVG_VOTE_YES);
    assert_int_equal(V1(200, 0xbb, 1086401, 0xaa, 1000000).kind, CVG_VOTE_NO);
}

static void version_1_aside_and_failures(void **state)
{
    static const char *const junk[] = {"",
                                       "x",
                                       "[]",
                                       "{}",
                                       "{\"fingerprintList\": 7}",
                                       "{\"fingerprintList\": []}",
                                       "{\"fingerprintList\": [], \"fingerprintList\": []}",
                                       "{\"fingerprintList\": [[[[[[[[[[[[]]]]]]]]]]]]}"};

    (void)state;
    assert_int_equal(V1(303, 0xaa, 1).kind, CVG_VOTE_ASIDE);
    assert_int_equal(V1(503, 0xaa, 1).kind, CVG_VOTE_SILENT);
    assert_int_equal(V1(503, 0xaa, 1).error, CVG_ERR_REFUSED);
    assert_int_equal(V1(429, 0xaa, 1).error, CVG_ERR_BUSY);
    assert_int_equal(V1(400, 0xaa, 1).kind, CVG_VOTE_SILENT);
    assert_int_equal(V1(201, 0xaa, 1).kind, CVG_VOTE_SILENT);
    for (size_t i = 0; i < sizeof junk / sizeof junk[0]; i++)
        assert_int_equal(
            cvg_opinion_of(with.v1, &with.subject, CVG_OK, 200, junk[i], strlen(junk[i])).kind,
            CVG_VOTE_SILENT);
}

struct said {
    enum cvg_v2_status status;
    uint8_t octet; /* of all digests of the record; 0: no record */
    bool current;
    uint8_t spki;
};

/* Goes with what is said of a record; a verifier of 0 says nothing. */
static struct cvg_v2_opinions beside;

/* The octets of a signed answer. */
static struct cvg_buffer v2_answer(const struct said *said, const struct cvg_endpoint *about,
                                   struct cvg_signing_key *key)
{
    struct cvg_v2_statement *statement = calloc(1, sizeof *statement);
    struct cvg_buffer octets, signature, answer;

    assert_non_null(statement);
    statement->endpoint = *about;
    statement->status = said->status;
    statement->observed_s = said->status == CVG_V2_SEEN ? 1000000 : 0;
    memcpy(statement->key_id, cvg_signing_key_id(key), CVG_SHA256_LEN);
    if (said->octet != 0) {
        struct cvg_v2_record *record = &statement->record[0];

        memset(record->leaf.sha256, said->octet, CVG_SHA256_LEN);
        memset(record->leaf.sha1, said->octet, CVG_SHA1_LEN);
        memset(record->leaf.spki_sha256, said->spki, CVG_SHA256_LEN);
        record->current = said->current;
        record->first_s = record->last_s = 1000000;
        statement->count = 1;
    }
    statement->opinions[0] = beside;
    statement->opinions_count = beside.verifier != 0;
    cvg_buffer_init(&octets, CVG_V2_STATEMENT_MAX);
    cvg_buffer_init(&signature, CVG_SIGNATURE_MAX);
    cvg_buffer_init(&answer, CVG_V2_ANSWER_MAX);
    assert_int_equal(cvg_v2_statement_write(statement, &octets), CVG_OK);
    assert_int_equal(cvg_sign(key, octets.data, octets.len, &signature), CVG_OK);
    assert_int_equal(cvg_v2_answer_begin(1, &answer), CVG_OK);
    assert_int_equal(
        cvg_v2_answer_item(octets.data, octets.len, signature.data, signature.len, &answer),
        CVG_OK);
    cvg_buffer_free(&octets);
    cvg_buffer_free(&signature);
    free(statement);
    return answer;
}

static struct cvg_opinion v2_opinion(const struct said *said, const struct cvg_endpoint *about,
                                     struct cvg_signing_key *key)
{
    struct cvg_buffer answer = v2_answer(said, about, key);
    struct cvg_opinion opinion =
        cvg_opinion_of(with.v2, &with.subject, CVG_OK, 200, answer.data, answer.len);

    cvg_buffer_free(&answer);
    return opinion;
}

#define V2(...) v2_opinion(&(const struct said){__VA_ARGS__}, &with.subject.endpoint, with.key)

static void version_2_says_what_is_current(void **state)
{
    struct cvg_opinion opinion;

    (void)state;
    assert_int_equal(V2(CVG_V2_SEEN, 0xaa, true, 0xaa).kind, CVG_VOTE_YES);
    assert_int_equal(V2(CVG_V2_SEEN, 0xbb, true, 0xbb).kind, CVG_VOTE_NO);
    /* History is told where the site cannot be reached, and is no observation. */
    assert_int_equal(V2(CVG_V2_UNREACHABLE, 0xaa, false, 0xaa).kind, CVG_VOTE_SILENT);
    assert_int_equal(V2(CVG_V2_ASIDE, 0, false, 0).kind, CVG_VOTE_ASIDE);
    assert_false(V2(CVG_V2_ASIDE, 0, false, 0).not_public);
    assert_true(V2(CVG_V2_NOT_PUBLIC, 0, false, 0).not_public);
    opinion = V2(CVG_V2_UNREACHABLE, 0, false, 0);
    assert_int_equal(opinion.kind, CVG_VOTE_SILENT);
    assert_int_equal(opinion.error, CVG_ERR_REFUSED);
}

static void a_key_matches_only_where_keys_are_compared(void **state)
{
    (void)state;
    assert_int_equal(V2(CVG_V2_SEEN, 0xbb, true, 0xaa).kind, CVG_VOTE_NO);
    with.subject.match = CVG_MATCH_PUBLIC_KEY;
    assert_int_equal(V2(CVG_V2_SEEN, 0xbb, true, 0xaa).kind, CVG_VOTE_YES);
    with.subject.have_leaf = false;
    assert_int_equal(V2(CVG_V2_SEEN, 0xbb, true, 0xaa).kind, CVG_VOTE_NO);
}

static void what_another_signed_or_said_of_another_is_silent(void **state)
{
    const struct said yes = {CVG_V2_SEEN, 0xaa, true, 0xaa};
    struct cvg_endpoint other = with.subject.endpoint;

    (void)state;
    assert_int_equal(v2_opinion(&yes, &with.subject.endpoint, with.stranger).kind, CVG_VOTE_SILENT);
    other.port = 443;
    assert_int_equal(v2_opinion(&yes, &other, with.key).kind, CVG_VOTE_SILENT);
    assert_int_equal(cvg_endpoint_parse("site.example.org:8443", 443, &other, NULL), CVG_OK);
    assert_int_equal(v2_opinion(&yes, &other, with.key).kind, CVG_VOTE_SILENT);
}

static void no_cut_and_no_changed_octet_says_yes(void **state)
{
    const struct said no = {CVG_V2_UNREACHABLE, 0xaa, false, 0xaa};
    const struct said yes = {CVG_V2_SEEN, 0xaa, true, 0xaa};
    struct cvg_buffer answer = v2_answer(&no, &with.subject.endpoint, with.key);

    (void)state;
    for (size_t i = 0; i < answer.len; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            answer.data[i] ^= (uint8_t)(1U << bit);
            assert_int_not_equal(
                cvg_opinion_of(with.v2, &with.subject, CVG_OK, 200, answer.data, answer.len).kind,
                CVG_VOTE_YES);
            answer.data[i] ^= (uint8_t)(1U << bit);
        }
    cvg_buffer_free(&answer);
    answer = v2_answer(&yes, &with.subject.endpoint, with.key);
    for (size_t len = 0; len < answer.len; len++)
        assert_int_equal(cvg_opinion_of(with.v2, &with.subject, CVG_OK, 200, answer.data, len).kind,
                         CVG_VOTE_SILENT);
    cvg_buffer_free(&answer);
}

static void the_bundle_fixes_the_protocol(void **state)
{
    const struct said yes = {CVG_V2_SEEN, 0xaa, true, 0xaa};
    struct cvg_buffer answer = v2_answer(&yes, &with.subject.endpoint, with.key);
    static const char v1[] =
        "{\"fingerprintList\": [{\"timestamp\": {\"start\": \"1\", \"finish\": \"2\"}, "
        "\"fingerprint\": \"AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA\"}]}";

    (void)state;
    assert_int_equal(cvg_opinion_of(with.v1, &with.subject, CVG_OK, 200, v1, sizeof v1 - 1).kind,
                     CVG_VOTE_YES);
    assert_int_equal(cvg_opinion_of(with.v2, &with.subject, CVG_OK, 200, v1, sizeof v1 - 1).kind,
                     CVG_VOTE_SILENT);
    assert_int_equal(
        cvg_opinion_of(with.v1, &with.subject, CVG_OK, 200, answer.data, answer.len).kind,
        CVG_VOTE_SILENT);
    assert_int_equal(
        cvg_opinion_of(with.v2, &with.subject, CVG_OK, 202, answer.data, answer.len).kind,
        CVG_VOTE_SILENT);
    assert_int_equal(
        cvg_opinion_of(with.v2, &with.subject, CVG_ERR_PIN, 200, answer.data, answer.len).error,
        CVG_ERR_PIN);
    cvg_buffer_free(&answer);
}

static void version_1_is_not_asked_without_a_sha1(void **state)
{
    (void)state;
    with.subject.have_leaf = false;
    assert_false(cvg_notary_can_answer(with.v1, &with.subject));
    assert_true(cvg_notary_can_answer(with.v2, &with.subject));
    assert_int_equal(V1(200, 0xaa, 1000000).kind, CVG_VOTE_SILENT);
    with.subject.fingerprint.len = CVG_SHA1_LEN;
    assert_true(cvg_notary_can_answer(with.v1, &with.subject));
    assert_int_equal(V1(200, 0xaa, 1000000).kind, CVG_VOTE_YES);
    assert_int_equal(V2(CVG_V2_SEEN, 0xaa, true, 0xbb).kind, CVG_VOTE_YES);
}

/* What the notary's verifiers say is heard, and the vote stays what the current records say. */
static void verifiers_are_told_and_do_not_count(void **state)
{
    static const struct {
        uint8_t verifier;
        enum cvg_v2_opinion opinion;
        enum cvg_sayer sayer;
        enum cvg_said said;
    } rows[] = {
        {CVG_VERIFIER_DANE, CVG_V2_OPINION_YES, CVG_SAYER_DANE, CVG_SAID_YES},
        {CVG_VERIFIER_CT, CVG_V2_OPINION_NO, CVG_SAYER_CT, CVG_SAID_NO},
        {CVG_VERIFIER_PINS, CVG_V2_OPINION_NONE, CVG_SAYER_PINS, CVG_SAID_ASIDE},
        {99, CVG_V2_OPINION_NO, CVG_SAYER_PINS, CVG_SAID_NOTHING}, /* unknown */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cvg_opinion yes, no;

        beside.verifier = rows[i].verifier;
        beside.opinion[0] = (uint8_t)rows[i].opinion;
        yes = V2(CVG_V2_SEEN, 0xaa, true, 0xaa);
        no = V2(CVG_V2_SEEN, 9, true, 9);

        assert_int_equal(yes.kind, CVG_VOTE_YES);
        assert_int_equal(no.kind, CVG_VOTE_NO);
        for (enum cvg_sayer k = 0; k < CVG_SAYERS; k++) {
            assert_int_equal(yes.said[k], k == rows[i].sayer ? rows[i].said : CVG_SAID_NOTHING);
            assert_int_equal(no.said[k], CVG_SAID_NOTHING); /* it is of another certificate */
        }
    }
    memset(&beside, 0, sizeof beside);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(version_1_says_yes_for_what_is_listed_as_current),
        CASE(version_1_aside_and_failures),
        CASE(version_2_says_what_is_current),
        CASE(verifiers_are_told_and_do_not_count),
        CASE(a_key_matches_only_where_keys_are_compared),
        CASE(what_another_signed_or_said_of_another_is_silent),
        CASE(no_cut_and_no_changed_octet_says_yes),
        CASE(the_bundle_fixes_the_protocol),
        CASE(version_1_is_not_asked_without_a_sha1),
    };

    return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
