/* SPDX-License-Identifier: MIT */
/* Questions and the probes they share, with a clock and a prober of the test's own: single-flight,
 * the interval, the second look, failures, refreshing, budgets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "notary/inquiry.h"

#define AGE_S       86400
#define INTERVAL_MS 10000
#define ASKED_MAX   32

/* What the linker puts in place of the allocator's and probe.c's functions. */
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
enum cvg_error __wrap_cvg_probe_start(const struct cvg_prober *prober,
                                      const struct cvg_endpoint *endpoint, uint8_t hint,
                                      cvg_probe_done *done, void *user,
                                      struct cvg_probe **ret_probe);
enum cvg_error __wrap_cvg_probe_again(struct cvg_probe *probe, bool thorough, cvg_probe_done *done);
void __wrap_cvg_probe_free(struct cvg_probe *probe);

struct cvg_probe {
    cvg_probe_done *done;
    void *user;
};

static struct fake {
    int64_t wall_s;
    uint64_t ms;
    struct cvg_probe *probe; /* under way */
    unsigned started, again, freed;
    bool again_fails;
    struct cvg_memory *memory;
    struct cvg_budget *budget;
    struct cvg_budget_client *client;
    struct cvg_inquirer *inquirer;
    struct cvg_finding finding[ASKED_MAX];
    bool answered[ASKED_MAX];
    struct cvg_inquiry *inquiry[ASKED_MAX];
    unsigned asked;
} fake;

enum cvg_error __wrap_cvg_probe_start(const struct cvg_prober *prober CVG_UNUSED,
                                      const struct cvg_endpoint *endpoint, uint8_t hint CVG_UNUSED,
                                      cvg_probe_done *done, void *user,
                                      struct cvg_probe **ret_probe)
{
    assert_string_equal(endpoint->host, "site.example");
    assert_int_equal(endpoint->port, 443);
    assert_null(fake.probe);
    fake.probe = calloc(1, sizeof(*fake.probe));
    if (fake.probe == NULL)
        return CVG_ERR_NOMEM;
    *fake.probe = (struct cvg_probe){.done = done, .user = user};
    fake.started++;
    *ret_probe = fake.probe;
    return CVG_OK;
}

enum cvg_error __wrap_cvg_probe_again(struct cvg_probe *probe, bool thorough CVG_UNUSED,
                                      cvg_probe_done *done)
{
    if (fake.again_fails)
        return CVG_ERR_BUSY;
    probe->done = done;
    fake.again++;
    return CVG_OK;
}

void __wrap_cvg_probe_free(struct cvg_probe *probe)
{
    assert_ptr_equal(probe, fake.probe);
    fake.probe = NULL;
    fake.freed++;
    free(probe);
}

/* Allocations until one fails; negative: none does. */
static int allocations_left = -1;

static bool allocation_fails(void)
{
    return allocations_left >= 0 && allocations_left-- == 0;
}

void *__wrap_malloc(size_t size)
{
    return allocation_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return allocation_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return allocation_fails() ? NULL : __real_realloc(memory, size);
}

static uint64_t fake_ms(void *user CVG_UNUSED)
{
    return fake.ms;
}

static int64_t fake_wall(void *user CVG_UNUSED)
{
    return fake.wall_s;
}

static const struct cvg_clock fake_clock = {.monotonic_ms = fake_ms, .wall_s = fake_wall};

static void pass_s(unsigned seconds)
{
    fake.wall_s += seconds;
    fake.ms += UINT64_C(1000) * seconds;
}

static void limit_probes(uint64_t per_minute)
{
    const struct cvg_budget_limits limits = {.connections = 1, .probes_per_minute = per_minute};
    cvg_budget_set(fake.budget, &limits);
}

static int set_up(void **state)
{
    static const struct cvg_prober prober;
    const struct cvg_address peer = {.family = 4, .bytes = {192, 0, 2, 1}};
    const struct cvg_inquiry_limits limits = {
        .max_age_s = AGE_S, .interval_ms = INTERVAL_MS, .max_flights = 2};
    (void)state;
    memset(&fake, 0, sizeof(fake));
    fake.wall_s = 1800000000;
    fake.ms = 5000;
    assert_int_equal(cvg_memory_new(4, &fake.memory), CVG_OK);
    assert_int_equal(cvg_budget_new(&fake.budget), CVG_OK);
    limit_probes(5);
    assert_int_equal(cvg_budget_enter(fake.budget, &peer, fake.ms, &fake.client), CVG_OK);
    assert_int_equal(
        cvg_inquirer_new(&prober, fake.memory, fake.budget, &fake_clock, &fake.inquirer), CVG_OK);
    cvg_inquirer_set(fake.inquirer, &limits);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cvg_inquirer_free(fake.inquirer);
    cvg_memory_free(fake.memory);
    cvg_budget_leave(fake.budget, fake.client);
    cvg_budget_free(fake.budget);
    assert_int_equal(fake.started, fake.freed);
    return 0;
}

static void answered(const struct cvg_finding *finding, void *user)
{
    unsigned which = *(const unsigned *)user;
    assert_false(fake.answered[which]);
    fake.answered[which] = true;
    fake.finding[which] = *finding;
    fake.inquiry[which] = NULL;
}

/* Asks for the leaf (0: whatever is known); returns the question's number. */
static unsigned ask_host(const char *host, uint8_t leaf, enum cvg_error expected)
{
    struct cvg_endpoint endpoint;
    struct cvg_wanted wanted = {.len = leaf == 0 ? 0 : CVG_SHA256_LEN};
    unsigned which = fake.asked++;
    static unsigned numbers[ASKED_MAX];
    numbers[which] = which;
    memset(wanted.digest, leaf, sizeof(wanted.digest));
    assert_int_equal(cvg_endpoint_set(host, strlen(host), 443, &endpoint, NULL), CVG_OK);
    assert_int_equal(cvg_inquiry_start(fake.inquirer, &endpoint, 0, &wanted, fake.client, answered,
                                       &numbers[which], &fake.finding[which], &fake.inquiry[which]),
                     expected);
    if (expected == CVG_OK)
        fake.answered[which] = fake.inquiry[which] == NULL;
    return which;
}

static unsigned ask(uint8_t leaf)
{
    return ask_host("site.example", leaf, CVG_OK);
}

static void is(unsigned which, enum cvg_v2_status status, bool found)
{
    assert_true(fake.answered[which]);
    assert_int_equal(fake.finding[which].status, status);
    assert_int_equal(fake.finding[which].found, found);
}

/* A round of the probe ends: with the leaf at that address, or with an error. */
static void round_ends(enum cvg_error err, uint8_t leaf, enum cvg_key_type key_type,
                       uint8_t address)
{
    struct cvg_probe_result result = {.error = err, .count = err == CVG_OK ? 1 : 0};
    assert_non_null(fake.probe);
    result.sighting[0].leaf.key_type = key_type;
    memset(result.sighting[0].leaf.sha256, leaf, CVG_SHA256_LEN);
    memset(result.sighting[0].leaf.sha1, leaf, CVG_SHA1_LEN);
    result.sighting[0].address = (struct cvg_address){.family = 4, .bytes = {203, 0, 113, address}};
    fake.probe->done(fake.probe, &result, fake.probe->user);
}

static void sees(uint8_t leaf)
{
    round_ends(CVG_OK, leaf, CVG_KEY_EC, 1);
}

static void everybody_shares_one_probe(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++)
        assert_false(fake.answered[ask(1)]);
    sees(1);
    for (unsigned i = 0; i < 8; i++)
        is(i, CVG_V2_SEEN, true);
    assert_int_equal(fake.started, 1);
    assert_int_equal(fake.again, 0);
    is(ask(1), CVG_V2_SEEN, true);
    assert_int_equal(fake.started, 1);
}

static void second_look_before_a_no(void **state)
{
    (void)state;
    unsigned yes = ask(1), rsa = ask(2), no = ask(3);
    sees(1);
    is(yes, CVG_V2_SEEN, true);
    assert_false(fake.answered[rsa] || fake.answered[no]);
    assert_int_equal(fake.again, 1);
    round_ends(CVG_OK, 2, CVG_KEY_RSA, 1);
    is(rsa, CVG_V2_SEEN, true);
    is(no, CVG_V2_SEEN, false);
    assert_int_equal(fake.started, 1);
}

static void second_look_that_fails_is_still_a_no(void **state)
{
    (void)state;
    unsigned no = ask(3);
    sees(1);
    round_ends(CVG_ERR_TIMEOUT, 0, CVG_KEY_OTHER, 0);
    is(no, CVG_V2_SEEN, false);
    fake.again_fails = true;
    pass_s(10);
    no = ask(3);
    sees(1);
    is(no, CVG_V2_SEEN, false);
}

static void random_fingerprints_wait_for_the_interval(void **state)
{
    (void)state;
    (void)ask(9);
    sees(1);
    sees(1);
    for (uint8_t leaf = 10; leaf < 20; leaf++)
        is(ask(leaf), CVG_V2_SEEN, false);
    assert_int_equal(fake.started, 1);
    fake.ms += INTERVAL_MS - 1;
    is(ask(20), CVG_V2_SEEN, false);
    assert_int_equal(fake.started, 1);
    fake.ms += 1;
    assert_false(fake.answered[ask(21)]);
    assert_int_equal(fake.started, 2);
}

static void leaving_wins_no_other_probe(void **state)
{
    (void)state;
    cvg_inquiry_cancel(fake.inquiry[ask(9)]);
    sees(1);
    assert_int_equal(fake.again, 1);
    cvg_inquiry_cancel(fake.inquiry[ask(10)]);
    sees(1);
    for (uint8_t leaf = 11; leaf < 20; leaf++)
        is(ask(leaf), CVG_V2_SEEN, false);
    assert_int_equal(fake.started, 1);
}

static void unreachable_is_remembered_for_the_interval(void **state)
{
    (void)state;
    unsigned first = ask(1);
    round_ends(CVG_ERR_TIMEOUT, 0, CVG_KEY_OTHER, 0);
    is(first, CVG_V2_UNREACHABLE, false);
    is(ask(1), CVG_V2_UNREACHABLE, false);
    is(ask(0), CVG_V2_UNREACHABLE, false);
    assert_int_equal(fake.started, 1);
    pass_s(10);
    unsigned second = ask(1);
    sees(1);
    is(second, CVG_V2_SEEN, true);
}

static void refused_is_not_public(void **state)
{
    (void)state;
    unsigned first = ask(1);
    round_ends(CVG_ERR_REFUSED, 0, CVG_KEY_OTHER, 0);
    is(first, CVG_V2_NOT_PUBLIC, false);
    assert_int_equal(fake.again, 0);
}

static void unreachable_now_is_no_no(void **state)
{
    (void)state;
    (void)ask(1);
    sees(1);
    pass_s(60);
    unsigned other = ask(2);
    round_ends(CVG_ERR_UNREACHABLE, 0, CVG_KEY_OTHER, 0);
    is(other, CVG_V2_UNREACHABLE, false);
    is(ask(1), CVG_V2_SEEN, true);
    is(ask(2), CVG_V2_UNREACHABLE, false);
}

static void replaced_certificate_says_no(void **state)
{
    (void)state;
    (void)ask(1);
    sees(1);
    pass_s(60);
    unsigned new = ask(2);
    sees(2);
    is(new, CVG_V2_SEEN, true);
    unsigned old = ask(1);
    assert_false(fake.answered[old]);
    sees(2);
    sees(2);
    is(old, CVG_V2_SEEN, false);
    assert_int_equal(fake.finding[old].target->observations.count, 2);
}

static void aged_observation_is_looked_at_again(void **state)
{
    (void)state;
    (void)ask(1);
    sees(1);
    pass_s(AGE_S / 2 - 1);
    is(ask(1), CVG_V2_SEEN, true);
    assert_int_equal(fake.started, 1);
    pass_s(AGE_S / 2 + 1);
    unsigned late = ask(1);
    assert_false(fake.answered[late]);
    sees(2);
    sees(2);
    is(late, CVG_V2_SEEN, false);
}

static void refreshed_in_the_background(void **state)
{
    (void)state;
    (void)ask(1);
    sees(1);
    pass_s(AGE_S / 2);
    is(ask(1), CVG_V2_SEEN, true);
    assert_int_equal(fake.started, 2);
    is(ask(1), CVG_V2_SEEN, true);
    assert_int_equal(fake.started, 2);
    sees(1);
    pass_s(AGE_S - 1);
    assert_int_equal(cvg_inquirer_flights(fake.inquirer), 0);
    is(ask(1), CVG_V2_SEEN, true);
}

static void failed_refresh_does_not_repeat_at_once(void **state)
{
    (void)state;
    (void)ask(1);
    sees(1);
    pass_s(AGE_S / 2);
    is(ask(1), CVG_V2_SEEN, true);
    round_ends(CVG_ERR_TIMEOUT, 0, CVG_KEY_OTHER, 0);
    is(ask(1), CVG_V2_SEEN, true);
    assert_int_equal(fake.started, 2);
}

static void cancelled_question_is_not_answered(void **state)
{
    (void)state;
    unsigned first = ask(1), second = ask(1);
    cvg_inquiry_cancel(fake.inquiry[first]);
    sees(1);
    assert_false(fake.answered[first]);
    is(second, CVG_V2_SEEN, true);
}

static void last_waiter_gone(void **state)
{
    (void)state;
    cvg_inquiry_cancel(fake.inquiry[ask(1)]);
    sees(1);
    is(ask(1), CVG_V2_SEEN, true);
    assert_int_equal(fake.started, 1);
}

static void budget_of_the_client(void **state)
{
    (void)state;
    limit_probes(1);
    (void)ask(1);
    sees(1);
    pass_s(59);
    (void)ask_host("site.example", 2, CVG_ERR_BUSY);
    is(ask(1), CVG_V2_SEEN, true);
    pass_s(1);
    unsigned other = ask(2);
    sees(2);
    is(other, CVG_V2_SEEN, true);
}

static void budget_of_the_notary(void **state)
{
    const struct cvg_inquiry_limits limits = {
        .max_age_s = AGE_S, .interval_ms = INTERVAL_MS, .max_flights = 1};
    (void)state;
    cvg_inquirer_set(fake.inquirer, &limits);
    unsigned first = ask(1), same = ask(1);
    (void)ask_host("other.example", 1, CVG_ERR_BUSY);
    sees(1);
    is(first, CVG_V2_SEEN, true);
    is(same, CVG_V2_SEEN, true);
}

static void memory_keeps_what_is_used(void **state)
{
    static const char *const others[] = {"a.example", "b.example", "c.example", "d.example"};
    const struct cvg_inquiry_limits none = {
        .max_age_s = AGE_S, .interval_ms = INTERVAL_MS, .max_flights = 0};
    (void)state;
    unsigned first = ask(1);
    /* Four targets fit; the one with a flight stays whatever comes. */
    cvg_inquirer_set(fake.inquirer, &none);
    for (size_t i = 0; i < 4; i++)
        (void)ask_host(others[i], 1, CVG_ERR_BUSY);
    sees(1);
    is(first, CVG_V2_SEEN, true);
    is(ask(1), CVG_V2_SEEN, true);
    for (size_t i = 0; i < 4; i++)
        (void)ask_host(others[i], 1, CVG_ERR_BUSY);
    /* Without a store, what went is not known any more. */
    (void)ask_host("site.example", 1, CVG_ERR_BUSY);
}

/* One question about leaf 2 where leaf 1 is shown, with the allocation of that number failing: how
 * it ends. */
static void ask_with_fault(int number, uint8_t shown, bool *ret_found)
{
    struct cvg_endpoint endpoint;
    struct cvg_wanted wanted = {.len = CVG_SHA256_LEN};
    static unsigned zero;
    memset(wanted.digest, 2, sizeof(wanted.digest));
    assert_int_equal(cvg_endpoint_set("site.example", 12, 443, &endpoint, NULL), CVG_OK);
    fake.again_fails = true;
    allocations_left = number;
    enum cvg_error err = cvg_inquiry_start(fake.inquirer, &endpoint, 0, &wanted, fake.client,
                                           answered, &zero, &fake.finding[0], &fake.inquiry[0]);
    while (fake.probe != NULL)
        sees(shown);
    allocations_left = -1;
    *ret_found = err == CVG_OK && fake.answered[0] && fake.finding[0].found;
    if (err == CVG_OK && fake.answered[0] && !*ret_found && shown == 2)
        assert_int_equal(fake.finding[0].status, CVG_V2_UNREACHABLE);
}

static void no_fault_says_yes(void **state)
{
    for (uint8_t shown = 1; shown <= 2; shown++) {
        bool found = false;
        int number = 0;
        for (; number < 40; number++) {
            assert_int_equal(tear_down(state), 0);
            assert_int_equal(set_up(state), 0);
            ask_with_fault(number, shown, &found);
            assert_false(shown == 1 && found);
        }
        assert_int_equal(found, shown == 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everybody_shares_one_probe, set_up, tear_down),
        cmocka_unit_test_setup_teardown(second_look_before_a_no, set_up, tear_down),
        cmocka_unit_test_setup_teardown(second_look_that_fails_is_still_a_no, set_up, tear_down),
        cmocka_unit_test_setup_teardown(random_fingerprints_wait_for_the_interval, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(leaving_wins_no_other_probe, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unreachable_is_remembered_for_the_interval, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(refused_is_not_public, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unreachable_now_is_no_no, set_up, tear_down),
        cmocka_unit_test_setup_teardown(replaced_certificate_says_no, set_up, tear_down),
        cmocka_unit_test_setup_teardown(aged_observation_is_looked_at_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refreshed_in_the_background, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failed_refresh_does_not_repeat_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cancelled_question_is_not_answered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(last_waiter_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(budget_of_the_client, set_up, tear_down),
        cmocka_unit_test_setup_teardown(budget_of_the_notary, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_fault_says_yes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(memory_keeps_what_is_used, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
