/* SPDX-License-Identifier: MIT */
/* Observations: which are current, at the boundaries of age and address; limits; the stored form.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "notary/observations.h"

#define AGE 86400
#define T0  INT64_C(1800000000)

static struct cvg_leaf leaf_of(uint8_t id, enum cvg_key_type key_type)
{
    struct cvg_leaf leaf = {.key_type = key_type};
    memset(leaf.sha256, id, sizeof(leaf.sha256));
    memset(leaf.sha1, id, sizeof(leaf.sha1));
    memset(leaf.spki_sha256, id, sizeof(leaf.spki_sha256));
    return leaf;
}

static struct cvg_address address_of(uint8_t last)
{
    return (struct cvg_address){.family = 4, .bytes = {192, 0, 2, last}};
}

static void see(struct cvg_observations *seen, uint8_t id, enum cvg_key_type key_type,
                uint8_t address, int64_t when)
{
    struct cvg_leaf leaf = leaf_of(id, key_type);
    struct cvg_address where = address_of(address);
    assert_int_equal(cvg_observations_add(seen, &leaf, &where, when), CVG_OK);
}

static bool current(const struct cvg_observations *seen, uint8_t id, int64_t now)
{
    for (size_t i = 0; i < seen->count; i++)
        if (seen->record[i].leaf.sha256[0] == id)
            return cvg_observations_current(seen, i, now, AGE);
    return false;
}

static void last_second_of_the_age(void **state)
{
    struct cvg_observations seen = {0};
    (void)state;
    see(&seen, 1, CVG_KEY_EC, 1, T0);
    assert_true(current(&seen, 1, T0));
    assert_true(current(&seen, 1, T0 + AGE - 1));
    assert_int_equal(cvg_observations_expiry(&seen, T0, AGE), T0 + AGE);
    cvg_observations_free(&seen);
}

static void first_second_past_the_age(void **state)
{
    struct cvg_observations seen = {0};
    (void)state;
    see(&seen, 1, CVG_KEY_EC, 1, T0);
    assert_false(current(&seen, 1, T0 + AGE));
    assert_true(cvg_observations_expiry(&seen, T0 + AGE, AGE) == INT64_MAX);
    see(&seen, 1, CVG_KEY_EC, 1, T0 + AGE);
    assert_true(current(&seen, 1, T0 + AGE));
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.record[0].first_s, T0);
    assert_int_equal(seen.record[0].last_s, T0 + AGE);
    cvg_observations_free(&seen);
}

static void clock_set_back(void **state)
{
    struct cvg_observations seen = {0};
    (void)state;
    see(&seen, 1, CVG_KEY_EC, 1, T0);
    assert_true(current(&seen, 1, T0 - 60));
    assert_false(current(&seen, 1, T0 - 61));
    see(&seen, 1, CVG_KEY_EC, 1, T0 - 1000);
    assert_int_equal(seen.record[0].last_s, T0);
    assert_true(current(&seen, 1, T0 - 1000));
    cvg_observations_free(&seen);
}

static void newest_at_the_same_place_replaces(void **state)
{
    struct cvg_observations seen = {0};
    (void)state;
    see(&seen, 1, CVG_KEY_EC, 1, T0);
    see(&seen, 2, CVG_KEY_EC, 1, T0 + 1);
    assert_false(current(&seen, 1, T0 + 1));
    assert_true(current(&seen, 2, T0 + 1));
    assert_int_equal(seen.count, 2);
    see(&seen, 1, CVG_KEY_EC, 1, T0 + 2);
    assert_true(current(&seen, 1, T0 + 2));
    assert_false(current(&seen, 2, T0 + 2));
    cvg_observations_free(&seen);
}

static void other_key_type_or_address_stays(void **state)
{
    struct cvg_observations seen = {0};
    (void)state;
    see(&seen, 1, CVG_KEY_EC, 1, T0);
    see(&seen, 2, CVG_KEY_RSA, 1, T0);
    see(&seen, 3, CVG_KEY_EC, 2, T0);
    assert_true(current(&seen, 1, T0));
    assert_true(current(&seen, 2, T0));
    assert_true(current(&seen, 3, T0));
    /* Seen elsewhere, too: one place that changes does not end it. */
    see(&seen, 1, CVG_KEY_EC, 2, T0 + 1);
    see(&seen, 3, CVG_KEY_EC, 1, T0 + 2);
    assert_true(current(&seen, 1, T0 + 2));
    assert_true(current(&seen, 3, T0 + 2));
    cvg_observations_free(&seen);
}

/* Whoever sits near the notary for a moment chooses the key type. */
static void other_key_type_must_be_seen_again(void **state)
{
    struct cvg_observations seen = {0};
    (void)state;
    see(&seen, 1, CVG_KEY_EC, 1, T0);
    see(&seen, 2, CVG_KEY_RSA, 1, T0);
    see(&seen, 9, CVG_KEY_RSA, 1, T0 + 1);
    assert_true(current(&seen, 9, T0 + 1));
    assert_false(current(&seen, 1, T0 + 1) || current(&seen, 2, T0 + 1));
    see(&seen, 1, CVG_KEY_EC, 1, T0 + 2);
    assert_true(current(&seen, 1, T0 + 2));
    assert_false(current(&seen, 9, T0 + 2));
    assert_int_equal(cvg_observations_expiry(&seen, T0 + 2, AGE), T0 + 2 + AGE);
    cvg_observations_free(&seen);
}

static void what_comes_later_is_on_trial(void **state)
{
    struct cvg_observations seen = {0};
    (void)state;
    see(&seen, 1, CVG_KEY_EC, 1, T0);
    assert_true(current(&seen, 1, T0 + AGE - 1));
    see(&seen, 2, CVG_KEY_EC, 2, T0 + 1000);
    assert_true(current(&seen, 2, T0 + 1000 + CVG_TRIAL_S - 1));
    assert_false(current(&seen, 2, T0 + 1000 + CVG_TRIAL_S));
    assert_int_equal(cvg_observations_expiry(&seen, T0 + 1000, AGE), T0 + 1000 + CVG_TRIAL_S);
    see(&seen, 2, CVG_KEY_EC, 2, T0 + 1000 + CVG_TRIAL_S - 1);
    assert_true(current(&seen, 2, T0 + 1000 + CVG_TRIAL_S));
    assert_false(current(&seen, 2, T0 + 1000 + 2 * CVG_TRIAL_S));
    see(&seen, 2, CVG_KEY_EC, 2, T0 + 1000 + CVG_TRIAL_S);
    assert_true(current(&seen, 2, T0 + 1000 + AGE - 1));
    assert_true(current(&seen, 1, T0 + 1000));
    cvg_observations_free(&seen);
}

static void every_probe_has_a_time_of_its_own(void **state)
{
    struct cvg_observations seen = {0};
    (void)state;
    assert_int_equal(cvg_observations_time(&seen, T0), T0);
    see(&seen, 1, CVG_KEY_EC, 1, T0);
    assert_int_equal(cvg_observations_time(&seen, T0), T0 + 1);
    assert_int_equal(cvg_observations_time(&seen, T0 + 1), T0 + 1);
    assert_int_equal(cvg_observations_time(&seen, T0 - 10), T0 + 1);
    /* From the future: not one to be later than, and history once something is seen. */
    assert_int_equal(cvg_observations_time(&seen, T0 - 1000), T0 - 1000);
    see(&seen, 2, CVG_KEY_RSA, 1, T0 - 1000);
    assert_true(current(&seen, 2, T0 - 1000));
    assert_false(current(&seen, 1, T0));
    cvg_observations_free(&seen);
}

static void expiry_is_the_first_to_go(void **state)
{
    struct cvg_observations seen = {0};
    (void)state;
    see(&seen, 1, CVG_KEY_EC, 1, T0);
    see(&seen, 2, CVG_KEY_RSA, 2, T0 + 90);
    see(&seen, 2, CVG_KEY_RSA, 2, T0 + 100);
    assert_int_equal(cvg_observations_expiry(&seen, T0 + 100, AGE), T0 + AGE);
    assert_int_equal(cvg_observations_expiry(&seen, T0 + AGE, AGE), T0 + 100 + AGE);
    assert_int_equal(cvg_observations_newest(&seen), T0 + 100);
    cvg_observations_free(&seen);
}

static void list_is_newest_first(void **state)
{
    struct cvg_observations seen = {0};
    struct cvg_v2_record record[CVG_V2_RECORDS_MAX];
    (void)state;
    see(&seen, 1, CVG_KEY_EC, 1, T0);
    see(&seen, 2, CVG_KEY_EC, 1, T0 + 2);
    see(&seen, 3, CVG_KEY_RSA, 2, T0 + 1);
    assert_int_equal(cvg_observations_list(&seen, T0 + 2, AGE, record), 3);
    assert_int_equal(record[0].leaf.sha256[0], 2);
    assert_int_equal(record[1].leaf.sha256[0], 3);
    assert_int_equal(record[2].leaf.sha256[0], 1);
    assert_true(record[0].current && record[1].current && !record[2].current);
    cvg_observations_free(&seen);
}

static void oldest_goes_when_full(void **state)
{
    struct cvg_observations seen = {0};
    (void)state;
    for (unsigned i = 0; i < 200; i++)
        see(&seen, (uint8_t)i, CVG_KEY_EC, (uint8_t)i, T0 + i);
    assert_int_equal(seen.count, CVG_V2_RECORDS_MAX);
    assert_true(seen.view_count <= CVG_VIEWS_MAX);
    assert_true(current(&seen, 199, T0 + 200));
    for (size_t i = 0; i < seen.count; i++)
        assert_in_range(seen.record[i].leaf.sha256[0], 136, 199);
    /* What they appeared beside has gone; their trial has not. */
    assert_false(current(&seen, 136, T0 + 200));
    see(&seen, 136, CVG_KEY_EC, 136, T0 + 200);
    assert_true(current(&seen, 136, T0 + 200));
    for (size_t i = 0; i < seen.view_count; i++)
        assert_int_equal(seen.record[seen.view[i].record].leaf.sha256[0],
                         seen.view[i].address.bytes[3]);
    cvg_observations_free(&seen);
}

static void stored_form(void **state)
{
    struct cvg_observations seen = {0}, again = {0};
    struct cvg_buffer bytes;
    (void)state;
    cvg_buffer_init(&bytes, 65536);
    for (unsigned i = 0; i < 70; i++)
        see(&seen, (uint8_t)(i % 5), i % 2 ? CVG_KEY_EC : CVG_KEY_RSA, (uint8_t)i, T0 + i);
    assert_int_equal(cvg_observations_write(&seen, &bytes), CVG_OK);
    assert_int_equal(cvg_observations_parse(bytes.data, bytes.len, &again), CVG_OK);
    assert_int_equal(again.count, seen.count);
    assert_int_equal(again.view_count, seen.view_count);
    for (size_t i = 0; i < seen.view_count; i++) {
        assert_true(cvg_address_equal(&again.view[i].address, &seen.view[i].address));
        assert_int_equal(again.view[i].key_type, seen.view[i].key_type);
        assert_int_equal(again.view[i].record, seen.view[i].record);
        assert_int_equal(again.view[i].last_s, seen.view[i].last_s);
    }
    for (size_t i = 0; i < seen.count; i++)
        assert_int_equal(again.record[i].last_s, seen.record[i].last_s);
    for (size_t len = 0; len < bytes.len; len++) {
        struct cvg_observations none = {0};
        assert_int_not_equal(cvg_observations_parse(bytes.data, len, &none), CVG_OK);
        assert_null(none.record);
    }
    cvg_buffer_free(&bytes);
    cvg_observations_free(&seen);
    cvg_observations_free(&again);
}

static void stored_nonsense(void **state)
{
    struct cvg_observations seen = {0}, again = {0};
    struct cvg_buffer bytes;
    (void)state;
    cvg_buffer_init(&bytes, 65536);
    see(&seen, 1, CVG_KEY_EC, 1, T0);
    assert_int_equal(cvg_observations_write(&seen, &bytes), CVG_OK);
    size_t view = bytes.len - 8 - 1;
    bytes.data[view] = 1; /* a record that does not exist */
    assert_int_equal(cvg_observations_parse(bytes.data, bytes.len, &again), CVG_ERR_RANGE);
    bytes.data[view] = 0;
    bytes.data[bytes.len - 8] = 0x80; /* a negative time */
    assert_int_equal(cvg_observations_parse(bytes.data, bytes.len, &again), CVG_ERR_RANGE);
    bytes.data[bytes.len - 8] = 0;
    bytes.data[0] = CVG_V2_RECORDS_MAX + 1;
    assert_int_equal(cvg_observations_parse(bytes.data, bytes.len, &again), CVG_ERR_RANGE);
    cvg_buffer_free(&bytes);
    cvg_observations_free(&seen);
}

/* What the verifier said of the record that the id stands for. */
static unsigned opinion(const struct cvg_observations *seen, uint8_t id,
                        enum cvg_verifier_id verifier)
{
    for (size_t i = 0; i < seen->count; i++)
        if (seen->record[i].leaf.sha256[0] == id)
            return seen->record[i].opinion[cvg_opinion_index(verifier)];
    fail_msg("no record of %u", id);
    return 0;
}

static void judge(struct cvg_observations *seen, uint8_t id, enum cvg_verifier_id verifier,
                  enum cvg_v2_opinion opinion, int64_t when)
{
    struct cvg_leaf leaf = leaf_of(id, CVG_KEY_EC);
    cvg_observations_judge(seen, verifier, leaf.sha256, opinion, when);
}

static void opinions_stay_with_their_record(void **state)
{
    struct cvg_observations seen = {0};
    (void)state;
    see(&seen, 1, CVG_KEY_EC, 1, T0);
    see(&seen, 2, CVG_KEY_RSA, 1, T0);
    judge(&seen, 1, CVG_VERIFIER_DANE, CVG_V2_OPINION_YES, T0);
    judge(&seen, 2, CVG_VERIFIER_DANE, CVG_V2_OPINION_NO, T0);
    judge(&seen, 9, CVG_VERIFIER_CT, CVG_V2_OPINION_YES, T0); /* never seen */
    assert_int_equal(opinion(&seen, 1, CVG_VERIFIER_DANE), CVG_V2_OPINION_YES);
    assert_int_equal(opinion(&seen, 2, CVG_VERIFIER_DANE), CVG_V2_OPINION_NO);
    assert_int_equal(opinion(&seen, 1, CVG_VERIFIER_CT), CVG_V2_OPINION_NONE);
    assert_int_equal(seen.checked_s[cvg_opinion_index(CVG_VERIFIER_DANE)], T0);
    assert_int_equal(seen.checked_s[cvg_opinion_index(CVG_VERIFIER_CT)], 0);
    judge(&seen, 1, CVG_VERIFIER_DANE, CVG_V2_OPINION_NONE, T0 + 5);
    assert_int_equal(opinion(&seen, 1, CVG_VERIFIER_DANE), CVG_V2_OPINION_NONE);
    assert_int_equal(opinion(&seen, 2, CVG_VERIFIER_DANE), CVG_V2_OPINION_NO);
    assert_int_equal(seen.checked_s[cvg_opinion_index(CVG_VERIFIER_DANE)], T0 + 5);
    for (unsigned id = 100; id < 200; id++)
        see(&seen, (uint8_t)id, CVG_KEY_EC, 3, T0 + id); /* others take their places */
    for (size_t i = 0; i < seen.count; i++)
        assert_int_equal(seen.record[i].opinion[0], CVG_V2_OPINION_NONE);
    cvg_observations_free(&seen);
}

static void stored_opinions(void **state)
{
    struct cvg_observations seen = {0}, again = {0};
    struct cvg_buffer bytes;
    size_t without;
    (void)state;
    cvg_buffer_init(&bytes, 65536);
    see(&seen, 1, CVG_KEY_EC, 1, T0);
    see(&seen, 2, CVG_KEY_RSA, 1, T0);
    assert_int_equal(cvg_observations_write(&seen, &bytes), CVG_OK);
    without = bytes.len;
    judge(&seen, 1, CVG_VERIFIER_DANE, CVG_V2_OPINION_NO, T0);
    judge(&seen, 2, CVG_VERIFIER_CT, CVG_V2_OPINION_YES, T0 + 1);
    judge(&seen, 2, CVG_VERIFIER_PINS, CVG_V2_OPINION_NO, T0 + 2);
    cvg_buffer_clear(&bytes);
    assert_int_equal(cvg_observations_write(&seen, &bytes), CVG_OK);
    assert_int_equal(bytes.len, without + 1 + 3 * 8 + 2);
    assert_int_equal(cvg_observations_parse(bytes.data, bytes.len, &again), CVG_OK);
    assert_memory_equal(again.checked_s, seen.checked_s, sizeof(seen.checked_s));
    for (size_t i = 0; i < seen.count; i++)
        assert_memory_equal(again.record[i].opinion, seen.record[i].opinion, CVG_OPINIONS);
    cvg_observations_free(&again);
    for (size_t len = 0; len < bytes.len; len++) {
        struct cvg_observations some = {0};
        /* Cut just before the tail it is what earlier releases wrote. */
        assert_int_equal(cvg_observations_parse(bytes.data, len, &some) == CVG_OK, len == without);
        cvg_observations_free(&some);
    }
    cvg_buffer_free(&bytes);
    cvg_observations_free(&seen);
}

static void stored_nonsense_in_the_tail(void **state)
{
    struct cvg_observations seen = {0}, again = {0};
    struct cvg_buffer bytes;
    (void)state;
    cvg_buffer_init(&bytes, 65536);
    see(&seen, 1, CVG_KEY_EC, 1, T0);
    judge(&seen, 1, CVG_VERIFIER_DANE, CVG_V2_OPINION_YES, 1);
    assert_int_equal(cvg_observations_write(&seen, &bytes), CVG_OK);
    uint8_t *packed = &bytes.data[bytes.len - 1];
    for (unsigned value = 0; value < 256; value++) {
        bool good = (value & 3) != 3 && (value >> 2 & 3) != 3 && value >> 4 < 3;
        *packed = (uint8_t)value;
        assert_int_equal(cvg_observations_parse(bytes.data, bytes.len, &again) == CVG_OK, good);
        cvg_observations_free(&again);
    }
    *packed = 0;
    bytes.data[bytes.len - 2 - 16] = 0; /* nobody was asked: then there is no tail */
    assert_int_equal(cvg_observations_parse(bytes.data, bytes.len, &again), CVG_ERR_RANGE);
    bytes.data[bytes.len - 2 - 7] = 0x80; /* a time beyond all calendars */
    assert_int_equal(cvg_observations_parse(bytes.data, bytes.len, &again), CVG_ERR_RANGE);
    bytes.data[bytes.len - 2 - 7] = 1;
    assert_int_equal(cvg_observations_parse(bytes.data, bytes.len, &again), CVG_OK);
    cvg_observations_free(&again);
    bytes.data[bytes.len - 1 - 24 - 1] = 2; /* a later version */
    assert_int_equal(cvg_observations_parse(bytes.data, bytes.len, &again), CVG_ERR_VERSION);
    cvg_buffer_free(&bytes);
    cvg_observations_free(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(last_second_of_the_age),
        cmocka_unit_test(first_second_past_the_age),
        cmocka_unit_test(clock_set_back),
        cmocka_unit_test(newest_at_the_same_place_replaces),
        cmocka_unit_test(other_key_type_or_address_stays),
        cmocka_unit_test(other_key_type_must_be_seen_again),
        cmocka_unit_test(what_comes_later_is_on_trial),
        cmocka_unit_test(every_probe_has_a_time_of_its_own),
        cmocka_unit_test(expiry_is_the_first_to_go),
        cmocka_unit_test(list_is_newest_first),
        cmocka_unit_test(oldest_goes_when_full),
        cmocka_unit_test(stored_form),
        cmocka_unit_test(stored_nonsense),
        cmocka_unit_test(opinions_stay_with_their_record),
        cmocka_unit_test(stored_opinions),
        cmocka_unit_test(stored_nonsense_in_the_tail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
