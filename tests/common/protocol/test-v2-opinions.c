/* SPDX-License-Identifier: MIT */
/* Verifiers' opinions in version 2's statements: what is read back is what was written, and nothing
 * is taken that contradicts itself or the records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/protocol/v2.h"

#define CHECKED_S 1790003600

/* A statement with that many records, the first of them current, without opinions. */
static struct cvg_v2_statement statement_made(size_t count)
{
    struct cvg_v2_statement s;

    memset(&s, 0, sizeof s);
    assert_int_equal(cvg_endpoint_parse("site.example", 443, &s.endpoint, NULL), CVG_OK);
    s.status = count > 0 ? CVG_V2_SEEN : CVG_V2_UNREACHABLE;
    s.count = count;
    s.record[0].current = count > 0;
    return s;
}

static void add(struct cvg_v2_statement *s, unsigned verifier)
{
    s->opinions[s->opinions_count++] =
        (struct cvg_v2_opinions){.verifier = (uint8_t)verifier, .checked_s = CHECKED_S};
}

static enum cvg_error round_trip(const struct cvg_v2_statement *s,
                                 struct cvg_v2_statement *ret_again, size_t *ret_len)
{
    struct cvg_buffer buffer;
    enum cvg_error err;

    cvg_buffer_init(&buffer, CVG_V2_STATEMENT_MAX);
    err = cvg_v2_statement_write(s, &buffer);
    if (err == CVG_OK)
        err = cvg_v2_statement_parse(buffer.data, buffer.len, ret_again, NULL);
    *ret_len = buffer.len;
    cvg_buffer_free(&buffer);
    return err;
}

/* What a parser makes of a statement with two records and these extensions. */
static enum cvg_error parsed(const void *extensions, size_t len, struct cvg_v2_statement *ret)
{
    struct cvg_v2_statement s = statement_made(2);
    struct cvg_v2_statement untouched;
    struct cvg_why why = {""};
    struct cvg_buffer buffer;
    enum cvg_error err;

    cvg_buffer_init(&buffer, CVG_V2_STATEMENT_MAX);
    assert_int_equal(cvg_v2_statement_write(&s, &buffer), CVG_OK);
    buffer.len -= 2;
    cvg_buffer_put_u16(&buffer, (uint16_t)len);
    assert_int_equal(cvg_buffer_put(&buffer, extensions, len), CVG_OK);
    memset(ret, 0xa5, sizeof *ret);
    untouched = *ret;
    err = cvg_v2_statement_parse(buffer.data, buffer.len, ret, &why);
    if (err != CVG_OK) {
        assert_memory_equal(ret, &untouched, sizeof untouched);
        assert_true(why.text[0] != '\0');
    }
    cvg_buffer_free(&buffer);
    return err;
}

/* The octets of one extension: DANE's, asked at second 5, yes to record 0 and no to record 1. */
static const uint8_t model[] = {0, 1, 0, 14, 2, 0, 0, 0, 0, 0, 0, 0, 5, 2, 0, 1, 1, 2};
enum { AT_LEN = 3, AT_VERIFIER = 4, AT_CHECKED = 5, AT_COUNT = 13, AT_FIRST = 14, AT_SECOND = 16 };

/* The model with one octet changed. */
static enum cvg_error changed(size_t at, unsigned value)
{
    static struct cvg_v2_statement s;
    uint8_t octets[sizeof model];

    memcpy(octets, model, sizeof model);
    octets[at] = (uint8_t)value;
    return parsed(octets, sizeof octets, &s);
}

static void model_is_read(void **state)
{
    struct cvg_v2_statement s;

    (void)state;
    assert_int_equal(parsed(model, sizeof model, &s), CVG_OK);
    assert_int_equal(s.opinions_count, 1);
    assert_int_equal(s.opinions[0].verifier, CVG_VERIFIER_DANE);
    assert_int_equal(s.opinions[0].checked_s, 5);
    assert_int_equal(s.opinions[0].opinion[0], CVG_V2_OPINION_YES);
    assert_int_equal(s.opinions[0].opinion[1], CVG_V2_OPINION_NO);
    for (size_t i = 2; i < CVG_V2_RECORDS_MAX; i++)
        assert_int_equal(s.opinions[0].opinion[i], CVG_V2_OPINION_NONE);
}

static void every_value_of_every_octet(void **state)
{
    (void)state;
    for (unsigned value = 0; value < 256; value++) {
        assert_int_equal(changed(AT_LEN, value) == CVG_OK, value == 14);
        assert_int_equal(changed(AT_VERIFIER, value) == CVG_OK, value >= 2);
        assert_int_equal(changed(AT_CHECKED, value) == CVG_OK, value < 128);
        assert_int_equal(changed(AT_COUNT, value) == CVG_OK, value == 2);
        assert_int_equal(changed(AT_FIRST, value) == CVG_OK, value == 0);
        assert_int_equal(changed(AT_FIRST + 1, value) == CVG_OK, value == 1 || value == 2);
        assert_int_equal(changed(AT_SECOND, value) == CVG_OK, value == 1);
        assert_int_equal(changed(AT_SECOND + 1, value) == CVG_OK, value == 1 || value == 2);
    }
}

static void errors_by_kind(void **state)
{
    (void)state;
    assert_int_equal(changed(AT_LEN, 13), CVG_ERR_SYNTAX);
    assert_int_equal(changed(AT_VERIFIER, 0), CVG_ERR_PROTOCOL);
    assert_int_equal(changed(AT_VERIFIER, CVG_VERIFIER_NETWORK), CVG_ERR_PROTOCOL);
    assert_int_equal(changed(AT_CHECKED, 0x80), CVG_ERR_RANGE);
    assert_int_equal(changed(AT_COUNT, 1), CVG_ERR_SYNTAX);  /* an opinion is left over */
    assert_int_equal(changed(AT_COUNT, 3), CVG_ERR_SYNTAX);  /* one is missing */
    assert_int_equal(changed(AT_FIRST, 1), CVG_ERR_RANGE);   /* record 1 twice */
    assert_int_equal(changed(AT_SECOND, 0), CVG_ERR_RANGE);  /* record 0 twice */
    assert_int_equal(changed(AT_SECOND, 2), CVG_ERR_RANGE);  /* there is no record 2 */
    assert_int_equal(changed(AT_SECOND, 64), CVG_ERR_RANGE); /* nor room for it */
    assert_int_equal(changed(AT_SECOND + 1, 0), CVG_ERR_PROTOCOL);
    assert_int_equal(changed(AT_SECOND + 1, 3), CVG_ERR_PROTOCOL);
}

static void cut_and_grown(void **state)
{
    struct cvg_v2_statement s;
    uint8_t octets[sizeof model + 1];

    (void)state;
    memcpy(octets, model, sizeof model);
    for (size_t len = 1; len < sizeof model; len++) {
        assert_int_not_equal(parsed(octets, len, &s), CVG_OK);
        if (len < 4)
            continue;
        octets[AT_LEN] = (uint8_t)(len - 4); /* the framing is right, the content too short */
        assert_int_equal(parsed(octets, len, &s), CVG_ERR_SYNTAX);
        octets[AT_LEN] = model[AT_LEN];
    }
    octets[sizeof model] = 0;
    octets[AT_LEN]++;
    assert_int_equal(parsed(octets, sizeof octets, &s), CVG_ERR_SYNTAX);
}

static void one_verifier_speaks_once(void **state)
{
    struct cvg_v2_statement s;
    uint8_t octets[2 * sizeof model];

    (void)state;
    memcpy(octets, model, sizeof model);
    memcpy(octets + sizeof model, model, sizeof model);
    assert_int_equal(parsed(octets, sizeof octets, &s), CVG_ERR_PROTOCOL);
    octets[AT_VERIFIER] = CVG_VERIFIER_PINS;
    assert_int_equal(parsed(octets, sizeof octets, &s), CVG_OK);
    assert_int_equal(s.opinions_count, 2);
    assert_int_equal(s.opinions[0].verifier, CVG_VERIFIER_PINS);
    assert_int_equal(s.opinions[1].verifier, CVG_VERIFIER_DANE);
}

static void unknown_extensions_around_them(void **state)
{
    static const uint8_t other[] = {0x12, 0x34, 0, 3, 'a', 'b', 'c', 0, 2, 0, 0};
    struct cvg_v2_statement s;
    uint8_t octets[2 * sizeof other + sizeof model];

    (void)state;
    memcpy(octets, other, sizeof other);
    memcpy(octets + sizeof other, model, sizeof model);
    memcpy(octets + sizeof other + sizeof model, other, sizeof other);
    assert_int_equal(parsed(octets, sizeof octets, &s), CVG_OK);
    assert_int_equal(s.opinions_count, 1);
    assert_int_equal(s.opinions[0].opinion[1], CVG_V2_OPINION_NO);
    octets[sizeof octets - 1] = 1; /* the last one's length */
    assert_int_equal(parsed(octets, sizeof octets, &s), CVG_ERR_SYNTAX);
}

static void as_many_verifiers_as_there_is_room_for(void **state)
{
    struct cvg_v2_statement s;
    uint8_t octets[(CVG_V2_VERIFIERS_MAX + 1) * sizeof model];

    (void)state;
    for (size_t i = 0; i <= CVG_V2_VERIFIERS_MAX; i++) {
        memcpy(octets + i * sizeof model, model, sizeof model);
        octets[i * sizeof model + AT_VERIFIER] = (uint8_t)(100 + i);
    }
    assert_int_equal(parsed(octets, sizeof octets - sizeof model, &s), CVG_OK);
    assert_int_equal(s.opinions_count, CVG_V2_VERIFIERS_MAX);
    assert_int_equal(s.opinions[CVG_V2_VERIFIERS_MAX - 1].verifier, 107);
    assert_int_equal(parsed(octets, sizeof octets, &s), CVG_ERR_RANGE);
}

static void without_opinions_a_statement_is_as_before(void **state)
{
    struct cvg_v2_statement s = statement_made(1), again;
    size_t without, aside;

    (void)state;
    assert_int_equal(round_trip(&s, &again, &without), CVG_OK);
    assert_int_equal(again.opinions_count, 0);
    add(&s, CVG_VERIFIER_CT);
    assert_int_equal(round_trip(&s, &again, &aside), CVG_OK);
    assert_int_equal(again.opinions_count, 1);
    assert_int_equal(aside, without + 14);
}

static void largest_statement_fits(void **state)
{
    static struct cvg_v2_statement s, again;
    size_t len;

    (void)state;
    s = statement_made(CVG_V2_RECORDS_MAX);
    for (unsigned verifier = 2; verifier < 2 + CVG_V2_VERIFIERS_MAX; verifier++) {
        add(&s, verifier);
        memset(s.opinions[verifier - 2].opinion, CVG_V2_OPINION_NO, CVG_V2_RECORDS_MAX);
    }
    assert_int_equal(round_trip(&s, &again, &len), CVG_OK);
    assert_int_equal(again.opinions_count, CVG_V2_VERIFIERS_MAX);
    assert_memory_equal(again.opinions, s.opinions, sizeof s.opinions);
    assert_true(len < CVG_V2_STATEMENT_MAX - CVG_HOST_MAX);
}

static void nobody_writes_what_nobody_takes(void **state)
{
    struct cvg_v2_statement s, again;
    size_t len;

    (void)state;
#define REFUSED(change)                                                                            \
    do {                                                                                           \
        s = statement_made(1);                                                                     \
        add(&s, CVG_VERIFIER_DANE);                                                                \
        change;                                                                                    \
        assert_int_equal(round_trip(&s, &again, &len), CVG_ERR_ARGUMENT);                          \
        assert_int_equal(len, 0);                                                                  \
    } while (0)
    REFUSED(s.opinions[0].verifier = 0);
    REFUSED(s.opinions[0].verifier = CVG_VERIFIER_NETWORK);
    REFUSED(s.opinions[0].checked_s = -1);
    REFUSED(s.opinions[0].opinion[0] = 3);
    REFUSED(s.opinions[0].opinion[1] = CVG_V2_OPINION_YES); /* there is no record 1 */
    REFUSED(s.opinions[0].opinion[CVG_V2_RECORDS_MAX - 1] = CVG_V2_OPINION_NO);
    REFUSED(add(&s, CVG_VERIFIER_DANE));
    REFUSED(s.opinions_count = CVG_V2_VERIFIERS_MAX + 1);
#undef REFUSED
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(model_is_read),
        cmocka_unit_test(every_value_of_every_octet),
        cmocka_unit_test(errors_by_kind),
        cmocka_unit_test(cut_and_grown),
        cmocka_unit_test(one_verifier_speaks_once),
        cmocka_unit_test(unknown_extensions_around_them),
        cmocka_unit_test(as_many_verifiers_as_there_is_room_for),
        cmocka_unit_test(without_opinions_a_statement_is_as_before),
        cmocka_unit_test(largest_statement_fits),
        cmocka_unit_test(nobody_writes_what_nobody_takes),
    };

    return cmocka_run_group_tests_name("v2-opinions", tests, NULL, NULL);
}
