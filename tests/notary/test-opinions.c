/* SPDX-License-Identifier: MIT */
/* Opinions, told: which of them go into version 2's statements, and version 1's status for every
 * combination of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "notary/opinions.h"

#define AGE 86400
#define T0  INT64_C(1800000000)
#define ALL                                                                                        \
    (1U << CVG_VERIFIER_NETWORK | 1U << CVG_VERIFIER_DANE | 1U << CVG_VERIFIER_CT |                \
     1U << CVG_VERIFIER_PINS)

static void see(struct cvg_observations *seen, uint8_t id, enum cvg_v2_opinion dane,
                enum cvg_v2_opinion pins, int64_t when)
{
    struct cvg_leaf leaf = {.key_type = CVG_KEY_EC};
    const struct cvg_address address = {.family = 4, .bytes = {192, 0, 2, 1}};
    memset(leaf.sha256, id, sizeof(leaf.sha256));
    assert_int_equal(cvg_observations_add(seen, &leaf, &address, when), CVG_OK);
    cvg_observations_judge(seen, CVG_VERIFIER_DANE, leaf.sha256, dane, when);
    cvg_observations_judge(seen, CVG_VERIFIER_PINS, leaf.sha256, pins, when);
}

/* The statement about what was seen, as it is told at that time. */
static struct cvg_v2_statement told(const struct cvg_observations *seen, unsigned verifiers,
                                    enum cvg_v2_status status, int64_t now_s)
{
    struct cvg_v2_statement statement = {.status = status};
    statement.count = cvg_observations_list(seen, now_s, AGE, statement.record);
    cvg_opinions_tell(seen, verifiers, &statement);
    return statement;
}

static void of_the_chosen_verifiers(void **state)
{
    struct cvg_observations seen = {0};
    (void)state;
    see(&seen, 1, CVG_V2_OPINION_YES, CVG_V2_OPINION_NO, T0);
    struct cvg_v2_statement all = told(&seen, ALL, CVG_V2_SEEN, T0);
    assert_int_equal(all.opinions_count, 3);
    assert_int_equal(all.opinions[0].verifier, CVG_VERIFIER_DANE);
    assert_int_equal(all.opinions[0].checked_s, T0);
    assert_int_equal(all.opinions[0].opinion[0], CVG_V2_OPINION_YES);
    assert_int_equal(all.opinions[1].verifier, CVG_VERIFIER_CT); /* was never asked */
    assert_int_equal(all.opinions[1].checked_s, 0);
    assert_int_equal(all.opinions[1].opinion[0], CVG_V2_OPINION_NONE);
    assert_int_equal(all.opinions[2].verifier, CVG_VERIFIER_PINS);
    assert_int_equal(all.opinions[2].opinion[0], CVG_V2_OPINION_NO);
    struct cvg_v2_statement pins =
        told(&seen, 1U << CVG_VERIFIER_NETWORK | 1U << CVG_VERIFIER_PINS, CVG_V2_SEEN, T0);
    assert_int_equal(pins.opinions_count, 1);
    assert_int_equal(pins.opinions[0].verifier, CVG_VERIFIER_PINS);
    assert_int_equal(told(&seen, 1U << CVG_VERIFIER_NETWORK, CVG_V2_SEEN, T0).opinions_count, 0);
    assert_int_equal(told(&seen, ALL, CVG_V2_UNREACHABLE, T0).opinions_count, 0);
    cvg_observations_free(&seen);
}

/* The records are told newest first, and those that were replaced keep no opinion. */
static void of_what_is_current(void **state)
{
    struct cvg_observations seen = {0};
    (void)state;
    see(&seen, 1, CVG_V2_OPINION_YES, CVG_V2_OPINION_YES, T0);
    see(&seen, 2, CVG_V2_OPINION_NO, CVG_V2_OPINION_NONE, T0 + 10);
    struct cvg_v2_statement statement = told(&seen, ALL, CVG_V2_SEEN, T0 + 10);
    assert_int_equal(statement.record[0].leaf.sha256[0], 2);
    assert_false(statement.record[1].current);
    assert_int_equal(statement.opinions[0].opinion[0], CVG_V2_OPINION_NO);
    assert_int_equal(statement.opinions[0].opinion[1], CVG_V2_OPINION_NONE);
    assert_int_equal(statement.opinions[2].opinion[0], CVG_V2_OPINION_NONE);
    assert_int_equal(statement.opinions[2].opinion[1], CVG_V2_OPINION_NONE);
    cvg_observations_free(&seen);
}

/* What a person would say of some opinions, one letter each ('y', 'n' or '-'). */
static unsigned expected(enum cvg_v1_verdict verdict, const char *letters)
{
    unsigned yes = 0, no = 0;
    for (const char *letter = letters; *letter != '\0'; letter++) {
        yes += *letter == 'y';
        no += *letter == 'n';
    }
    if (yes + no == 0)
        return 303;
    switch (verdict) {
    case CVG_V1_VERDICT_NETWORK:
        return letters[0] == 'y' ? 200 : 409;
    case CVG_V1_VERDICT_ALL:
        return no > 0 ? 409 : 200;
    case CVG_V1_VERDICT_ANY:
        return yes > 0 ? 200 : 409;
    case CVG_V1_VERDICT_MAJORITY:
        return yes > no ? 200 : 409;
    }
    return 0;
}

/* Every verdict, set of verifiers, status and opinion of each of the four. */
static void version_1_whole_table(void **state)
{
    static const char letter[] = {'-', 'y', 'n'};
    unsigned rows = 0;
    (void)state;
    for (unsigned verdict = 0; verdict <= CVG_V1_VERDICT_MAJORITY; verdict++)
        for (unsigned set = 0; set < 8; set++)
            for (unsigned n = 0; n < 3 * 3 * 3 * 3; n++, rows++) {
                uint8_t opinion[CVG_OPINIONS] = {n / 3 % 3, n / 9 % 3, n / 27};
                unsigned verifiers = 1U << CVG_VERIFIER_NETWORK | set << CVG_VERIFIER_DANE;
                enum cvg_v2_status status = n % 3 == 0 ? CVG_V2_ASIDE : CVG_V2_SEEN;
                char letters[5] = {letter[n % 3]};
                size_t count = 1;
                for (size_t k = 0; k < CVG_OPINIONS; k++)
                    if (verdict != CVG_V1_VERDICT_NETWORK && (set & 1U << k) != 0)
                        letters[count++] = letter[opinion[k]];
                assert_int_equal(
                    cvg_opinions_v1_status(verdict, verifiers, status, n % 3 == 1, opinion),
                    expected(verdict, letters));
                for (unsigned found = 0; found < 2; found++) {
                    assert_int_equal(cvg_opinions_v1_status(verdict, verifiers, CVG_V2_UNREACHABLE,
                                                            found, opinion),
                                     503);
                    assert_int_equal(cvg_opinions_v1_status(verdict, verifiers, CVG_V2_NOT_PUBLIC,
                                                            found, opinion),
                                     503);
                }
            }
    assert_int_equal(rows, 4 * 8 * 81);
}

/* The rows a reader of doc/notary.md looks for, by hand. */
static void version_1_by_hand(void **state)
{
    const uint8_t aside[CVG_OPINIONS] = {0};
    const uint8_t dane_no[CVG_OPINIONS] = {CVG_V2_OPINION_NO};
    const uint8_t dane_yes[CVG_OPINIONS] = {CVG_V2_OPINION_YES};
    const uint8_t two_no[CVG_OPINIONS] = {CVG_V2_OPINION_NO, CVG_V2_OPINION_NO};
    (void)state;
    assert_int_equal(cvg_opinions_v1_status(CVG_V1_VERDICT_NETWORK, ALL, CVG_V2_SEEN, true, two_no),
                     200);
    assert_int_equal(cvg_opinions_v1_status(CVG_V1_VERDICT_ALL, ALL, CVG_V2_SEEN, true, aside),
                     200);
    assert_int_equal(cvg_opinions_v1_status(CVG_V1_VERDICT_ALL, ALL, CVG_V2_SEEN, true, dane_no),
                     409);
    assert_int_equal(cvg_opinions_v1_status(CVG_V1_VERDICT_ALL, ALL, CVG_V2_SEEN, false, dane_yes),
                     409);
    assert_int_equal(cvg_opinions_v1_status(CVG_V1_VERDICT_ANY, ALL, CVG_V2_SEEN, true, two_no),
                     200);
    assert_int_equal(
        cvg_opinions_v1_status(CVG_V1_VERDICT_MAJORITY, ALL, CVG_V2_SEEN, true, dane_no), 409);
    assert_int_equal(
        cvg_opinions_v1_status(CVG_V1_VERDICT_MAJORITY, ALL, CVG_V2_SEEN, true, dane_yes), 200);
    assert_int_equal(cvg_opinions_v1_status(CVG_V1_VERDICT_ALL, ALL, CVG_V2_ASIDE, false, aside),
                     303);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_the_chosen_verifiers),
        cmocka_unit_test(of_what_is_current),
        cmocka_unit_test(version_1_whole_table),
        cmocka_unit_test(version_1_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
