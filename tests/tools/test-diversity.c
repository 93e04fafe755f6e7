/* SPDX-License-Identifier: MIT */
/* Diversity: which notaries count as standing together, and when that decides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tools/diversity.h"

#define PLACE(n, r, o, ...)                                                                        \
    {                                                                                              \
        .name = n, .region = r, .operator_name = o, .address = {__VA_ARGS__},                      \
        .address_count = sizeof((const char *[]){__VA_ARGS__}) / sizeof(const char *)              \
    }
#define COUNT(places) (sizeof(places) / sizeof((places)[0]))

static void all_apart(void **state)
{
    const struct cvg_diversity_place places[] = {PLACE("a", "CH", "Alpha", "8.8.8.8"),
                                                 PLACE("b", "SE", "Beta", "9.9.9.9"),
                                                 PLACE("c", "JP", "Gamma", "2a00:1::1")};
    struct cvg_diversity found;

    (void)state;
    cvg_diversity_judge(places, COUNT(places), &found);
    assert_int_equal(found.count, 3);
    assert_int_equal(found.network.groups, 3);
    assert_int_equal(found.country.groups, 3);
    assert_int_equal(found.operators.groups, 3);
    assert_int_equal(found.network.largest, 1);
    assert_int_equal(found.near, 0);
    assert_false(cvg_diversity_decides_alone(&found.network, found.count));
}

static void the_prefix_is_the_border(void **state)
{
    const struct cvg_diversity_place inside[] = {PLACE("a", "", "", "8.8.0.0"),
                                                 PLACE("b", "", "", "8.8.255.255")};
    const struct cvg_diversity_place outside[] = {PLACE("a", "", "", "8.8.255.255"),
                                                  PLACE("b", "", "", "8.9.0.0")};
    const struct cvg_diversity_place six[] = {PLACE("a", "", "", "2a00:1:ffff::1"),
                                              PLACE("b", "", "", "2a00:1::1"),
                                              PLACE("c", "", "", "2a00:2::1")};
    struct cvg_diversity found;

    (void)state;
    cvg_diversity_judge(inside, COUNT(inside), &found);
    assert_int_equal(found.network.groups, 1);
    assert_string_equal(found.network.shared, "8.8.0.0/16");
    assert_true(cvg_diversity_decides_alone(&found.network, found.count));
    cvg_diversity_judge(outside, COUNT(outside), &found);
    assert_int_equal(found.network.groups, 2);
    assert_false(cvg_diversity_decides_alone(&found.network, found.count));
    cvg_diversity_judge(six, COUNT(six), &found);
    assert_int_equal(found.network.groups, 2);
    assert_int_equal(found.network.largest, 2);
    assert_string_equal(found.network.shared, "2a00:1::/32");
    assert_true(cvg_diversity_decides_alone(&found.network, found.count));
}

/* Half of the notaries can make a tie, not a majority. */
static void half_does_not_decide(void **state)
{
    const struct cvg_diversity_place places[] = {
        PLACE("a", "CH", "", "8.8.8.8"), PLACE("b", "CH", "", "8.8.4.4"),
        PLACE("c", "SE", "", "9.9.9.9"), PLACE("d", "JP", "", "1.1.1.1")};
    struct cvg_diversity found;

    (void)state;
    cvg_diversity_judge(places, COUNT(places), &found);
    assert_int_equal(found.country.largest, 2);
    assert_string_equal(found.country.shared, "CH");
    assert_false(cvg_diversity_decides_alone(&found.country, found.count));
}

static void one_with_two_networks_joins_both(void **state)
{
    const struct cvg_diversity_place places[] = {PLACE("a", "", "", "8.8.8.8"),
                                                 PLACE("b", "", "", "9.9.9.9"),
                                                 PLACE("c", "", "", "8.8.1.1", "9.9.1.1")};
    struct cvg_diversity found;

    (void)state;
    cvg_diversity_judge(places, COUNT(places), &found);
    assert_int_equal(found.network.groups, 1);
    assert_int_equal(found.network.largest, 3);
}

static void what_is_not_told_is_not_shared(void **state)
{
    const struct cvg_diversity_place places[] = {{.name = "a", .region = "", .operator_name = ""},
                                                 {.name = "b", .region = "", .operator_name = ""},
                                                 PLACE("c", "", "One hand", "8.8.8.8"),
                                                 PLACE("d", "", "one HAND", "127.0.0.1")};
    struct cvg_diversity found;

    (void)state;
    cvg_diversity_judge(places, COUNT(places), &found);
    assert_int_equal(found.network.unknown, 2);
    assert_int_equal(found.network.groups, 2);
    assert_int_equal(found.country.unknown, 4);
    assert_int_equal(found.country.groups, 0);
    assert_int_equal(found.country.largest, 0);
    assert_int_equal(found.operators.groups, 1);
    assert_int_equal(found.operators.largest, 2);
    assert_false(cvg_diversity_decides_alone(&found.operators, found.count));
}

static void near_ones_are_counted(void **state)
{
    const struct cvg_diversity_place places[] = {PLACE("a", "", "", "192.168.1.5", "fd00::1"),
                                                 PLACE("b", "", "", "127.0.0.1", "8.8.8.8")};
    struct cvg_diversity found;

    (void)state;
    cvg_diversity_judge(places, COUNT(places), &found);
    assert_int_equal(found.near, 1);
}

/* A name says nothing of a network; an address in its place does. */
static void places_of_bundles(void **state)
{
    static const struct cvg_bundle named = {.name = "n",
                                            .region = "CH",
                                            .operator_name = "Alpha",
                                            .host = {{.host = "n.example"}},
                                            .host_count = 1};
    static const struct cvg_bundle numbered = {
        .name = "m",
        .host = {{.host = "8.8.8.8"},
                 {.host = "m.example", .address = {"9.9.9.9", "2a00:1::1"}, .address_count = 2}},
        .host_count = 2};
    struct cvg_diversity_place place;

    (void)state;
    cvg_diversity_place_of(&named, &place);
    assert_string_equal(place.region, "CH");
    assert_string_equal(place.operator_name, "Alpha");
    assert_int_equal(place.address_count, 0);
    cvg_diversity_place_of(&numbered, &place);
    assert_int_equal(place.address_count, 3);
    assert_string_equal(place.address[0], "8.8.8.8");
    assert_string_equal(place.address[2], "2a00:1::1");
}

static void one_registered_domain(void **state)
{
    static const struct {
        const char *a, *b;
        size_t groups, unknown;
    } cases[] = {
        {"alpha.example.org", "beta.EXAMPLE.org", 1, 0},
        {"alpha.example.org", "example.org", 1, 0},
        {"alpha.example.org", "alpha.example.net", 2, 0},
        {"a.one.co.uk", "a.two.co.uk", 2, 0},
        {"a.one.co.uk", "b.c.one.co.uk", 1, 0},
        {"co.uk", "a.co.uk", 2, 0},
        {"a.one.ch", "a.two.ch", 2, 0},
        {"9.9.9.9", "9.9.8.8", 0, 2},
        {"2001:db8::1.2.3.4", "localhost", 0, 2},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct cvg_bundle a = {.host_count = 1}, b = {.host_count = 1};
        struct cvg_diversity_place places[2];
        struct cvg_diversity found;

        strcpy(a.host[0].host, cases[i].a);
        strcpy(b.host[0].host, cases[i].b);
        cvg_diversity_place_of(&a, &places[0]);
        cvg_diversity_place_of(&b, &places[1]);
        cvg_diversity_judge(places, 2, &found);
        assert_int_equal(found.domain.groups, cases[i].groups);
        assert_int_equal(found.domain.unknown, cases[i].unknown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_registered_domain),
        cmocka_unit_test(all_apart),
        cmocka_unit_test(the_prefix_is_the_border),
        cmocka_unit_test(half_does_not_decide),
        cmocka_unit_test(one_with_two_networks_joins_both),
        cmocka_unit_test(what_is_not_told_is_not_shared),
        cmocka_unit_test(near_ones_are_counted),
        cmocka_unit_test(places_of_bundles),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
