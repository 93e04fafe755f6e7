/* SPDX-License-Identifier: MIT */
/* The set of verifiers, with units out of a script: who is asked about what, how opinions add up,
 * and what becomes of those that are late, cancelled or without memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "notary/table.h"
#include "notary/verifiers.h"

#define T0 INT64_C(1800000000)

enum { DANE, CT, PINS };

/* A unit: says at once what `opinion` holds, or, if it is slow, when the test lets it. */
struct cvg_verification {
    cvg_verifier_done *done;
    void *user;
};
static struct unit {
    struct cvg_verifier base; /* first: casts */
    bool slow;
    uint8_t opinion[CVG_SIGHTINGS_MAX];
    struct cvg_verification verification; /* done: under way */
    size_t asked_about;                   /* sightings, the last time */
    unsigned asked, cancelled, freed;
} unit[CVG_OPINIONS];

static uv_loop_t loop;
static struct cvg_metrics metrics;
static struct cvg_verifiers *verifiers;
static unsigned done_calls;
static bool no_memory;

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
    return no_memory ? NULL : __real_calloc(n, size);
}

static struct cvg_verification *start(struct cvg_verifier *verifier,
                                      const struct cvg_evidence *evidence, cvg_verifier_done *done,
                                      void *user, struct cvg_judgements *ret_judgements)
{
    struct unit *self = (struct unit *)(void *)verifier;
    self->asked++;
    self->asked_about = evidence->count;
    assert_int_equal(ret_judgements->verifier, verifier->id);
    assert_string_equal(evidence->endpoint.host, "site.example");
    if (self->slow) {
        self->verification = (struct cvg_verification){done, user};
        return &self->verification;
    }
    memcpy(ret_judgements->opinion, self->opinion, evidence->count);
    return NULL;
}

static void cancel(struct cvg_verification *verification)
{
    struct unit *self = CVG_CONTAINER_OF(verification, struct unit, verification);
    self->cancelled++;
    verification->done = NULL;
}

static void free_unit(struct cvg_verifier *verifier)
{
    ((struct unit *)(void *)verifier)->freed++;
}

/* The slow unit speaks. */
static void speak(struct unit *self)
{
    struct cvg_judgements judgements = {.verifier = self->base.id};
    struct cvg_verification verification = self->verification;
    memcpy(judgements.opinion, self->opinion, sizeof(self->opinion));
    self->verification.done = NULL;
    verification.done(&judgements, verification.user);
}

static enum cvg_error make_unit(size_t which, enum cvg_verifier_id id,
                                struct cvg_verifier **ret_verifier)
{
    unit[which] =
        (struct unit){.base = {.id = id, .start = start, .cancel = cancel, .free = free_unit}};
    *ret_verifier = &unit[which].base;
    return CVG_OK;
}

enum cvg_error __wrap_cvg_verifier_dane_new(struct cvg_resolver *resolver,
                                            struct cvg_metrics *counted,
                                            struct cvg_verifier **ret_verifier);
enum cvg_error __wrap_cvg_verifier_ct_new(const char *logs, unsigned min,
                                          struct cvg_verifier **ret_verifier,
                                          struct cvg_why *ret_why);
enum cvg_error __wrap_cvg_verifier_pins_new(const char *file, struct cvg_verifier **ret_verifier,
                                            struct cvg_why *ret_why);

enum cvg_error __wrap_cvg_verifier_dane_new(struct cvg_resolver *resolver,
                                            struct cvg_metrics *counted,
                                            struct cvg_verifier **ret_verifier)
{
    assert_null(resolver);
    assert_ptr_equal(counted, &metrics);
    return make_unit(DANE, CVG_VERIFIER_DANE, ret_verifier);
}

enum cvg_error __wrap_cvg_verifier_ct_new(const char *logs, unsigned min,
                                          struct cvg_verifier **ret_verifier,
                                          struct cvg_why *ret_why)
{
    (void)ret_why;
    assert_string_equal(logs, "/logs");
    assert_int_equal(min, 3);
    return make_unit(CT, CVG_VERIFIER_CT, ret_verifier);
}

enum cvg_error __wrap_cvg_verifier_pins_new(const char *file, struct cvg_verifier **ret_verifier,
                                            struct cvg_why *ret_why)
{
    if (strcmp(file, "/pins") != 0)
        return cvg_fail(ret_why, CVG_ERR_CONFIG, "no");
    return make_unit(PINS, CVG_VERIFIER_PINS, ret_verifier);
}

static enum cvg_error make_set(unsigned set, const char *pins)
{
    struct cvg_settings settings = {.verifiers = set, .ct_logs = "/logs", .ct_min = 3};
    strcpy(settings.pins, pins);
    memset(unit, 0, sizeof(unit));
    memset(&metrics, 0, sizeof(metrics));
    done_calls = 0;
    verifiers = NULL;
    return cvg_verifiers_new(&loop, &settings, NULL, &metrics, &verifiers, NULL);
}

#define NETWORK 1U << CVG_VERIFIER_NETWORK
#define ALL     (NETWORK | 1U << CVG_VERIFIER_DANE | 1U << CVG_VERIFIER_CT | 1U << CVG_VERIFIER_PINS)

static int make_all(void **state)
{
    (void)state;
    assert_int_equal(make_set(ALL, "/pins"), CVG_OK);
    return 0;
}

static int free_all(void **state)
{
    (void)state;
    cvg_verifiers_free(verifiers);
    for (size_t i = 0; i < CVG_OPINIONS; i++)
        assert_int_equal(unit[i].freed, 1);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0); /* nothing is left in the loop */
    return 0;
}

static struct cvg_probe_result seen_of(const char *leaves)
{
    struct cvg_probe_result seen = {.error = CVG_OK};
    for (const char *leaf = leaves; *leaf != '\0'; leaf++)
        memset(seen.sighting[seen.count++].leaf.sha256, *leaf, CVG_SHA256_LEN);
    return seen;
}

static void done(void *user)
{
    assert_ptr_equal(user, &done_calls);
    done_calls++;
}

static struct cvg_examination *examine(const char *leaves, uint64_t timeout_ms,
                                       struct cvg_examined *examined)
{
    struct cvg_probe_result seen = seen_of(leaves);
    struct cvg_endpoint endpoint;
    assert_int_equal(cvg_endpoint_parse("site.example", 443, &endpoint, NULL), CVG_OK);
    for (size_t i = 0; i < seen.count; i++)
        seen.sighting[i].chain = cvg_blob_new("chain", 5);
    struct cvg_examination *examination =
        cvg_examination_start(verifiers, &endpoint, &seen, timeout_ms, done, &done_calls, examined);
    for (size_t i = 0; i < seen.count; i++)
        cvg_blob_unref(seen.sighting[i].chain);
    return examination;
}

static int64_t counted(enum cvg_metric metric)
{
    return atomic_load(&metrics.value[metric]);
}

static void all_speak_at_once(void **state)
{
    struct cvg_examined examined = {.count = 0};
    (void)state;
    unit[DANE].opinion[0] = CVG_V2_OPINION_YES;
    unit[CT].opinion[1] = CVG_V2_OPINION_NO;
    assert_null(examine("ab", 1000, &examined));
    assert_int_equal(examined.verifiers, ALL & ~(NETWORK));
    assert_int_equal(examined.count, 2);
    assert_int_equal(examined.leaf[0].sha256[0], 'a');
    assert_int_equal(examined.leaf[0].opinion[DANE], CVG_V2_OPINION_YES);
    assert_int_equal(examined.leaf[0].opinion[CT], CVG_V2_OPINION_NONE);
    assert_int_equal(examined.leaf[1].opinion[CT], CVG_V2_OPINION_NO);
    assert_int_equal(done_calls, 0);
    assert_int_equal(counted(CVG_METRIC_OPINIONS_DANE + CVG_V2_OPINION_YES), 1);
    assert_int_equal(counted(CVG_METRIC_OPINIONS_DANE), 1);
    assert_int_equal(counted(CVG_METRIC_OPINIONS_CT + CVG_V2_OPINION_NO), 1);
    assert_int_equal(counted(CVG_METRIC_OPINIONS_PINS), 2);
}

static void last_to_speak_ends_it(void **state)
{
    struct cvg_examined examined = {.count = 0};
    (void)state;
    unit[DANE].slow = unit[PINS].slow = true;
    unit[DANE].opinion[0] = CVG_V2_OPINION_YES;
    unit[CT].opinion[0] = CVG_V2_OPINION_YES;
    unit[PINS].opinion[0] = CVG_V2_OPINION_NO;
    assert_non_null(examine("a", 60000, &examined));
    speak(&unit[PINS]);
    assert_int_equal(done_calls, 0);
    speak(&unit[DANE]);
    assert_int_equal(done_calls, 1);
    assert_int_equal(examined.leaf[0].opinion[DANE], CVG_V2_OPINION_YES);
    assert_int_equal(examined.leaf[0].opinion[CT], CVG_V2_OPINION_YES);
    assert_int_equal(examined.leaf[0].opinion[PINS], CVG_V2_OPINION_NO);
    assert_int_equal(counted(CVG_METRIC_VERIFIERS_LATE), 0);
}

static void late_ones_stand_aside(void **state)
{
    struct cvg_examined examined = {.count = 0};
    (void)state;
    unit[DANE].slow = true;
    unit[DANE].opinion[0] = CVG_V2_OPINION_YES;
    unit[CT].opinion[0] = CVG_V2_OPINION_YES;
    assert_non_null(examine("a", 1, &examined));
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(done_calls, 1);
    assert_int_equal(unit[DANE].cancelled, 1);
    assert_int_equal(examined.leaf[0].opinion[DANE], CVG_V2_OPINION_NONE);
    assert_int_equal(examined.leaf[0].opinion[CT], CVG_V2_OPINION_YES);
    assert_int_equal(counted(CVG_METRIC_VERIFIERS_LATE), 1);
}

static void cancelled_ones_are_not_heard(void **state)
{
    struct cvg_examined examined = {.count = 0};
    (void)state;
    unit[DANE].slow = unit[CT].slow = true;
    struct cvg_examination *examination = examine("a", 1, &examined);
    cvg_examination_cancel(examination);
    cvg_examination_cancel(NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(done_calls, 0);
    assert_int_equal(unit[DANE].cancelled, 1);
    assert_int_equal(unit[CT].cancelled, 1);
}

/* A reload waits for nobody, and takes nobody's word away. */
static void set_that_goes(void **state)
{
    struct cvg_examined one = {.count = 0}, other = {.count = 0};
    (void)state;
    unit[DANE].slow = true;
    unit[CT].opinion[0] = CVG_V2_OPINION_NO;
    struct cvg_examination *first = examine("a", 60000, &one);
    assert_non_null(first);
    assert_non_null(examine("b", 60000, &other));
    cvg_verifiers_free(verifiers);
    assert_int_equal(done_calls, 0);
    assert_int_equal(unit[DANE].freed, 0);
    unit[DANE].opinion[0] = CVG_V2_OPINION_YES;
    speak(&unit[DANE]);
    assert_int_equal(done_calls, 1);
    assert_int_equal(other.leaf[0].opinion[DANE], CVG_V2_OPINION_YES);
    assert_int_equal(other.leaf[0].opinion[CT], CVG_V2_OPINION_NO);
    assert_int_equal(unit[DANE].freed, 0);
    cvg_examination_cancel(first);
    assert_int_equal(unit[DANE].freed, 1);
    assert_int_equal(unit[CT].freed, 1);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(make_set(ALL, "/pins"), CVG_OK);
}

/* One certificate at three addresses, with other chains. */
static void no_is_more_than_yes(void **state)
{
    struct cvg_examined examined = {.count = 0};
    (void)state;
    memcpy(unit[DANE].opinion, (uint8_t[]){1, 2, 0}, 3);
    memcpy(unit[CT].opinion, (uint8_t[]){0, 1, 0}, 3);
    assert_null(examine("aaa", 1000, &examined));
    assert_int_equal(examined.count, 1);
    assert_int_equal(unit[DANE].asked_about, 3);
    assert_int_equal(examined.leaf[0].opinion[DANE], CVG_V2_OPINION_NO);
    assert_int_equal(examined.leaf[0].opinion[CT], CVG_V2_OPINION_YES);
}

static void second_round_asks_about_what_is_new(void **state)
{
    struct cvg_examined examined = {.count = 0};
    (void)state;
    unit[DANE].opinion[0] = CVG_V2_OPINION_YES;
    assert_null(examine("a", 1000, &examined));
    assert_null(examine("a", 1000, &examined));
    assert_int_equal(unit[DANE].asked, 1);
    unit[DANE].opinion[0] = CVG_V2_OPINION_NO;
    assert_null(examine("aba", 1000, &examined));
    assert_int_equal(unit[DANE].asked, 2);
    assert_int_equal(unit[DANE].asked_about, 1);
    assert_int_equal(examined.count, 2);
    assert_int_equal(examined.leaf[0].opinion[DANE], CVG_V2_OPINION_YES);
    assert_int_equal(examined.leaf[1].opinion[DANE], CVG_V2_OPINION_NO);
}

static void as_many_leaves_as_two_rounds_show(void **state)
{
    struct cvg_examined examined = {.count = 0};
    (void)state;
    assert_null(examine("abcdefgh", 1000, &examined));
    assert_null(examine("ijklmnop", 1000, &examined));
    assert_int_equal(examined.count, 2 * CVG_SIGHTINGS_MAX);
}

/* Without memory nobody is asked, and nobody keeps an opinion of before. */
static void without_memory_all_stand_aside(void **state)
{
    struct cvg_examined examined = {.count = 0};
    struct cvg_observations kept = {.count = 0};
    const struct cvg_probe_result seen = seen_of("a");
    const struct cvg_address address = {.family = 4, .bytes = {192, 0, 2, 1}};
    (void)state;
    assert_int_equal(cvg_observations_add(&kept, &seen.sighting[0].leaf, &address, T0), CVG_OK);
    unit[DANE].opinion[0] = CVG_V2_OPINION_YES;
    assert_null(examine("a", 1000, &examined));
    cvg_examined_keep(&examined, T0, &kept);
    assert_int_equal(kept.record[0].opinion[DANE], CVG_V2_OPINION_YES);
    examined = (struct cvg_examined){.count = 0};
    no_memory = true;
    assert_null(examine("a", 1000, &examined));
    no_memory = false;
    cvg_examined_keep(&examined, T0 + 1, &kept);
    assert_int_equal(kept.record[0].opinion[DANE], CVG_V2_OPINION_NONE);
    assert_int_equal(kept.checked_s[DANE], T0 + 1);
    cvg_observations_free(&kept);
}

static void only_who_is_chosen_is_asked(void **state)
{
    struct cvg_examined examined = {.count = 0};
    struct cvg_observations kept = {.count = 0};
    const struct cvg_probe_result seen = seen_of("a");
    const struct cvg_address address = {.family = 4, .bytes = {192, 0, 2, 1}};
    (void)state;
    cvg_verifiers_free(verifiers);
    assert_int_equal(make_set(NETWORK, ""), CVG_OK);
    assert_null(examine("a", 1000, &examined));
    assert_int_equal(examined.verifiers, 0);
    assert_int_equal(examined.count, 0);
    cvg_verifiers_free(verifiers);
    assert_int_equal(make_set(NETWORK | 1U << CVG_VERIFIER_PINS, "/pins"), CVG_OK);
    unit[PINS].opinion[0] = CVG_V2_OPINION_NO;
    assert_null(examine("a", 1000, &examined));
    assert_int_equal(cvg_observations_add(&kept, &seen.sighting[0].leaf, &address, T0), CVG_OK);
    cvg_examined_keep(&examined, T0, &kept);
    assert_int_equal(kept.record[0].opinion[PINS], CVG_V2_OPINION_NO);
    assert_int_equal(kept.checked_s[PINS], T0);
    assert_int_equal(kept.checked_s[DANE], 0);
    cvg_observations_free(&kept);
    cvg_verifiers_free(verifiers);
    assert_int_equal(make_set(ALL, "/pins"), CVG_OK);
}

static void one_that_cannot_be_made(void **state)
{
    (void)state;
    cvg_verifiers_free(verifiers);
    assert_int_equal(make_set(ALL, "/else"), CVG_ERR_CONFIG);
    assert_null(verifiers);
    assert_int_equal(unit[DANE].freed, 1);
    assert_int_equal(unit[CT].freed, 1);
    assert_int_equal(make_set(ALL, "/pins"), CVG_OK);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, make_all, free_all)
    const struct CMUnitTest tests[] = {
        CASE(all_speak_at_once),
        CASE(last_to_speak_ends_it),
        CASE(late_ones_stand_aside),
        CASE(cancelled_ones_are_not_heard),
        CASE(set_that_goes),
        CASE(no_is_more_than_yes),
        CASE(second_round_asks_about_what_is_new),
        CASE(as_many_leaves_as_two_rounds_show),
        CASE(without_memory_all_stand_aside),
        CASE(only_who_is_chosen_is_asked),
        CASE(one_that_cannot_be_made),
    };
    if (uv_loop_init(&loop) != 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return uv_loop_close(&loop) != 0 ? 1 : failed;
}
