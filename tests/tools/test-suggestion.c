/* SPDX-License-Identifier: MIT */
/* Suggestion: what a notary adds, and in which order several are named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/suggestion.h"

#define PLACE(n, r, o, a)                                                                          \
    {                                                                                              \
        .name = n, .region = r, .operator_name = o, .address = {a}, .address_count = 1             \
    }

static const struct cvg_diversity_place home = PLACE("home", "CH", "Alpha", "8.8.8.8");
static struct cvg_suggestion found[CVG_DIVERSITY_MAX];

static void assert_adds(size_t rank, size_t candidate, bool network, bool operators, bool country)
{
    assert_int_equal(found[rank].candidate, candidate);
    assert_int_equal(found[rank].network, network);
    assert_int_equal(found[rank].operators, operators);
    assert_int_equal(found[rank].country, country);
}

static void each_axis_counts_by_its_weight(void **state)
{
    const struct cvg_diversity_place candidates[] = {
        PLACE("none", "ch", "ALPHA", "8.8.255.1"), PLACE("country", "SE", "Alpha", "8.8.1.1"),
        PLACE("operator", "CH", "Beta", "8.8.2.2"), PLACE("network", "CH", "Alpha", "9.9.9.9"),
        PLACE("all", "JP", "Gamma", "1.1.1.1")};

    (void)state;
    assert_int_equal(cvg_suggestion_rank(&home, 1, candidates, 5, found), 5);
    assert_adds(0, 4, true, true, true);
    assert_adds(1, 3, true, false, false);
    assert_adds(2, 2, false, true, false);
    assert_adds(3, 1, false, false, true);
    assert_adds(4, 0, false, false, false);
}

static void a_second_one_in_the_same_place_adds_nothing(void **state)
{
    const struct cvg_diversity_place candidates[] = {PLACE("first", "SE", "Beta", "9.9.1.1"),
                                                     PLACE("second", "SE", "Beta", "9.9.2.2"),
                                                     PLACE("third", "JP", "Beta", "9.9.3.3")};

    (void)state;
    assert_int_equal(cvg_suggestion_rank(&home, 1, candidates, 3, found), 3);
    assert_adds(0, 0, true, true, true);
    assert_adds(1, 2, false, false, true);
    assert_adds(2, 1, false, false, false);
}

static void what_is_not_told_adds_nothing(void **state)
{
    const struct cvg_diversity_place unknown = {.name = "x", .region = "", .operator_name = ""};

    (void)state;
    assert_int_equal(cvg_suggestion_rank(&home, 1, &unknown, 1, found), 1);
    assert_adds(0, 0, false, false, false);
}

static void a_neighbour_is_no_new_network(void **state)
{
    const struct cvg_diversity_place near = PLACE("x", "SE", "Beta", "192.168.1.1");

    (void)state;
    assert_int_equal(cvg_suggestion_rank(&home, 1, &near, 1, found), 1);
    assert_adds(0, 0, false, true, true);
}

static void where_there_is_none_the_first_is_all_new(void **state)
{
    (void)state;
    assert_int_equal(cvg_suggestion_rank(NULL, 0, &home, 1, found), 1);
    assert_adds(0, 0, true, true, true);
    assert_int_equal(cvg_suggestion_rank(&home, 1, NULL, 0, found), 0);
}

static void there_is_room_for_so_many(void **state)
{
    static struct cvg_diversity_place many[CVG_DIVERSITY_MAX + 1];

    (void)state;
    for (size_t i = 0; i < CVG_DIVERSITY_MAX + 1; i++)
        many[i] = home;
    assert_int_equal(
        cvg_suggestion_rank(many, CVG_DIVERSITY_MAX - 1, many, CVG_DIVERSITY_MAX + 1, found), 1);
    assert_int_equal(cvg_suggestion_rank(many, CVG_DIVERSITY_MAX + 1, many, 1, found), 0);
    assert_int_equal(cvg_suggestion_rank(NULL, 0, many, CVG_DIVERSITY_MAX + 1, found),
                     CVG_DIVERSITY_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_axis_counts_by_its_weight),
        cmocka_unit_test(a_second_one_in_the_same_place_adds_nothing),
        cmocka_unit_test(what_is_not_told_adds_nothing),
        cmocka_unit_test(a_neighbour_is_no_new_network),
        cmocka_unit_test(where_there_is_none_the_first_is_all_new),
        cmocka_unit_test(there_is_room_for_so_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
