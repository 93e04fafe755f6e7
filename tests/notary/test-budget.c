/* SPDX-License-Identifier: MIT */
/* Accounts of networks, with time given: what a minute allows, to the millisecond; that neither
 * hanging up nor changing networks wins anything; many threads at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>

#include "notary/budget.h"

#define START_MS UINT64_C(5000)
#define ACCOUNTS 65536 /* as many as budget.c keeps */

static const struct cvg_budget_limits few = {
    .connections = 2,
    .queries_per_minute = 6,
    .probes_per_minute = 3,
    .target_probes_per_minute = 2,
};

static struct cvg_address parse(const char *text)
{
    struct cvg_address address;
    assert_int_equal(cvg_address_parse(text, &address), CVG_OK);
    return address;
}

static int set_up(void **state)
{
    struct cvg_budget *budget = NULL;
    assert_int_equal(cvg_budget_new(&budget), CVG_OK);
    cvg_budget_set(budget, &few);
    *state = budget;
    return 0;
}

static int tear_down(void **state)
{
    cvg_budget_free(*state);
    return 0;
}

static struct cvg_budget_client *enter(struct cvg_budget *budget, const char *text, uint64_t now_ms)
{
    const struct cvg_address address = parse(text);
    struct cvg_budget_client *client = NULL;
    assert_int_equal(cvg_budget_enter(budget, &address, now_ms, &client), CVG_OK);
    return client;
}

static void networks(void **state)
{
    static const struct {
        const char *address, *network;
    } cases[] = {
        {"192.0.2.255", "192.0.2.0"},
        {"2001:db8:1:2ff:ffff::1", "2001:db8:1:200::"},
        {"::1", "::"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct cvg_address address = parse(cases[i].address);
        const struct cvg_address expected = parse(cases[i].network);
        struct cvg_address network;
        cvg_address_client(&address, &network);
        assert_true(cvg_address_equal(&network, &expected));
    }
}

static void connections_at_once(void **state)
{
    struct cvg_budget *budget = *state;
    struct cvg_budget_client *first = enter(budget, "192.0.2.1", START_MS);
    struct cvg_budget_client *second = enter(budget, "192.0.2.254", START_MS);
    struct cvg_budget_client *none = NULL;
    const struct cvg_address third = parse("192.0.2.7");
    assert_ptr_equal(first, second);
    assert_int_equal(cvg_budget_enter(budget, &third, START_MS, &none), CVG_ERR_BUSY);
    assert_null(none);
    cvg_budget_leave(budget, enter(budget, "192.0.3.1", START_MS));
    cvg_budget_leave(budget, first);
    assert_ptr_equal(enter(budget, "192.0.2.9", START_MS), second);
    cvg_budget_leave(budget, second);
    cvg_budget_leave(budget, second);
}

static void a_minutes_share_comes_back(void **state)
{
    struct cvg_budget *budget = *state;
    struct cvg_budget_client *client = enter(budget, "2001:db8::1", START_MS);
    for (int i = 0; i < 3; i++)
        assert_int_equal(cvg_budget_probe(budget, client, START_MS), 0);
    assert_int_equal(cvg_budget_probe(budget, client, START_MS), 20);
    assert_int_equal(cvg_budget_probe(budget, client, START_MS + 18999), 2);
    assert_int_equal(cvg_budget_probe(budget, client, START_MS + 19999), 1);
    assert_int_equal(cvg_budget_probe(budget, client, START_MS + 20000), 0);
    assert_int_equal(cvg_budget_probe(budget, client, START_MS + 20000), 20);
    for (int i = 0; i < 3; i++)
        assert_int_equal(cvg_budget_probe(budget, client, START_MS + 600000), 0);
    assert_int_equal(cvg_budget_probe(budget, client, START_MS + 600000), 20);
    cvg_budget_leave(budget, client);
}

static void queries_and_probes_are_apart(void **state)
{
    struct cvg_budget *budget = *state;
    struct cvg_budget_client *client = enter(budget, "192.0.2.1", START_MS);
    for (int i = 0; i < 6; i++)
        assert_int_equal(cvg_budget_query(budget, client, START_MS), 0);
    assert_int_equal(cvg_budget_query(budget, client, START_MS), 10);
    assert_int_equal(cvg_budget_probe(budget, client, START_MS), 0);
    cvg_budget_leave(budget, client);
}

static void a_loop_that_is_behind_owes_no_more(void **state)
{
    struct cvg_budget *budget = *state;
    struct cvg_budget_client *client = enter(budget, "192.0.2.1", START_MS);
    assert_int_equal(cvg_budget_probe(budget, client, START_MS + 40), 0);
    assert_int_equal(cvg_budget_probe(budget, client, START_MS), 0);
    assert_int_equal(cvg_budget_probe(budget, client, START_MS), 1);
    assert_int_equal(cvg_budget_probe(budget, client, START_MS + 40), 0);
    cvg_budget_leave(budget, client);
}

static void hanging_up_wins_nothing(void **state)
{
    struct cvg_budget *budget = *state;
    for (int i = 0; i < 3; i++) {
        struct cvg_budget_client *client = enter(budget, "192.0.2.1", START_MS);
        assert_int_equal(cvg_budget_probe(budget, client, START_MS), 0);
        cvg_budget_leave(budget, client);
    }
    struct cvg_budget_client *client = enter(budget, "192.0.2.1", START_MS);
    assert_int_equal(cvg_budget_probe(budget, client, START_MS), 20);
    cvg_budget_leave(budget, client);
}

static void targets(void **state)
{
    struct cvg_budget *budget = *state;
    const struct cvg_address one = parse("198.51.100.1"), two = parse("198.51.100.200");
    const struct cvg_address other = parse("198.51.101.1");
    assert_true(cvg_budget_target(budget, &one, START_MS));
    assert_true(cvg_budget_target(budget, &two, START_MS));
    assert_false(cvg_budget_target(budget, &one, START_MS + 29999));
    assert_true(cvg_budget_target(budget, &other, START_MS));
    assert_true(cvg_budget_target(budget, &one, START_MS + 30000));
    struct cvg_budget_client *client = enter(budget, "198.51.100.1", START_MS);
    assert_int_equal(cvg_budget_probe(budget, client, START_MS), 0);
    cvg_budget_leave(budget, client);
}

/* A connection from the number's own network that uses up what its account has; returns how much
 * that was. */
static unsigned use_up(struct cvg_budget *budget, uint32_t number, uint64_t now_ms)
{
    struct cvg_address address = {.family = 6, .bytes = {0x20, 0x01}};
    struct cvg_budget_client *client = NULL;
    unsigned used = 0;
    for (int i = 0; i < 4; i++)
        address.bytes[2 + i] = (uint8_t)(number >> (8 * i));
    assert_int_equal(cvg_budget_enter(budget, &address, now_ms, &client), CVG_OK);
    while (cvg_budget_probe(budget, client, now_ms) == 0)
        used++;
    cvg_budget_leave(budget, client);
    return used;
}

static void changing_networks_wins_nothing(void **state)
{
    struct cvg_budget *budget = *state;
    assert_int_equal(use_up(budget, 0, START_MS), 3);
    for (uint32_t i = 1; i < ACCOUNTS; i++)
        (void)use_up(budget, i, START_MS);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(use_up(budget, ACCOUNTS + i, START_MS), 0);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(use_up(budget, i, START_MS), 0);
    assert_int_equal(use_up(budget, 2 * ACCOUNTS, START_MS + 60000), 3);
}

static void those_who_owe_nothing_give_way_first(void **state)
{
    struct cvg_budget *budget = *state;
    assert_int_equal(use_up(budget, 0, START_MS + 50000), 3);
    for (uint32_t i = 1; i < 2 * ACCOUNTS; i++) {
        struct cvg_address address = {.family = 4, .bytes = {1}};
        struct cvg_budget_client *client = NULL;
        for (int octet = 0; octet < 3; octet++)
            address.bytes[octet] = (uint8_t)(i >> (8 * octet));
        assert_int_equal(cvg_budget_enter(budget, &address, START_MS + 50000, &client), CVG_OK);
        cvg_budget_leave(budget, client);
    }
    assert_int_equal(use_up(budget, 0, START_MS + 60000), 0);
}

#define THREADS 4
#define ROUNDS  2000

struct crowd {
    struct cvg_budget *budget;
    atomic_uint queries, targets;
};

static void *crowd_member(void *user)
{
    struct crowd *crowd = user;
    const struct cvg_address address = {.family = 4, .bytes = {192, 0, 2, 1}};
    for (int i = 0; i < ROUNDS; i++) {
        struct cvg_budget_client *client = NULL;
        if (cvg_budget_enter(crowd->budget, &address, START_MS, &client) != CVG_OK)
            continue;
        if (cvg_budget_query(crowd->budget, client, START_MS) == 0)
            crowd->queries++;
        if (cvg_budget_target(crowd->budget, &address, START_MS))
            crowd->targets++;
        cvg_budget_leave(crowd->budget, client);
    }
    return NULL;
}

static void many_threads(void **state)
{
    struct crowd crowd = {.budget = *state};
    pthread_t thread[THREADS];
    const struct cvg_budget_limits limits = {
        .connections = THREADS,
        .queries_per_minute = 1000,
        .target_probes_per_minute = 500,
    };
    cvg_budget_set(crowd.budget, &limits);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, crowd_member, &crowd), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(crowd.queries, 1000);
    assert_int_equal(crowd.targets, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks),
        cmocka_unit_test_setup_teardown(connections_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_minutes_share_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(queries_and_probes_are_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_loop_that_is_behind_owes_no_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hanging_up_wins_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(targets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(changing_networks_wins_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(those_who_owe_nothing_give_way_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_threads, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
