/* SPDX-License-Identifier: MIT */
/* What the cache finds and for how long, who may see it, and what makes it forget. In memory; its
 * file is test-cache-file.c's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/common/engine/cache-records.h"
#include "tests/common/engine/fake-clock.h"

#define TTL_S 7776000 /* 90 days */

struct fixture {
    struct fake_clock clock;
    struct cvg_cache *cache;
};

static struct fixture fixture;

static int set_up(void **state)
{
    *state = &fixture;
    fake_clock_init(&fixture.clock);
    fixture.clock.wall_s = RECORDS_TIME_S;
    if (cvg_cache_open(NULL, TTL_S, &fixture.clock.clock, &fixture.cache, NULL) != CVG_OK)
        return -1;
    cvg_cache_set_notaries(fixture.cache, records_notaries, 4);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cvg_cache_close(fixture.cache);
    return 0;
}

static void put(unsigned i)
{
    struct cvg_cache_record record;

    records_make(i, &record);
    cvg_cache_put(fixture.cache, &record);
}

static enum cvg_error find(unsigned i, uint32_t uid, struct cvg_cache_record *ret_record)
{
    struct cvg_cache_record record;

    records_make(i, &record);
    return cvg_cache_find(fixture.cache, &record.endpoint, record.leaf_sha256, uid, ret_record);
}

static uint64_t count(void)
{
    struct cvg_cache_status status;

    cvg_cache_status(fixture.cache, &status);
    return status.records;
}

static void what_was_put_is_found(void **state)
{
    struct cvg_cache_record found;

    (void)state;
    for (unsigned i = 0; i < 3000; i++)
        put(i);
    assert_int_equal(count(), 3000);
    for (unsigned i = 0; i < 3000; i++) {
        assert_int_equal(find(i, 1000, &found), CVG_OK);
        assert_true(records_is(i, &found));
        assert_int_equal(found.uid_count, 1);
    }
    assert_int_equal(find(3000, 1000, &found), CVG_ERR_NOT_FOUND);
}

static void not_found_leaves_the_result_alone(void **state)
{
    struct cvg_cache_record found, before;

    (void)state;
    memset(&found, 0x5a, sizeof found);
    before = found;
    assert_int_equal(find(1, 1000, &found), CVG_ERR_NOT_FOUND);
    assert_memory_equal(&found, &before, sizeof found);
}

static void another_host_port_or_leaf_is_not_found(void **state)
{
    struct cvg_cache_record record;
    struct cvg_endpoint other;

    (void)state;
    records_make(0, &record);
    cvg_cache_put(fixture.cache, &record);
    other = record.endpoint;
    other.port++;
    assert_int_equal(cvg_cache_find(fixture.cache, &other, record.leaf_sha256, 0, NULL),
                     CVG_ERR_NOT_FOUND);
    other = record.endpoint;
    other.host[0]++;
    assert_int_equal(cvg_cache_find(fixture.cache, &other, record.leaf_sha256, 0, NULL),
                     CVG_ERR_NOT_FOUND);
    for (size_t i = 0; i < CVG_SHA256_LEN; i++) {
        record.leaf_sha256[i] ^= 1;
        assert_int_equal(
            cvg_cache_find(fixture.cache, &record.endpoint, record.leaf_sha256, 0, NULL),
            CVG_ERR_NOT_FOUND);
        record.leaf_sha256[i] ^= 1;
    }
}

static void fingerprints_and_keys_find_too(void **state)
{
    struct cvg_cache_record record, found;
    struct cvg_fingerprint fingerprint = {.len = CVG_SHA1_LEN};

    (void)state;
    put(7);
    records_make(7, &record);
    memcpy(fingerprint.bytes, record.leaf_sha1, CVG_SHA1_LEN);
    assert_int_equal(
        cvg_cache_find_fingerprint(fixture.cache, &record.endpoint, &fingerprint, 1000, &found),
        CVG_OK);
    assert_true(records_is(7, &found));
    fingerprint.bytes[19] ^= 1;
    assert_int_equal(
        cvg_cache_find_fingerprint(fixture.cache, &record.endpoint, &fingerprint, 1000, NULL),
        CVG_ERR_NOT_FOUND);
    fingerprint.len = 0;
    assert_int_equal(
        cvg_cache_find_fingerprint(fixture.cache, &record.endpoint, &fingerprint, 1000, NULL),
        CVG_ERR_NOT_FOUND);
    fingerprint.len = CVG_SHA256_LEN;
    memcpy(fingerprint.bytes, record.leaf_sha256, CVG_SHA256_LEN);
    assert_int_equal(
        cvg_cache_find_fingerprint(fixture.cache, &record.endpoint, &fingerprint, 1000, NULL),
        CVG_OK);
    assert_true(cvg_cache_knows_key(fixture.cache, &record.endpoint, record.spki_sha256));
    record.spki_sha256[0] ^= 1;
    assert_false(cvg_cache_knows_key(fixture.cache, &record.endpoint, record.spki_sha256));
}

static void last_second_of_the_ttl_and_first_past_it(void **state)
{
    (void)state;
    put(1);
    fixture.clock.wall_s = RECORDS_TIME_S + TTL_S - 1;
    assert_int_equal(find(1, 1000, NULL), CVG_OK);
    fixture.clock.wall_s++;
    assert_int_equal(find(1, 1000, NULL), CVG_ERR_NOT_FOUND);
    cvg_cache_flush(fixture.cache);
    assert_int_equal(count(), 0);
}

/* That many voters are enough. */
static void set_policy(uint64_t ttl_s, unsigned voters, bool keys_count)
{
    const struct cvg_policy policy = {.threshold = CVG_THRESHOLD_COUNT, .count = voters};

    cvg_cache_set_policy(fixture.cache, ttl_s, &policy, keys_count);
}

static void another_ttl_holds_for_what_is_stored_already(void **state)
{
    (void)state;
    put(1);
    fixture.clock.wall_s = RECORDS_TIME_S + 100;
    set_policy(100, 1, false);
    assert_int_equal(find(1, 1000, NULL), CVG_ERR_NOT_FOUND);
    set_policy(101, 1, false);
    assert_int_equal(find(1, 1000, NULL), CVG_OK);
}

static void a_dissent_that_was_overruled_counts_where_all_must_agree(void **state)
{
    struct cvg_policy policy = {.threshold = CVG_THRESHOLD_MAJORITY, .min_votes = 2};
    struct cvg_cache_record record;

    (void)state;
    records_make(1, &record);
    record.voter_count = 2; /* of three */
    cvg_cache_put(fixture.cache, &record);
    records_make(2, &record);
    record.voter_count = record.electorate = 2; /* the third stood aside */
    cvg_cache_put(fixture.cache, &record);
    cvg_cache_set_policy(fixture.cache, TTL_S, &policy, false);
    assert_int_equal(find(1, 1000, NULL), CVG_OK);
    assert_int_equal(find(2, 1000, NULL), CVG_OK);
    policy.threshold = CVG_THRESHOLD_CONSENSUS;
    cvg_cache_set_policy(fixture.cache, TTL_S, &policy, false);
    assert_int_equal(find(1, 1000, NULL), CVG_ERR_NOT_FOUND);
    assert_int_equal(find(2, 1000, NULL), CVG_OK);
}

static void a_stricter_policy_does_not_find_what_too_few_voted_for(void **state)
{
    (void)state;
    put(1); /* three voters */
    set_policy(TTL_S, 3, false);
    assert_int_equal(find(1, 1000, NULL), CVG_OK);
    set_policy(TTL_S, 4, false);
    assert_int_equal(find(1, 1000, NULL), CVG_ERR_NOT_FOUND);
    set_policy(TTL_S, 0, false);
    assert_int_equal(find(1, 1000, NULL), CVG_OK);
}

static void votes_about_the_key_alone_count_only_where_keys_do(void **state)
{
    struct cvg_cache_record record;

    (void)state;
    records_make(1, &record);
    record.by_key = true;
    cvg_cache_put(fixture.cache, &record);
    assert_int_equal(find(1, 1000, NULL), CVG_ERR_NOT_FOUND);
    assert_false(cvg_cache_knows_key(fixture.cache, &record.endpoint, record.spki_sha256));
    set_policy(TTL_S, 1, true);
    assert_int_equal(find(1, 1001, &record), CVG_OK);
    assert_true(record.by_key);
    set_policy(TTL_S, 1, false);
    assert_int_equal(find(1, 1001, NULL), CVG_ERR_NOT_FOUND);
}

static void a_clock_set_back_finds_nothing_from_the_future(void **state)
{
    (void)state;
    put(1);
    fixture.clock.wall_s = RECORDS_TIME_S - 1;
    assert_int_equal(find(1, 1000, NULL), CVG_ERR_NOT_FOUND);
    fixture.clock.wall_s = 0;
    assert_int_equal(find(1, 1000, NULL), CVG_ERR_NOT_FOUND);
    fixture.clock.wall_s = -5;
    assert_int_equal(find(1, 1000, NULL), CVG_ERR_NOT_FOUND);
    cvg_cache_flush(fixture.cache);
    fixture.clock.wall_s = RECORDS_TIME_S;
    assert_int_equal(find(1, 1000, NULL), CVG_OK);
}

static void times_that_no_record_can_have_are_not_stored(void **state)
{
    struct cvg_cache_record record;

    (void)state;
    records_make(1, &record);
    record.verified_s = -1;
    cvg_cache_put(fixture.cache, &record);
    record.verified_s = (int64_t)UINT32_MAX + 1 + RECORDS_TIME_S;
    cvg_cache_put(fixture.cache, &record);
    assert_int_equal(count(), 0);
}

static void a_removed_voter_takes_its_records_along(void **state)
{

    (void)state;
    for (unsigned i = 0; i < 400; i++)
        put(i);
    cvg_cache_set_notaries(fixture.cache, records_notaries + 1, 3);
    assert_int_equal(count(), 100);
    for (unsigned i = 0; i < 400; i++)
        assert_int_equal(find(i, 1000, NULL), i % 4 == 1 ? CVG_OK : CVG_ERR_NOT_FOUND);
    cvg_cache_set_notaries(fixture.cache, records_notaries, 4);
    assert_int_equal(count(), 100);
}

static void another_operator_of_the_same_name_is_another_voter(void **state)
{
    struct cvg_voter notaries[4];

    (void)state;
    memcpy(notaries, records_notaries, sizeof notaries);
    notaries[0].identity[CVG_VOTER_IDENTITY_LEN - 1] ^= 1;
    for (unsigned i = 0; i < 8; i++)
        put(i);
    cvg_cache_set_notaries(fixture.cache, notaries, 4);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(find(i, 1000, NULL), i % 4 == 1 ? CVG_OK : CVG_ERR_NOT_FOUND);
    put(0); /* a vote that began before the bundle was replaced */
    assert_int_equal(count(), 2);
}

static void only_configured_voters_count(void **state)
{
    struct cvg_cache_record record;

    (void)state;
    records_make(1, &record);
    record.voter_count = 0;
    cvg_cache_put(fixture.cache, &record);
    records_make(1, &record);
    strcpy(record.voter[2].name, "mallory");
    cvg_cache_put(fixture.cache, &record);
    assert_int_equal(count(), 0);
    put(1);
    cvg_cache_set_notaries(fixture.cache, NULL, 0);
    assert_int_equal(find(1, 1000, NULL), CVG_ERR_NOT_FOUND);
}

static void putting_again_renews_and_keeps_the_askers(void **state)
{
    struct cvg_cache_record record, found;

    (void)state;
    put(1);
    records_make(1, &record);
    record.verified_s += 60;
    record.uid[0] = 1001;
    cvg_cache_put(fixture.cache, &record);
    assert_int_equal(count(), 1);
    assert_int_equal(find(1, UINT32_MAX, &found), CVG_ERR_NOT_FOUND); /* from the future */
    fixture.clock.wall_s += 60;
    assert_int_equal(find(1, UINT32_MAX, &found), CVG_OK);
    assert_int_equal(found.verified_s, RECORDS_TIME_S + 60);
    assert_int_equal(found.uid_count, 2);
}

static void an_endpoint_may_have_several_certificates_but_not_many(void **state)
{
    struct cvg_cache_record record;

    (void)state;
    fixture.clock.wall_s += 1000;
    for (unsigned i = 0; i < 100; i++) {
        records_make(1, &record);
        record.leaf_sha256[0] = (uint8_t)i;
        record.verified_s += i;
        cvg_cache_put(fixture.cache, &record);
    }
    assert_int_equal(count(), 64);
    record.leaf_sha256[0] = 35;
    assert_int_equal(cvg_cache_find(fixture.cache, &record.endpoint, record.leaf_sha256, 0, NULL),
                     CVG_ERR_NOT_FOUND);
    record.leaf_sha256[0] = 36;
    assert_int_equal(cvg_cache_find(fixture.cache, &record.endpoint, record.leaf_sha256, 0, NULL),
                     CVG_OK);
}

static bool collect(const struct cvg_cache_record *record, void *user)
{
    (void)record;
    ++*(unsigned *)user;
    return true;
}

static unsigned seen_by(uint32_t uid)
{
    unsigned seen = 0;

    cvg_cache_each(fixture.cache, uid, collect, &seen);
    return seen;
}

static void each_shows_a_user_only_what_the_user_asked(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++)
        put(i);
    assert_int_equal(find(3, 1001, NULL), CVG_OK);
    assert_int_equal(find(4, 1001, NULL), CVG_OK);
    assert_int_equal(seen_by(1001), 2);
    assert_int_equal(seen_by(1000), 10);
    assert_int_equal(seen_by(1002), 0);
    assert_int_equal(seen_by(UINT32_MAX), 10);
    fixture.clock.wall_s += TTL_S;
    assert_int_equal(seen_by(UINT32_MAX), 0);
}

static void more_askers_than_fit_are_noted_as_such(void **state)
{
    struct cvg_cache_record found;

    (void)state;
    put(1);
    for (uint32_t uid = 1001; uid < 1020; uid++)
        assert_int_equal(find(1, uid, NULL), CVG_OK);
    assert_int_equal(find(1, UINT32_MAX, &found), CVG_OK);
    assert_int_equal(found.uid_count, 7);
    assert_int_equal(found.uid[6], UINT32_MAX);
    assert_int_equal(count(), 1);
    assert_int_equal(seen_by(1000), 1);
    assert_int_equal(cvg_cache_forget(fixture.cache, NULL, 0, 1000), 0);
}

static void forgetting_is_by_host_port_and_asker(void **state)
{
    struct cvg_cache_record record;

    (void)state;
    records_make(0, &record);
    cvg_cache_put(fixture.cache, &record);
    record.endpoint.port = 8443;
    cvg_cache_put(fixture.cache, &record);
    put(1);
    put(2);
    assert_int_equal(find(2, 1001, NULL), CVG_OK);
    assert_int_equal(cvg_cache_forget(fixture.cache, "WWW.shop-0.example.com.", 8443, UINT32_MAX),
                     1);
    assert_int_equal(cvg_cache_forget(fixture.cache, "www.shop-0.example.com", 0, 1001), 0);
    assert_int_equal(cvg_cache_forget(fixture.cache, "www.shop-0.example.com", 0, 1000), 1);
    assert_int_equal(cvg_cache_forget(fixture.cache, "no such host", 0, UINT32_MAX), 0);
    assert_int_equal(cvg_cache_forget(fixture.cache, NULL, 0, 1000), 1); /* 2 has another asker */
    assert_int_equal(count(), 1);
    assert_int_equal(cvg_cache_forget(fixture.cache, NULL, 0, UINT32_MAX), 1);
    assert_int_equal(count(), 0);
}

static void pages_that_are_mostly_forgotten_are_gathered(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 2000; i++)
            put(i);
        cvg_cache_flush(fixture.cache);
    }
    assert_int_equal(count(), 2000);
    for (unsigned i = 0; i < 2000; i++)
        assert_int_equal(find(i, 1000, NULL), CVG_OK);
}

static void a_full_cache_loses_its_oldest_records(void **state)
{
    uint64_t most;

    (void)state;
    for (unsigned i = 0; i < 330000; i++)
        put(i);
    assert_int_equal(count(), 330000); /* not full yet */
    for (unsigned i = 330000; i < 420000; i++)
        put(i);
    most = count();
    assert_true(most > 330000 && most < 400000);
    assert_int_equal(find(0, 1000, NULL), CVG_ERR_NOT_FOUND);
    for (unsigned i = 420000 - 330000; i < 420000; i += 1009)
        assert_int_equal(find(i, 1000, NULL), CVG_OK);
    cvg_cache_flush(fixture.cache);
    assert_int_equal(count(), most);
}

static void the_longest_names_fit(void **state)
{
    struct cvg_cache_record record, found;
    char host[CVG_HOST_MAX];
    struct cvg_voter notary = {.identity = {5}};

    (void)state;
    for (size_t i = 0; i < sizeof host - 1; i++)
        host[i] = i % 64 == 63 ? '.' : "abcdefghijklmnopqrstuvwxyz0123456789_-z"[i % 39];
    host[sizeof host - 1] = '\0';
    memset(notary.name, 'n', sizeof notary.name - 1);
    records_make(1, &record);
    for (size_t len = 1; len < sizeof host; len++) {
        if (cvg_endpoint_set(host, len, 65535, &record.endpoint, NULL) != CVG_OK)
            continue;
        record.voter[0] = notary;
        record.voter_count = 1;
        record.leaf_sha1[0] = (uint8_t)len;
        cvg_cache_set_notaries(fixture.cache, &notary, 1);
        cvg_cache_put(fixture.cache, &record);
        assert_int_equal(
            cvg_cache_find(fixture.cache, &record.endpoint, record.leaf_sha256, UINT32_MAX, &found),
            CVG_OK);
        assert_string_equal(found.endpoint.host, record.endpoint.host);
        assert_memory_equal(&found.voter[0], &notary, sizeof notary);
        assert_int_equal(found.leaf_sha1[0], (uint8_t)len);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(what_was_put_is_found),
        CASE(not_found_leaves_the_result_alone),
        CASE(another_host_port_or_leaf_is_not_found),
        CASE(fingerprints_and_keys_find_too),
        CASE(last_second_of_the_ttl_and_first_past_it),
        CASE(another_ttl_holds_for_what_is_stored_already),
        CASE(a_dissent_that_was_overruled_counts_where_all_must_agree),
        CASE(a_stricter_policy_does_not_find_what_too_few_voted_for),
        CASE(votes_about_the_key_alone_count_only_where_keys_do),
        CASE(a_clock_set_back_finds_nothing_from_the_future),
        CASE(times_that_no_record_can_have_are_not_stored),
        CASE(a_removed_voter_takes_its_records_along),
        CASE(another_operator_of_the_same_name_is_another_voter),
        CASE(only_configured_voters_count),
        CASE(putting_again_renews_and_keeps_the_askers),
        CASE(an_endpoint_may_have_several_certificates_but_not_many),
        CASE(each_shows_a_user_only_what_the_user_asked),
        CASE(more_askers_than_fit_are_noted_as_such),
        CASE(forgetting_is_by_host_port_and_asker),
        CASE(pages_that_are_mostly_forgotten_are_gathered),
        CASE(a_full_cache_loses_its_oldest_records),
        CASE(the_longest_names_fit),
    };

    return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
