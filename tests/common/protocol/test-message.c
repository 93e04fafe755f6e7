/* SPDX-License-Identifier: MIT */
/* The agent's messages against hostile octets: what is cut short, too long, unknown or not in
 * normal form is refused, results stay untouched, and what is taken has one spelling. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/protocol/message.h"
#include "tests/common/protocol/vectors.h"

#define VECTOR_ID 0x0102030405060708ULL

/* Where the first fields of the CHECK vectors are (a host of 12 octets). */
enum {
    AT_VERSION = 4,
    AT_TYPE = 5,
    AT_ID = 6,
    AT_BODY = 14,
    AT_HOST_LEN = 15,
    AT_HOST = 16,
    AT_HOST_FOUND = 28,
    AT_PORT_COUNT = 29,
    AT_PORT = 30
};

static const uint8_t der[4] = {0x30, 0x02, 0x05, 0x00};

static struct cvg_question question_made(void)
{
    struct cvg_question q;

    memset(&q, 0, sizeof q);
    q.id = 7;
    q.have_name = true;
    strcpy(q.host, "site.example");
    q.host_found = CVG_FOUND_SNI;
    q.port[0] = 443;
    q.port_count = 1;
    q.port_found = CVG_FOUND_FD;
    q.pki = CVG_PKI_OK;
    strcpy(q.program, "curl");
    q.leaf = der;
    q.leaf_len = sizeof der;
    return q;
}

static struct cvg_answer answer_made(void)
{
    struct cvg_answer a;

    memset(&a, 0, sizeof a);
    a.id = 7;
    a.verdict = CVG_VERDICT_DISAGREE;
    a.action = CVG_ACTION_REFUSE;
    a.reason = CVG_REASON_VOTE;
    strcpy(a.text, "no");
    strcpy(a.vote[0].notary, "alpha");
    a.vote[0].kind = CVG_VOTE_NO;
    a.vote_count = 1;
    return a;
}

static enum cvg_error question_error(const uint8_t *data, size_t len)
{
    struct cvg_question q, untouched;
    struct cvg_why why = {""};
    enum cvg_error err;

    memset(&q, 0xa5, sizeof q);
    memset(&untouched, 0xa5, sizeof untouched);
    err = cvg_question_parse(data, len, &q, &why);
    if (err != CVG_OK) {
        assert_memory_equal(&q, &untouched, sizeof q);
        assert_true(why.text[0] != '\0');
    }
    return err;
}

static enum cvg_error answer_error(const uint8_t *data, size_t len, uint64_t id)
{
    static struct cvg_answer a, untouched;
    struct cvg_why why = {""};
    enum cvg_error err;

    memset(&a, 0xa5, sizeof a);
    memset(&untouched, 0xa5, sizeof untouched);
    err = cvg_answer_parse(data, len, id, &a, &why);
    if (err != CVG_OK) {
        assert_memory_equal(&a, &untouched, sizeof a);
        assert_true(why.text[0] != '\0');
    }
    return err;
}

/* The octets end where an allocation ends, so that a sanitizer sees every read past them. */
static enum cvg_error exact(enum cvg_error (*parse)(const uint8_t *, size_t), const uint8_t *data,
                            size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    enum cvg_error err;

    assert_non_null(copy);
    memcpy(copy, data, len);
    err = parse(copy, len);
    free(copy);
    return err;
}

static enum cvg_error vector_answer_error(const uint8_t *data, size_t len)
{
    return answer_error(data, len, VECTOR_ID);
}

static void truncated_at_every_length(void **state)
{
    struct vector v;

    (void)state;
    vector_hex("check-leaf", &v);
    for (size_t len = 0; len < v.len; len++)
        assert_int_not_equal(exact(question_error, v.octets, len), CVG_OK);
    assert_int_equal(exact(question_error, v.octets, v.len), CVG_OK);
    vector_hex("verdict", &v);
    for (size_t len = 0; len < v.len; len++)
        assert_int_not_equal(exact(vector_answer_error, v.octets, len), CVG_OK);
    assert_int_equal(exact(vector_answer_error, v.octets, v.len), CVG_OK);
}

/* What a newer release appends is passed over. */
static void appended_fields(void **state)
{
    struct vector v;
    struct cvg_question q;

    (void)state;
    vector_hex("verdict", &v);
    assert_int_equal(answer_error(v.octets, v.len + 1, VECTOR_ID), CVG_OK);
    assert_int_equal(answer_error(v.octets, v.len + 9, VECTOR_ID), CVG_OK);
    vector_hex("check-leaf", &v);
    memcpy(v.octets + v.len, "\0051.2\n3more", 11);
    assert_int_equal(cvg_question_parse(v.octets, v.len, &q, NULL), CVG_OK);
    assert_string_equal(q.release, "");
    for (size_t more = 1; more < 6; more++)
        assert_int_equal(question_error(v.octets, v.len + more), CVG_ERR_SYNTAX);
    for (size_t more = 6; more < 11; more++) {
        assert_int_equal(cvg_question_parse(v.octets, v.len + more, &q, NULL), CVG_OK);
        assert_string_equal(q.release, "1.2?3");
    }
    v.octets[v.len] = CVG_MESSAGE_RELEASE_MAX;
    assert_int_equal(question_error(v.octets, v.len + 1 + CVG_MESSAGE_RELEASE_MAX), CVG_ERR_RANGE);
}

static void question_rewritten_is_the_same(const struct vector *v)
{
    struct cvg_question q;
    struct cvg_buffer again;

    if (cvg_question_parse(v->octets, v->len, &q, NULL) != CVG_OK)
        return;
    cvg_buffer_init(&again, CVG_MESSAGE_MAX);
    assert_int_equal(cvg_question_write(&q, &again), CVG_OK);
    assert_true(again.len <= v->len);      /* what follows is a newer release's */
    for (size_t i = 0; i < again.len; i++) /* only names may be cleaned */
        assert_true(again.data[i] == v->octets[i] || again.data[i] == '?');
    cvg_buffer_free(&again);
}

static void answer_rewritten_is_the_same(const struct vector *v)
{
    struct cvg_answer a;
    struct cvg_buffer again;

    if (cvg_answer_parse(v->octets, v->len, VECTOR_ID, &a, NULL) != CVG_OK ||
        !cvg_reason_valid(a.reason))
        return;
    cvg_buffer_init(&again, CVG_MESSAGE_MAX);
    assert_int_equal(cvg_answer_write(&a, &again), CVG_OK);
    assert_true(again.len <= v->len);
    assert_memory_equal(again.data, v->octets, again.len);
    cvg_buffer_free(&again);
}

/* Every octet with every value: what is still taken is spelled the one way it can be. */
static void every_octet_with_every_value(void **state)
{
    static const char *const names[] = {"check-fingerprint", "check-leaf", "verdict"};

    (void)state;
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        struct vector v;

        vector_hex(names[n], &v);
        for (size_t i = 0; i < v.len; i++) {
            uint8_t kept = v.octets[i];

            for (unsigned value = 0; value < 256; value++) {
                v.octets[i] = (uint8_t)value;
                if (v.octets[AT_TYPE] == CVG_MESSAGE_VERDICT)
                    answer_rewritten_is_the_same(&v);
                else
                    question_rewritten_is_the_same(&v);
            }
            v.octets[i] = kept;
        }
    }
}

static void unknown_enumeration_values(void **state)
{
    struct vector v;

    (void)state;
    vector_hex("verdict", &v);
    for (unsigned at = AT_BODY; at < AT_BODY + 3; at++) {
        uint8_t kept = v.octets[at];

        for (unsigned value = 0; value < 256; value++) {
            bool known = at == AT_BODY       ? cvg_verdict_valid(value)
                         : at == AT_BODY + 1 ? cvg_action_valid(value)
                                             : true; /* a newer agent's reason */

            v.octets[at] = (uint8_t)value;
            assert_int_equal(answer_error(v.octets, v.len, VECTOR_ID),
                             known ? CVG_OK : CVG_ERR_PROTOCOL);
        }
        v.octets[at] = kept;
    }
}

/* A single flipped bit never turns a refusal into an accept, nor makes an action at all. */
static void one_flipped_bit_never_makes_an_accept(void **state)
{
    static const uint8_t others[] = {CVG_ACTION_NONE, CVG_ACTION_REFUSE, CVG_ACTION_UNCHANGED};

    (void)state;
    for (size_t i = 0; i < sizeof others; i++)
        for (unsigned bit = 0; bit < 8; bit++)
            assert_int_not_equal(others[i] ^ 1U << bit, CVG_ACTION_ACCEPT);
}

static void head_of_another_kind(void **state)
{
    struct vector v;

    (void)state;
    vector_hex("check-leaf", &v);
    v.octets[0] = 'X';
    assert_int_equal(question_error(v.octets, v.len), CVG_ERR_PROTOCOL);
    v.octets[0] = 'C';
    v.octets[AT_VERSION] = 2;
    assert_int_equal(question_error(v.octets, v.len), CVG_ERR_VERSION);
    v.octets[AT_VERSION] = CVG_MESSAGE_VERSION;
    v.octets[AT_TYPE] = CVG_MESSAGE_VERDICT;
    assert_int_equal(question_error(v.octets, v.len), CVG_ERR_PROTOCOL);
    v.octets[AT_TYPE] = 9;
    assert_int_equal(question_error(v.octets, v.len), CVG_ERR_PROTOCOL);
}

static void answer_to_another_question(void **state)
{
    struct vector v;

    (void)state;
    vector_hex("verdict", &v);
    for (unsigned bit = 0; bit < 64; bit++)
        assert_int_equal(answer_error(v.octets, v.len, VECTOR_ID ^ 1ULL << bit), CVG_ERR_PROTOCOL);
}

static void peek(void **state)
{
    struct vector v;
    enum cvg_message_type type = CVG_MESSAGE_REPLY;
    uint64_t id = 1;

    (void)state;
    vector_hex("check-leaf", &v);
    assert_int_equal(cvg_message_peek(v.octets, v.len, &type, &id), CVG_OK);
    assert_int_equal(type, CVG_MESSAGE_CHECK);
    assert_true(id == VECTOR_ID);
    id = 1;
    for (size_t len = 0; len < AT_BODY; len++)
        assert_int_equal(cvg_message_peek(v.octets, len, &type, &id), CVG_ERR_PROTOCOL);
    assert_true(id == 1);
    v.octets[AT_VERSION] = 0;
    assert_int_equal(cvg_message_peek(v.octets, v.len, &type, &id), CVG_ERR_VERSION);
    assert_true(id == VECTOR_ID);
}

static void host_not_in_normal_form(void **state)
{
    static const char *const hosts[] = {"Site.example",   "site.examplE", "site.exampl.",
                                        "site..xample",   "-ite.example", "site/example",
                                        "site+example",   "site%example", "site example",
                                        "site\r\nxample", "127.0.0.0001", "192.168.0x01"};
    struct vector v;

    (void)state;
    vector_hex("check-fingerprint", &v);
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        assert_int_equal(strlen(hosts[i]), 12);
        memcpy(v.octets + AT_HOST, hosts[i], 12);
        assert_int_equal(question_error(v.octets, v.len), CVG_ERR_SYNTAX);
    }
    memcpy(v.octets + AT_HOST, "site\0example", 12);
    assert_int_equal(question_error(v.octets, v.len), CVG_ERR_SYNTAX);
    memcpy(v.octets + AT_HOST, "2001:db8::07", 12);
    assert_int_equal(question_error(v.octets, v.len), CVG_ERR_SYNTAX);
    memcpy(v.octets + AT_HOST, "2001:db8::17", 12);
    assert_int_equal(question_error(v.octets, v.len), CVG_OK);
}

static enum cvg_error question_write_error(const struct cvg_question *q)
{
    struct cvg_buffer buffer;
    enum cvg_error err;

    cvg_buffer_init(&buffer, CVG_MESSAGE_MAX);
    err = cvg_question_write(q, &buffer);
    if (err == CVG_OK)
        assert_int_equal(question_error(buffer.data, buffer.len), CVG_OK);
    else
        assert_int_equal(buffer.len, 0);
    cvg_buffer_free(&buffer);
    return err;
}

static void question_without_host(void **state)
{
    struct cvg_question q = question_made();

    (void)state;
    q.host[0] = '\0';
    assert_int_equal(question_write_error(&q), CVG_ERR_ARGUMENT);
    q.have_name = false;
    q.port_count = 0;
    assert_int_equal(question_write_error(&q), CVG_OK);
}

static void nobody_writes_what_nobody_takes(void **state)
{
    struct cvg_question q;

    (void)state;
#define REFUSED(change)                                                                            \
    do {                                                                                           \
        q = question_made();                                                                       \
        assert_int_equal(question_write_error(&q), CVG_OK);                                        \
        change;                                                                                    \
        assert_int_equal(question_write_error(&q), CVG_ERR_ARGUMENT);                              \
    } while (0)
    REFUSED(strcpy(q.host, "Site.Example"));
    REFUSED(memset(q.host, 'a', sizeof q.host));
    REFUSED(memset(q.program, 'a', sizeof q.program));
    REFUSED(q.host_found = CVG_FOUND_COUNT);
    REFUSED(q.port_found = CVG_FOUND_COUNT);
    REFUSED(q.port[0] = 0);
    REFUSED(q.port_count = CVG_MESSAGE_PORTS_MAX + 1);
    REFUSED(q.peer_family = 5);
    REFUSED(q.pki = (enum cvg_pki)4);
    REFUSED(q.leaf_len = 0);
    REFUSED(q.leaf_len = CVG_MESSAGE_LEAF_MAX + 1);
    REFUSED(q.fingerprint.len = CVG_SHA1_LEN); /* both a leaf and a fingerprint */
    REFUSED((q.leaf_len = 0, q.fingerprint.len = 21));
#undef REFUSED
}

static void largest_question(void **state)
{
    struct cvg_question q = question_made();
    uint8_t *leaf = calloc(1, CVG_MESSAGE_LEAF_MAX);

    (void)state;
    assert_non_null(leaf);
    q.leaf = leaf;
    q.leaf_len = CVG_MESSAGE_LEAF_MAX;
    q.port_count = CVG_MESSAGE_PORTS_MAX;
    for (size_t i = 0; i < CVG_MESSAGE_PORTS_MAX; i++)
        q.port[i] = (uint16_t)(65535 - i);
    q.peer_family = 6;
    q.have_anchor = true;
    memset(q.program, 'p', sizeof q.program - 1);
    for (size_t i = 0; i < CVG_HOST_MAX - 1; i++)
        q.host[i] = i % 64 == 63 ? '.' : 'a';
    q.host[CVG_HOST_MAX - 1] = '\0';
    assert_int_equal(question_write_error(&q), CVG_OK);
    free(leaf);
}

static void over_the_limits(void **state)
{
    struct vector v;
    uint8_t *large;

    (void)state;
    vector_hex("check-fingerprint", &v);
    v.octets[AT_PORT_COUNT] = CVG_MESSAGE_PORTS_MAX + 1;
    assert_int_equal(question_error(v.octets, v.len), CVG_ERR_RANGE);
    v.octets[AT_PORT_COUNT] = 1;
    v.octets[AT_PORT] = v.octets[AT_PORT + 1] = 0;
    assert_int_equal(question_error(v.octets, v.len), CVG_ERR_RANGE);
    vector_hex("check-fingerprint", &v);
    v.octets[v.len - 24 + 3] = 33; /* the fingerprint's length */
    assert_int_equal(question_error(v.octets, v.len), CVG_ERR_RANGE);
    vector_hex("check-leaf", &v);
    large = calloc(1, CVG_MESSAGE_MAX + 1);
    assert_non_null(large);
    memcpy(large, v.octets, v.len);
    assert_int_equal(question_error(large, CVG_MESSAGE_MAX + 1), CVG_ERR_RANGE);
    assert_int_equal(question_error(large, CVG_MESSAGE_MAX), CVG_OK);
    free(large);
}

static void program_is_cleaned(void **state)
{
    struct cvg_question q = question_made(), parsed;
    struct cvg_buffer buffer;

    (void)state;
    strcpy(q.program, "a b\n\x1b[m\xc3\xa9");
    cvg_buffer_init(&buffer, CVG_MESSAGE_MAX);
    assert_int_equal(cvg_question_write(&q, &buffer), CVG_OK);
    assert_int_equal(cvg_question_parse(buffer.data, buffer.len, &parsed, NULL), CVG_OK);
    assert_string_equal(parsed.program, "a b??[m??");
    cvg_buffer_free(&buffer);
}

static enum cvg_error answer_write_error(const struct cvg_answer *a)
{
    struct cvg_buffer buffer;
    enum cvg_error err;

    cvg_buffer_init(&buffer, CVG_MESSAGE_MAX);
    err = cvg_answer_write(a, &buffer);
    if (err == CVG_OK)
        assert_int_equal(answer_error(buffer.data, buffer.len, a->id), CVG_OK);
    else
        assert_int_equal(buffer.len, 0);
    cvg_buffer_free(&buffer);
    return err;
}

static void agent_writes_no_nonsense(void **state)
{
    struct cvg_answer a;

    (void)state;
#define REFUSED(change)                                                                            \
    do {                                                                                           \
        a = answer_made();                                                                         \
        assert_int_equal(answer_write_error(&a), CVG_OK);                                          \
        change;                                                                                    \
        assert_int_equal(answer_write_error(&a), CVG_ERR_ARGUMENT);                                \
    } while (0)
    REFUSED(a.verdict = (enum cvg_verdict)1);
    REFUSED(a.action = (enum cvg_action)1);
    REFUSED(a.reason = CVG_REASON_COUNT);
    REFUSED(a.vote_count = CVG_MESSAGE_VOTES_MAX + 1);
    REFUSED(a.vote[0].kind = (enum cvg_vote_kind)1);
    REFUSED(a.vote[0].error = CVG_ERR_COUNT);
    REFUSED(a.vote[0].notary[0] = '\0');
    REFUSED(memset(a.vote[0].notary, 'a', sizeof a.vote[0].notary));
    REFUSED(memset(a.text, 'a', sizeof a.text));
#undef REFUSED
}

static void largest_answer(void **state)
{
    struct cvg_answer a = answer_made();

    (void)state;
    memset(a.text, 't', sizeof a.text - 1);
    a.vote_count = CVG_MESSAGE_VOTES_MAX;
    for (size_t i = 0; i < a.vote_count; i++) {
        a.vote[i] = a.vote[0];
        memset(a.vote[i].notary, 'n', sizeof a.vote[i].notary - 1);
    }
    assert_int_equal(answer_write_error(&a), CVG_OK);
}

static void control_characters_in_answers(void **state)
{
    struct cvg_answer a = answer_made(), parsed;
    struct cvg_buffer buffer;
    uint8_t *at;

    (void)state;
    strcpy(a.text, "one\ntwo\x7f");
    strcpy(a.vote[0].notary, "z\xc3\xbcri\x1bh");
    cvg_buffer_init(&buffer, CVG_MESSAGE_MAX);
    assert_int_equal(cvg_answer_write(&a, &buffer), CVG_OK);
    assert_int_equal(cvg_answer_parse(buffer.data, buffer.len, a.id, &parsed, NULL), CVG_OK);
    assert_string_equal(parsed.text, "one?two?");
    assert_string_equal(parsed.vote[0].notary, "z\xc3\xbcri?h");
    at = memchr(buffer.data + AT_BODY, '?', buffer.len - AT_BODY);
    assert_non_null(at);
    for (unsigned value = 0; value < 0x20; value++) {
        *at = (uint8_t)value;
        assert_int_equal(answer_error(buffer.data, buffer.len, a.id), CVG_ERR_SYNTAX);
    }
    cvg_buffer_free(&buffer);
}

static enum cvg_error command_error(const struct vector *v, size_t len, enum cvg_message_type type)
{
    const char *json = NULL;
    size_t json_len = 0;
    uint64_t id = 0;
    bool more = false;
    enum cvg_error err = cvg_command_parse(v->octets, len, type, &id, &more, &json, &json_len);

    if (err != CVG_OK) {
        assert_null(json);
        assert_int_equal(json_len, 0);
        assert_true(id == 0);
    }
    return err;
}

static void commands(void **state)
{
    struct vector v;

    (void)state;
    vector_hex("reply", &v);
    for (size_t len = 0; len <= AT_BODY + 1; len++)
        assert_int_not_equal(command_error(&v, len, CVG_MESSAGE_REPLY), CVG_OK);
    assert_int_equal(command_error(&v, v.len, CVG_MESSAGE_COMMAND), CVG_ERR_PROTOCOL);
    assert_int_equal(command_error(&v, v.len, CVG_MESSAGE_CHECK), CVG_ERR_ARGUMENT);
    v.octets[AT_BODY] = 2;
    assert_int_equal(command_error(&v, v.len, CVG_MESSAGE_REPLY), CVG_ERR_SYNTAX);
    v.octets[AT_BODY] = 0;
    v.octets[v.len - 1] = 0;
    assert_int_equal(command_error(&v, v.len, CVG_MESSAGE_REPLY), CVG_ERR_SYNTAX);
    vector_hex("command", &v);
    v.octets[AT_BODY] = 1; /* a command has no continuation */
    assert_int_equal(command_error(&v, v.len, CVG_MESSAGE_COMMAND), CVG_ERR_SYNTAX);
}

static void commands_written(void **state)
{
    struct cvg_buffer buffer;
    char *large = calloc(1, CVG_MESSAGE_JSON_MAX + 1);

    (void)state;
    assert_non_null(large);
    cvg_buffer_init(&buffer, CVG_MESSAGE_MAX);
    assert_int_equal(cvg_command_write(CVG_MESSAGE_COMMAND, 1, true, "{}", 2, &buffer),
                     CVG_ERR_ARGUMENT);
    assert_int_equal(cvg_command_write(CVG_MESSAGE_CHECK, 1, false, "{}", 2, &buffer),
                     CVG_ERR_ARGUMENT);
    assert_int_equal(cvg_command_write(CVG_MESSAGE_REPLY, 1, false, "", 0, &buffer),
                     CVG_ERR_ARGUMENT);
    assert_int_equal(
        cvg_command_write(CVG_MESSAGE_REPLY, 1, false, large, CVG_MESSAGE_JSON_MAX + 1, &buffer),
        CVG_ERR_RANGE);
    assert_int_equal(buffer.len, 0);
    memset(large, ' ', CVG_MESSAGE_JSON_MAX);
    assert_int_equal(
        cvg_command_write(CVG_MESSAGE_REPLY, 1, true, large, CVG_MESSAGE_JSON_MAX, &buffer),
        CVG_OK);
    assert_int_equal(buffer.len, CVG_MESSAGE_MAX);
    cvg_buffer_free(&buffer);
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(truncated_at_every_length),
        cmocka_unit_test(appended_fields),
        cmocka_unit_test(every_octet_with_every_value),
        cmocka_unit_test(unknown_enumeration_values),
        cmocka_unit_test(one_flipped_bit_never_makes_an_accept),
        cmocka_unit_test(head_of_another_kind),
        cmocka_unit_test(answer_to_another_question),
        cmocka_unit_test(peek),
        cmocka_unit_test(host_not_in_normal_form),
        cmocka_unit_test(question_without_host),
        cmocka_unit_test(nobody_writes_what_nobody_takes),
        cmocka_unit_test(largest_question),
        cmocka_unit_test(over_the_limits),
        cmocka_unit_test(program_is_cleaned),
        cmocka_unit_test(agent_writes_no_nonsense),
        cmocka_unit_test(largest_answer),
        cmocka_unit_test(control_characters_in_answers),
        cmocka_unit_test(commands),
        cmocka_unit_test(commands_written),
    };

    return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
