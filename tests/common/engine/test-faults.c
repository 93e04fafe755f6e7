/* SPDX-License-Identifier: MIT */
/* Every allocation and system call of the cache, the bundles and the anchors fails in turn, once
 * and for ever. No fault makes a bundle good, loses a notary or shows a record that may not be
 * found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>

#include "common/engine/anchors.h"
#include "common/engine/breaker.h"
#include "common/engine/budget.h"
#include "common/engine/bundle.h"
#include "common/engine/negative.h"
#include "tests/common/engine/cache-records.h"
#include "tests/common/engine/fake-clock.h"
#include "tests/common/engine/faults.h"
#include "tests/common/protocol/bundle-maker.h"

#define FAULTS_MAX 20000 /* far more calls than any case makes */
#define TTL_S      7776000

static struct {
    struct fake_clock clock;
    struct cvg_paths paths;
    char directory[64];
    char cache[128];
    struct cvg_signing_key *key[3];
    char *certificate[2];
    char *good, *foreign, *update; /* of alpha: serial 1, signed by a stranger, serial 2 */
} with;

static void write_file(const char *name, const char *text)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", with.directory, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0644), 0);
}

static char *bundle_of(const char *name, unsigned serial, const char *certificate, size_t key,
                       size_t signer)
{
    const struct cvg_signing_key *keys[] = {with.key[key]};
    char *text = maker_text(name, serial, certificate, keys, 1, "");
    char *file = maker_sign(text, with.key[signer]);

    free(text);
    return file;
}

static int make_files(void)
{
    char *beta = bundle_of("beta", 1, with.certificate[1], 1, 1);
    char path[128];

    snprintf(path, sizeof path, "%s/notaries.d", with.directory);
    if (mkdir(path, 0755) != 0)
        return -1;
    snprintf(path, sizeof path, "%s/anchors", with.directory);
    if (mkdir(path, 0755) != 0)
        return -1;
    write_file("notaries.d/alpha.notary", with.good);
    write_file("notaries.d/beta.notary", beta);
    write_file("anchors/one.crt", with.certificate[0]);
    write_file("anchors/two.crt", with.certificate[1]);
    free(beta);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    fake_clock_init(&with.clock);
    with.clock.wall_s = RECORDS_TIME_S;
    strcpy(with.directory, "/tmp/cvg-faults-XXXXXX");
    if (mkdtemp(with.directory) == NULL)
        return -1;
    memset(&with.paths, 0, sizeof with.paths);
    with.paths.owner = geteuid();
    snprintf(with.paths.config_dir, sizeof with.paths.config_dir, "%s", with.directory);
    snprintf(with.paths.state_dir, sizeof with.paths.state_dir, "%s/state", with.directory);
    snprintf(with.cache, sizeof with.cache, "%s/cache.gdbm", with.directory);
    for (size_t i = 0; i < 3; i++)
        with.key[i] = maker_key();
    for (size_t i = 0; i < 2; i++)
        with.certificate[i] = maker_certificate("notary", 0);
    with.good = bundle_of("alpha", 1, with.certificate[0], 0, 0);
    with.foreign = bundle_of("alpha", 2, with.certificate[0], 0, 2);
    with.update = bundle_of("alpha", 2, with.certificate[0], 0, 0);
    return make_files();
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    for (size_t i = 0; i < 3; i++)
        cvg_signing_key_free(with.key[i]);
    for (size_t i = 0; i < 2; i++)
        free(with.certificate[i]);
    free(with.good);
    free(with.foreign);
    free(with.update);
    snprintf(command, sizeof command, "rm -rf '%s'", with.directory);
    return system(command);
}

/* Runs a case with the first call failing, then the second, until none is left that could. */
static void each_fault(void (*run)(void))
{
    for (int for_ever = 0; for_ever <= 1; for_ever++)
        for (unsigned nth = 1;; nth++) {
            assert_true(nth < FAULTS_MAX);
            faults_arm(nth, for_ever == 1);
            run();
            if (!faults_disarm())
                break;
        }
}

static void parse_bundles(void)
{
    struct cvg_bundle *bundle = NULL, *other = NULL;
    struct cvg_why why;

    if (cvg_bundle_parse(with.good, strlen(with.good), &bundle, &why) == CVG_OK) {
        assert_string_equal(bundle->name, "alpha");
        assert_int_equal(bundle->key_count, 1);
        assert_int_equal(bundle->host[0].address_count, 2);
        assert_int_not_equal(cvg_bundle_update(bundle, with.good, strlen(with.good), &other, &why),
                             CVG_OK);
        assert_null(other);
        if (cvg_bundle_update(bundle, with.update, strlen(with.update), &other, &why) == CVG_OK)
            assert_int_equal(other->serial, 2);
    } else {
        assert_null(bundle);
    }
    cvg_bundle_free(other);
    other = NULL;
    assert_int_not_equal(cvg_bundle_parse(with.foreign, strlen(with.foreign), &other, &why),
                         CVG_OK);
    assert_null(other);
    cvg_bundle_free(bundle);
}

static void no_fault_makes_a_bundle_good(void **state)
{
    (void)state;
    each_fault(parse_bundles);
}

static uint64_t expected_serial;

static void load_bundles(void)
{
    struct cvg_bundles bundles = {.count = 77};

    if (cvg_bundles_load(&with.paths, &bundles, NULL) != CVG_OK) {
        assert_int_equal(bundles.count, 77);
        return;
    }
    assert_int_equal(bundles.count, 2);
    assert_string_equal(bundles.bundle[0]->name, "alpha");
    assert_int_equal(bundles.bundle[0]->serial, expected_serial);
    assert_string_equal(bundles.bundle[1]->name, "beta");
    cvg_bundles_free(&bundles);
}

static void accept_update(void)
{
    struct cvg_bundle *old = NULL, *updated = NULL;

    if (cvg_bundle_parse(with.good, strlen(with.good), &old, NULL) != CVG_OK)
        return;
    if (cvg_bundle_accept(&with.paths, old, with.update, strlen(with.update), &updated, NULL) ==
        CVG_OK)
        assert_int_equal(updated->serial, 2);
    else
        assert_null(updated);
    cvg_bundle_free(updated);
    cvg_bundle_free(old);
}

static void no_fault_loses_a_notary_or_its_update(void **state)
{
    (void)state;
    expected_serial = 1;
    each_fault(load_bundles);
    each_fault(accept_update);
    expected_serial = 2;
    each_fault(load_bundles);
}

static void use_anchors(void)
{
    char path[128];
    struct cvg_anchors *anchors = NULL;
    uint8_t unknown[CVG_SHA256_LEN] = {1};

    snprintf(path, sizeof path, "%s/anchors", with.directory);
    if (cvg_anchors_new(path, geteuid(), &anchors) == CVG_OK) {
        size_t count = cvg_anchors_count(anchors);

        assert_true(count == 0 || count == 2);
        assert_int_equal(cvg_anchors_is_private(anchors, unknown), count == 2);
    } else {
        assert_null(anchors);
    }
    cvg_anchors_free(anchors);
}

static void no_fault_makes_a_public_anchor_private(void **state)
{
    (void)state;
    each_fault(use_anchors);
}

static bool may_be_found(const struct cvg_cache_record *record, void *user)
{
    unsigned i = 0;

    (void)user;
    assert_true(records_is_one(record, &i));
    assert_true(i >= 10 && i < 90);
    for (size_t v = 0; v < record->voter_count; v++)
        assert_string_not_equal(record->voter[v].name, "delta");
    return true;
}

static void put(struct cvg_cache *cache, unsigned i)
{
    struct cvg_cache_record record;

    records_make(i, &record);
    cvg_cache_put(cache, &record);
}

/* Stores 0 to 89, forgets 0 to 9, and takes one notary away. */
static void use_cache(void)
{
    struct cvg_cache_record record, found;
    struct cvg_cache *cache = NULL;

    if (cvg_cache_open(with.cache, TTL_S, &with.clock.clock, &cache, NULL) != CVG_OK) {
        assert_null(cache);
        return;
    }
    cvg_cache_set_notaries(cache, records_notaries, 4);
    for (unsigned i = 0; i < 90; i++)
        put(cache, i);
    for (unsigned i = 0; i < 10; i++) {
        records_make(i, &record);
        cvg_cache_forget(cache, record.endpoint.host, record.endpoint.port, UINT32_MAX);
        assert_int_equal(cvg_cache_find(cache, &record.endpoint, record.leaf_sha256, 0, NULL),
                         CVG_ERR_NOT_FOUND);
    }
    cvg_cache_set_notaries(cache, records_notaries, 3);
    cvg_cache_each(cache, UINT32_MAX, may_be_found, NULL);
    for (unsigned i = 10; i < 95; i++) {
        records_make(i, &record);
        if (cvg_cache_find(cache, &record.endpoint, record.leaf_sha256, 1001, &found) == CVG_OK)
            may_be_found(&found, NULL);
    }
    cvg_cache_close(cache);
}

static void no_fault_shows_a_record_that_may_not_be_found(void **state)
{
    (void)state;
    each_fault(use_cache);
}

static void make_limits(void)
{
    struct cvg_budget *budget = NULL;
    struct cvg_breaker *breaker = NULL;
    struct cvg_negative *negative = NULL;
    struct cvg_endpoint endpoint;
    struct cvg_fingerprint leaf = {.len = CVG_SHA256_LEN};
    struct cvg_answer answer = {.verdict = CVG_VERDICT_DISAGREE}, found = {.id = 7};

    assert_int_equal(cvg_endpoint_parse("site.example.com", 443, &endpoint, NULL), CVG_OK);
    if (cvg_budget_new(1, &with.clock.clock, &budget) == CVG_OK) {
        assert_true(cvg_budget_take(budget, 1));
        assert_false(cvg_budget_take(budget, 1));
    }
    if (cvg_breaker_new(&with.clock.clock, &breaker) == CVG_OK)
        for (unsigned i = 0; i < CVG_BREAKER_FAILURES; i++)
            cvg_breaker_failure(breaker, "a:443");
    if (cvg_negative_new(5, &with.clock.clock, &negative) == CVG_OK) {
        cvg_negative_put(negative, &endpoint, &leaf, &answer);
        if (cvg_negative_find(negative, &endpoint, &leaf, &found))
            assert_int_equal(found.verdict, CVG_VERDICT_DISAGREE);
        else
            assert_int_equal(found.id, 7);
    }
    cvg_budget_free(budget);
    cvg_breaker_free(breaker);
    cvg_negative_free(negative);
}

static void limits_survive_faults(void **state)
{
    (void)state;
    each_fault(make_limits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_fault_makes_a_bundle_good),
        cmocka_unit_test(no_fault_loses_a_notary_or_its_update),
        cmocka_unit_test(no_fault_makes_a_public_anchor_private),
        cmocka_unit_test(no_fault_shows_a_record_that_may_not_be_found),
        cmocka_unit_test(limits_survive_faults),
    };

    json_set_alloc_funcs(faults_malloc, free);
    return cmocka_run_group_tests_name("faults", tests, set_up, tear_down);
}
