/* SPDX-License-Identifier: MIT */
/* The vote: every row of the table in DESIGN.md, and its invariants over every tally of up to five
 * slots under every policy, with the early decision held against brute force. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "common/engine/policy.h"

#define SLOTS_MAX 5

static const struct cvg_policy majority = {CVG_THRESHOLD_MAJORITY, 0, 2};
static const struct cvg_policy consensus = {CVG_THRESHOLD_CONSENSUS, 0, 2};
static const struct cvg_policy one_of = {CVG_THRESHOLD_COUNT, 1, 1};

struct row {
    struct cvg_tally tally;
    enum cvg_verdict majority, consensus, one_of;
};

#define AGREE     CVG_VERDICT_AGREE
#define DISAGREE  CVG_VERDICT_DISAGREE
#define UNDECIDED CVG_VERDICT_UNDECIDED

static const struct row rows[] = {
    {{.yes = 2, .no = 1}, AGREE, DISAGREE, AGREE},
    {{.yes = 1, .no = 1, .silent = 1}, DISAGREE, DISAGREE, AGREE},
    {{.yes = 1, .silent = 2}, UNDECIDED, UNDECIDED, AGREE},
    {{.yes = 1, .aside = 2}, UNDECIDED, UNDECIDED, AGREE},
    {{.yes = 2, .silent = 1}, AGREE, UNDECIDED, AGREE},
    {{.yes = 1, .no = 1}, DISAGREE, DISAGREE, AGREE},
};

static void the_table_of_the_vote(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(cvg_policy_verdict(&majority, &rows[i].tally), rows[i].majority);
        assert_int_equal(cvg_policy_verdict(&consensus, &rows[i].tally), rows[i].consensus);
        assert_int_equal(cvg_policy_verdict(&one_of, &rows[i].tally), rows[i].one_of);
    }
}

/* With nobody left but min_votes. */
static unsigned fewest(const struct cvg_policy *policy)
{
    return cvg_policy_need(policy, &(struct cvg_tally){.yes = 0});
}

static void the_fewest_votes_that_can_agree(void **state)
{
    (void)state;
    assert_int_equal(fewest(&majority), 2);
    assert_int_equal(fewest(&consensus), 2);
    assert_int_equal(fewest(&one_of), 1);
}

static void silent_or_aside_alone_is_undecided(void **state)
{
    (void)state;
    for (unsigned silent = 0; silent <= SLOTS_MAX; silent++)
        for (unsigned aside = 0; aside <= SLOTS_MAX; aside++) {
            struct cvg_tally tally = {.silent = silent, .aside = aside};

            assert_int_equal(cvg_policy_verdict(&majority, &tally), UNDECIDED);
            assert_int_equal(cvg_policy_verdict(&consensus, &tally), UNDECIDED);
            assert_int_equal(cvg_policy_verdict(&one_of, &tally), UNDECIDED);
        }
}

static void asides_shrink_the_electorate_to_min_votes_only(void **state)
{
    struct cvg_tally tally = {.yes = 1, .aside = 1, .open = 1};

    (void)state;
    assert_int_equal(cvg_policy_need(&majority, &tally), 2);
    tally = (struct cvg_tally){.yes = 1, .aside = 2};
    assert_int_equal(cvg_policy_need(&majority, &tally), 2);
    tally = (struct cvg_tally){.yes = 2, .aside = 3};
    assert_int_equal(cvg_policy_verdict(&majority, &tally), AGREE);
    tally = (struct cvg_tally){.yes = 2, .no = 1, .aside = 2};
    assert_int_equal(cvg_policy_need(&majority, &tally), 2);
    assert_int_equal(cvg_policy_need(&consensus, &tally), 3);
}

static void not_public_needs_as_many_as_an_agreement(void **state)
{
    struct cvg_tally tally = {.not_public = 2, .silent = 1};

    (void)state;
    assert_int_equal(cvg_policy_verdict(&majority, &tally), CVG_VERDICT_EXEMPT);
    assert_int_equal(cvg_policy_verdict(&consensus, &tally), UNDECIDED);
    tally = (struct cvg_tally){.not_public = 1, .aside = 2};
    assert_int_equal(cvg_policy_verdict(&majority, &tally), UNDECIDED);
    tally = (struct cvg_tally){.not_public = 1, .no = 2};
    assert_int_equal(cvg_policy_verdict(&majority, &tally), DISAGREE);
    tally = (struct cvg_tally){.not_public = 1, .no = 1, .open = 1};
    assert_false(cvg_policy_decided(&majority, &tally));
}

/* Calls check for every tally of exactly that many slots. */
typedef void check_fn(const struct cvg_policy *policy, const struct cvg_tally *tally);

static void each_tally(const struct cvg_policy *policy, unsigned slots, check_fn *check)
{
    struct cvg_tally t;

    for (t.yes = 0; t.yes <= slots; t.yes++)
        for (t.no = 0; t.yes + t.no <= slots; t.no++)
            for (t.aside = 0; t.yes + t.no + t.aside <= slots; t.aside++)
                for (t.silent = 0; t.yes + t.no + t.aside + t.silent <= slots; t.silent++)
                    for (t.not_public = 0;
                         t.yes + t.no + t.aside + t.silent + t.not_public <= slots;
                         t.not_public++) {
                        t.open = slots - t.yes - t.no - t.aside - t.silent - t.not_public;
                        check(policy, &t);
                    }
}

static void each_policy(check_fn *check)
{
    for (unsigned slots = 1; slots <= SLOTS_MAX; slots++)
        for (unsigned min_votes = 0; min_votes <= 3; min_votes++) {
            struct cvg_policy policy = {CVG_THRESHOLD_MAJORITY, 0, min_votes};

            each_tally(&policy, slots, check);
            policy.threshold = CVG_THRESHOLD_CONSENSUS;
            each_tally(&policy, slots, check);
            policy.threshold = CVG_THRESHOLD_COUNT;
            for (policy.count = 0; policy.count <= SLOTS_MAX + 1; policy.count++)
                each_tally(&policy, slots, check);
        }
}

/* Written from the text of DESIGN.md, not from policy.c. */
static enum cvg_verdict by_the_book(const struct cvg_policy *policy, const struct cvg_tally *t)
{
    unsigned n = t->yes + t->no + t->aside + t->silent + t->not_public + t->open;
    unsigned d = n - t->aside < policy->min_votes ? policy->min_votes : n - t->aside;
    unsigned need = policy->threshold == CVG_THRESHOLD_COUNT       ? policy->count
                    : policy->threshold == CVG_THRESHOLD_CONSENSUS ? d
                                                                   : d / 2 + 1;

    if (t->yes > 0 && t->yes >= need)
        return AGREE;
    if (t->not_public > 0 && t->not_public >= need)
        return CVG_VERDICT_EXEMPT;
    return t->no > 0 ? DISAGREE : UNDECIDED;
}

static void check_book(const struct cvg_policy *policy, const struct cvg_tally *tally)
{
    assert_int_equal(cvg_policy_verdict(policy, tally), by_the_book(policy, tally));
}

static void every_tally_is_by_the_book(void **state)
{
    (void)state;
    each_policy(check_book);
}

static bool agrees(const struct cvg_policy *policy, struct cvg_tally tally)
{
    return cvg_policy_verdict(policy, &tally) == AGREE;
}

/* A further yes in place of anything else never loses an agreement; a silence in place of anything
 * never makes one. */
static void check_monotone(const struct cvg_policy *policy, const struct cvg_tally *tally)
{
    static const size_t member[] = {
        offsetof(struct cvg_tally, no), offsetof(struct cvg_tally, aside),
        offsetof(struct cvg_tally, not_public), offsetof(struct cvg_tally, open)};
    struct cvg_tally t;

    for (size_t i = 0; i < sizeof member / sizeof member[0]; i++) {
        unsigned *from = (unsigned *)(void *)((char *)&t + member[i]);

        t = *tally;
        if (*from == 0)
            continue;
        --*from;
        t.yes++;
        assert_true(agrees(policy, t) || !agrees(policy, *tally));
        t.yes--;
        t.silent++;
        assert_true(agrees(policy, *tally) || !agrees(policy, t));
    }
    t = *tally;
    t.silent++;
    assert_true(agrees(policy, *tally) || !agrees(policy, t));
    if (tally->yes > 0) {
        t.yes--;
        assert_true(agrees(policy, *tally) || !agrees(policy, t));
    }
}

static void yes_never_harms_and_silence_never_helps(void **state)
{
    (void)state;
    each_policy(check_monotone);
}

static void check_tie(const struct cvg_policy *policy, const struct cvg_tally *tally)
{
    if (policy->threshold != CVG_THRESHOLD_COUNT && tally->yes <= tally->no)
        assert_false(agrees(policy, *tally));
    if (policy->threshold != CVG_THRESHOLD_COUNT && tally->yes * 2 <= policy->min_votes)
        assert_false(agrees(policy, *tally));
    if (tally->yes == 0)
        assert_false(agrees(policy, *tally));
    if (agrees(policy, *tally))
        assert_true(tally->yes >= fewest(policy));
}

static void a_tie_refuses_and_min_votes_hold(void **state)
{
    (void)state;
    each_policy(check_tie);
}

/* Whether some completion of the open slots gives another verdict than the one now. */
static bool can_change(const struct cvg_policy *policy, struct cvg_tally t, enum cvg_verdict now)
{
    unsigned *const outcome[] = {&t.yes, &t.no, &t.aside, &t.silent, &t.not_public};
    bool changes = false;

    if (t.open == 0)
        return by_the_book(policy, &t) != now;
    t.open--;
    for (size_t i = 0; i < sizeof outcome / sizeof outcome[0] && !changes; i++) {
        ++*outcome[i];
        changes = can_change(policy, t, now);
        --*outcome[i];
    }
    return changes;
}

static void check_decided(const struct cvg_policy *policy, const struct cvg_tally *tally)
{
    bool open = can_change(policy, *tally, cvg_policy_verdict(policy, tally));

    if (cvg_policy_decided(policy, tally) == open)
        fail_msg("yes %u no %u aside %u silent %u not_public %u open %u", tally->yes, tally->no,
                 tally->aside, tally->silent, tally->not_public, tally->open);
}

static void early_decision_is_sound_and_complete(void **state)
{
    (void)state;
    each_policy(check_decided);
}

static struct cvg_config config_with(enum cvg_threshold threshold, unsigned count, unsigned quorum,
                                     unsigned min_votes)
{
    struct cvg_config config;

    memset(&config, 0, sizeof config);
    config.threshold = threshold;
    config.threshold_count = count;
    config.quorum = quorum;
    config.min_votes = min_votes;
    return config;
}

static void min_votes_follow_the_notaries_configured(void **state)
{
    struct cvg_config config = config_with(CVG_THRESHOLD_MAJORITY, 0, 3, 0);
    struct cvg_policy policy;

    (void)state;
    assert_int_equal(cvg_policy_of(&config, 0, &policy, NULL), CVG_OK);
    assert_int_equal(policy.min_votes, 1);
    assert_int_equal(cvg_policy_of(&config, 1, &policy, NULL), CVG_OK);
    assert_int_equal(policy.min_votes, 1);
    assert_int_equal(cvg_policy_of(&config, 2, &policy, NULL), CVG_OK);
    assert_int_equal(policy.min_votes, 2);
    config.min_votes = 1;
    assert_int_equal(cvg_policy_of(&config, 9, &policy, NULL), CVG_OK);
    assert_int_equal(policy.min_votes, 1);
}

static void a_count_outside_min_votes_and_quorum_is_refused(void **state)
{
    const struct {
        unsigned count, quorum, min_votes, notaries;
        enum cvg_error err;
    } cases[] = {
        {1, 3, 0, 1, CVG_OK},         {1, 3, 0, 2, CVG_ERR_CONFIG}, {2, 3, 0, 2, CVG_OK},
        {1, 3, 1, 5, CVG_OK},         {3, 3, 0, 5, CVG_OK},         {4, 3, 0, 5, CVG_ERR_CONFIG},
        {0, 3, 0, 1, CVG_ERR_CONFIG}, {2, 3, 3, 5, CVG_ERR_CONFIG}, {3, 3, 4, 5, CVG_ERR_CONFIG},
    };
    struct cvg_policy policy, before;
    struct cvg_why why;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cvg_config config =
            config_with(CVG_THRESHOLD_COUNT, cases[i].count, cases[i].quorum, cases[i].min_votes);

        memset(&policy, 0x5a, sizeof policy);
        before = policy;
        why.text[0] = '\0';
        assert_int_equal(cvg_policy_of(&config, cases[i].notaries, &policy, &why), cases[i].err);
        if (cases[i].err == CVG_OK)
            continue;
        assert_memory_equal(&policy, &before, sizeof policy);
        assert_true(why.text[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_of_the_vote),
        cmocka_unit_test(the_fewest_votes_that_can_agree),
        cmocka_unit_test(silent_or_aside_alone_is_undecided),
        cmocka_unit_test(asides_shrink_the_electorate_to_min_votes_only),
        cmocka_unit_test(not_public_needs_as_many_as_an_agreement),
        cmocka_unit_test(every_tally_is_by_the_book),
        cmocka_unit_test(yes_never_harms_and_silence_never_helps),
        cmocka_unit_test(a_tie_refuses_and_min_votes_hold),
        cmocka_unit_test(early_decision_is_sound_and_complete),
        cmocka_unit_test(min_votes_follow_the_notaries_configured),
        cmocka_unit_test(a_count_outside_min_votes_and_quorum_is_refused),
    };

    return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
