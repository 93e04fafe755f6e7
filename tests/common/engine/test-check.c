/* SPDX-License-Identifier: MIT */
/* The check, driven by a clock and notaries under the test's control: every situation of a vote. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/common/engine/fake-world.h"

#define UID 1000

/* An asker, and what it was told. */
struct asker {
    struct cvg_check *check;
    unsigned answers;
    struct cvg_answer answer;
    uint64_t answered_ms;
    struct fake_world *fake;
};

static void on_done(const struct cvg_question *question, const struct cvg_answer *answer,
                    void *user)
{
    struct asker *asker = user;

    assert_int_equal(answer->id, question->id);
    assert_true(answer->text[0] != '\0');
    asker->answers++;
    asker->answer = *answer;
    asker->answered_ms = asker->fake->clock.ms;
}

static struct cvg_question make_question(const struct fake_world *fake)
{
    struct cvg_question question = {.id = 77,
                                    .have_name = true,
                                    .host = "site.example.org",
                                    .port = {443},
                                    .port_count = 1,
                                    .pki = CVG_PKI_OK,
                                    .timeout_ms = 2000};

    question.leaf = fake->der;
    question.leaf_len = fake->der_len;
    return question;
}

static void ask(struct fake_world *fake, const struct cvg_question *question, struct asker *asker)
{
    *asker = (struct asker){.fake = fake};
    cvg_checks_ask(fake->checks, question, UID, on_done, asker, &asker->check);
    assert_int_equal(asker->answers, asker->check == NULL ? 1 : 0);
}

static void ask_default(struct fake_world *fake, struct asker *asker)
{
    struct cvg_question question = make_question(fake);

    ask(fake, &question, asker);
}

static struct fake_world *begin(size_t notaries)
{
    struct fake_world *fake = fake_world_new(notaries, false);

    fake_world_start(fake);
    return fake;
}

#define assert_told(asker, v, a, r)                                                                \
    do {                                                                                           \
        assert_int_equal((asker)->answers, 1);                                                     \
        assert_string_equal(cvg_verdict_name((asker)->answer.verdict),                             \
                            cvg_verdict_name(CVG_VERDICT_##v));                                    \
        assert_string_equal(cvg_action_name((asker)->answer.action),                               \
                            cvg_action_name(CVG_ACTION_##a));                                      \
        assert_string_equal(cvg_reason_name((asker)->answer.reason),                               \
                            cvg_reason_name(CVG_REASON_##r));                                      \
    } while (0)

static void early_decision_awaits_no_more(void **state)
{
    struct fake_world *fake = begin(3);
    struct asker asker;

    (void)state;
    ask_default(fake, &asker);
    assert_int_equal(fake_open(fake), 3);
    assert_true(fake_answer(fake, "gamma", 0, FAKE_YES));
    assert_int_equal(asker.answers, 0);
    assert_true(fake_answer(fake, "alpha", 0, FAKE_YES));
    assert_told(&asker, AGREE, ACCEPT, VOTE);
    assert_int_equal(asker.answer.port, 443);
    assert_int_equal(asker.answer.vote_count, 2);
    assert_string_equal(asker.answer.vote[1].notary, "gamma");
    assert_int_equal(fake_open(fake), 0);
    assert_int_equal(cvg_checks_pending(fake->checks), 0);
    fake_world_free(fake);
}

/* A row of the table of votes: three notaries, no more. */
static void vote_of_three(const enum fake_answer answer[3], enum cvg_verdict verdict)
{
    static const char *const name[] = {"alpha", "beta", "gamma"};
    struct fake_world *fake = begin(3);
    struct asker asker;

    ask_default(fake, &asker);
    for (size_t i = 0; i < 3; i++)
        fake_answer(fake, name[i], 0, answer[i]);
    assert_int_equal(asker.answers, 1);
    assert_string_equal(cvg_verdict_name(asker.answer.verdict), cvg_verdict_name(verdict));
    assert_int_equal(asker.answer.action, verdict == CVG_VERDICT_AGREE    ? CVG_ACTION_ACCEPT
                                          : verdict == CVG_VERDICT_EXEMPT ? CVG_ACTION_UNCHANGED
                                                                          : CVG_ACTION_REFUSE);
    fake_world_free(fake);
}

static void table_of_votes(void **state)
{
    static const struct {
        enum fake_answer answer[3];
        enum cvg_verdict verdict;
    } row[] = {
        {{FAKE_YES, FAKE_YES, FAKE_NO}, CVG_VERDICT_AGREE},
        {{FAKE_YES, FAKE_NO, FAKE_SILENT}, CVG_VERDICT_DISAGREE},
        {{FAKE_YES, FAKE_SILENT, FAKE_SILENT}, CVG_VERDICT_UNDECIDED},
        {{FAKE_YES, FAKE_ASIDE, FAKE_ASIDE}, CVG_VERDICT_UNDECIDED},
        {{FAKE_SILENT, FAKE_YES, FAKE_YES}, CVG_VERDICT_AGREE},
        {{FAKE_SILENT, FAKE_ASIDE, FAKE_SILENT}, CVG_VERDICT_UNDECIDED},
        {{FAKE_NO, FAKE_NO, FAKE_YES}, CVG_VERDICT_DISAGREE},
        {{FAKE_YES, FAKE_WRONG_KEY, FAKE_WRONG_KEY}, CVG_VERDICT_UNDECIDED},
        {{FAKE_YES, FAKE_OTHER_PORT, FAKE_STATUS_500}, CVG_VERDICT_UNDECIDED},
        {{FAKE_YES, FAKE_UNREACHABLE, FAKE_UNREACHABLE}, CVG_VERDICT_UNDECIDED},
        {{FAKE_YES, FAKE_HISTORY, FAKE_HISTORY}, CVG_VERDICT_DISAGREE},
        {{FAKE_NOT_PUBLIC, FAKE_NOT_PUBLIC, FAKE_NO}, CVG_VERDICT_EXEMPT},
        {{FAKE_NOT_PUBLIC, FAKE_SILENT, FAKE_SILENT}, CVG_VERDICT_UNDECIDED},
        {{FAKE_NOT_PUBLIC, FAKE_YES, FAKE_YES}, CVG_VERDICT_AGREE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        vote_of_three(row[i].answer, row[i].verdict);
}

static void silent_notary_is_replaced(void **state)
{
    struct fake_world *fake = begin(3);
    struct asker asker;

    (void)state;
    fake->config.quorum = 2;
    fake_reload(fake, 3);
    ask_default(fake, &asker);
    assert_int_equal(fake_open(fake), 2);
    assert_false(fake_is_asked(fake, "gamma"));
    fake_answer(fake, "alpha", 0, FAKE_SILENT);
    assert_true(fake_is_asked(fake, "gamma"));
    fake_answer(fake, "gamma", 0, FAKE_YES);
    fake_answer(fake, "beta", 0, FAKE_YES);
    assert_told(&asker, AGREE, ACCEPT, VOTE);
    assert_int_equal(asker.answer.vote_count, 3);
    fake_world_free(fake);
}

static void silent_slots_stay(void **state)
{
    struct fake_world *fake = begin(4);
    struct asker asker;

    (void)state;
    fake->config.bounce = CVG_BOUNCE_OFF;
    fake_reload(fake, 4);
    ask_default(fake, &asker);
    /* One yes of three slots is not enough, whoever else was made silent. */
    fake_answer(fake, "alpha", 0, FAKE_YES);
    fake_answer(fake, "beta", 0, FAKE_SILENT);
    fake_answer(fake, "gamma", 0, FAKE_SILENT);
    assert_int_equal(asker.answers, 0);
    fake_answer(fake, "delta", 0, FAKE_SILENT);
    assert_told(&asker, UNDECIDED, REFUSE, UNREACHABLE);
    fake_world_free(fake);
}

static void hanging_notary_is_joined_at_half_time(void **state)
{
    struct fake_world *fake = fake_world_new(3, false);
    struct asker asker;

    (void)state;
    fake->config.quorum = 2;
    fake_world_start(fake);
    ask_default(fake, &asker);
    fake_answer(fake, "beta", 0, FAKE_YES);
    fake_advance(fake, 900);
    assert_false(fake_is_asked(fake, "gamma"));
    fake_advance(fake, 110);
    assert_true(fake_is_asked(fake, "gamma"));
    assert_true(fake_is_asked(fake, "alpha"));
    /* The slow one is still heard, and fills the slot for both. */
    fake_answer(fake, "alpha", 0, FAKE_YES);
    assert_told(&asker, AGREE, ACCEPT, VOTE);
    assert_int_equal(fake_open(fake), 0);
    fake_world_free(fake);
}

static void asker_is_answered_before_it_gives_up(void **state)
{
    struct fake_world *fake = begin(3);
    struct asker asker;
    uint64_t asked_ms = fake->clock.ms;

    (void)state;
    ask_default(fake, &asker);
    fake_answer(fake, "alpha", 0, FAKE_YES);
    fake_advance(fake, 1850);
    assert_int_equal(asker.answers, 0);
    fake_advance(fake, 149);
    assert_told(&asker, UNDECIDED, REFUSE, DEADLINE);
    assert_true(asker.answered_ms < asked_ms + 2000);
    fake_advance(fake, 200);
    assert_int_equal(cvg_checks_pending(fake->checks), 0);
    fake_world_free(fake);
}

static void short_deadline_leaves_the_vote_running(void **state)
{
    struct fake_world *fake = begin(3);
    struct cvg_question question = make_question(fake);
    struct asker hasty, next;

    (void)state;
    question.timeout_ms = 100;
    ask(fake, &question, &hasty);
    fake_advance(fake, 100);
    assert_told(&hasty, UNDECIDED, REFUSE, DEADLINE);
    fake_answer(fake, "alpha", 0, FAKE_YES);
    fake_answer(fake, "beta", 0, FAKE_YES);
    ask_default(fake, &next);
    assert_told(&next, AGREE, ACCEPT, CACHE);
    fake_world_free(fake);
}

static void nobody_waits_for_ever(void **state)
{
    struct fake_world *fake = begin(3);
    struct cvg_question question = make_question(fake);
    struct asker asker;

    (void)state;
    question.timeout_ms = UINT32_MAX;
    ask(fake, &question, &asker);
    fake_advance(fake, 60000);
    assert_told(&asker, UNDECIDED, REFUSE, UNREACHABLE);
    fake_world_free(fake);
}

static void single_flight(void **state)
{
    struct fake_world *fake = begin(3);
    struct cvg_question other = make_question(fake);
    struct asker first, second, elsewhere;

    (void)state;
    ask_default(fake, &first);
    ask_default(fake, &second);
    assert_int_equal(fake->exchanges, 3);
    other.port[0] = 8443;
    ask(fake, &other, &elsewhere);
    assert_int_equal(fake->exchanges, 6);
    fake_answer(fake, "alpha", 443, FAKE_YES);
    fake_answer(fake, "beta", 443, FAKE_YES);
    assert_told(&first, AGREE, ACCEPT, VOTE);
    assert_told(&second, AGREE, ACCEPT, VOTE);
    assert_int_equal(elsewhere.answers, 0);
    fake_advance(fake, 2000);
    assert_int_equal(elsewhere.answers, 1);
    fake_world_free(fake);
}

static void agree_once(struct fake_world *fake)
{
    struct asker asker;

    ask_default(fake, &asker);
    fake_answer(fake, "alpha", 0, FAKE_YES);
    fake_answer(fake, "beta", 0, FAKE_YES);
    assert_told(&asker, AGREE, ACCEPT, VOTE);
}

static void cache_hit_asks_nobody(void **state)
{
    struct fake_world *fake = begin(3);
    struct cvg_question other = make_question(fake);
    struct asker asker;

    (void)state;
    agree_once(fake);
    ask_default(fake, &asker);
    assert_told(&asker, AGREE, ACCEPT, CACHE);
    assert_int_equal(fake->exchanges, 3);
    assert_int_equal(cvg_checks_counts(fake->checks).cached, 1);
    other.port[0] = 444;
    ask(fake, &other, &asker);
    assert_int_equal(fake->exchanges, 6);
    fake_advance(fake, 2000);
    fake_world_free(fake);
}

static void removed_voter_voids_the_verdict(void **state)
{
    struct fake_world *fake = begin(3);
    struct asker asker;

    (void)state;
    agree_once(fake);
    fake_reload(fake, 1);
    ask_default(fake, &asker);
    assert_int_equal(asker.answers, 0);
    fake_answer(fake, "alpha", 0, FAKE_YES);
    assert_told(&asker, AGREE, ACCEPT, VOTE);
    fake_world_free(fake);
}

static void another_operator_under_the_same_name_voids_the_verdict(void **state)
{
    struct fake_world *fake = begin(3);
    struct asker asker;

    (void)state;
    agree_once(fake);
    fake_reload(fake, 3);
    ask_default(fake, &asker);
    assert_told(&asker, AGREE, ACCEPT, CACHE);
    fake_replace_operator(fake, 1);
    fake_reload(fake, 3);
    ask_default(fake, &asker);
    assert_int_equal(asker.answers, 0);
    fake_answer(fake, "alpha", 0, FAKE_YES);
    fake_answer(fake, "beta", 0, FAKE_YES);
    assert_told(&asker, AGREE, ACCEPT, VOTE);
    fake_world_free(fake);
}

static void overruled_dissent_is_asked_about_again_where_all_must_agree(void **state)
{
    struct fake_world *fake = begin(3);
    struct asker asker;

    (void)state;
    ask_default(fake, &asker);
    fake_answer(fake, "alpha", 0, FAKE_YES);
    fake_answer(fake, "beta", 0, FAKE_NO);
    fake_answer(fake, "gamma", 0, FAKE_YES);
    assert_told(&asker, AGREE, ACCEPT, VOTE);
    fake->config.threshold = CVG_THRESHOLD_CONSENSUS;
    fake_reload(fake, 3);
    ask_default(fake, &asker);
    assert_int_equal(asker.answers, 0);
    fake_answer(fake, "alpha", 0, FAKE_YES);
    fake_answer(fake, "beta", 0, FAKE_NO);
    assert_told(&asker, DISAGREE, REFUSE, VOTE);
    fake_world_free(fake);
}

static void stricter_policy_asks_again(void **state)
{
    struct fake_world *fake = fake_world_new(3, false);
    struct asker asker;

    (void)state;
    fake->config.match = CVG_MATCH_PUBLIC_KEY;
    fake->config.threshold = CVG_THRESHOLD_COUNT;
    fake->config.threshold_count = fake->config.min_votes = 1;
    fake_world_start(fake);
    ask_default(fake, &asker);
    assert_true(fake_answer(fake, "beta", 0, FAKE_YES));
    assert_told(&asker, AGREE, ACCEPT, VOTE);
    ask_default(fake, &asker);
    assert_told(&asker, AGREE, ACCEPT, CACHE);
    /* What was voted about the key alone says nothing about the certificate. */
    fake->config.match = CVG_MATCH_CERTIFICATE;
    fake_reload(fake, 3);
    ask_default(fake, &asker);
    assert_int_equal(asker.answers, 0);
    cvg_check_forget(asker.check);
    /* One vote is too few now. */
    fake->config.match = CVG_MATCH_PUBLIC_KEY;
    fake->config.threshold = CVG_THRESHOLD_MAJORITY;
    fake->config.min_votes = 2;
    fake_reload(fake, 3);
    ask_default(fake, &asker);
    assert_int_equal(asker.answers, 0);
    fake_world_free(fake);
}

static void fingerprints_alone(void **state)
{
    struct fake_world *fake = begin(3);
    struct cvg_question question = make_question(fake);
    struct asker asker;

    (void)state;
    question.leaf = NULL;
    question.leaf_len = 0;
    question.fingerprint.len = CVG_SHA1_LEN;
    memcpy(question.fingerprint.bytes, fake->leaf.sha1, CVG_SHA1_LEN);
    ask(fake, &question, &asker);
    fake_answer(fake, "alpha", 0, FAKE_YES);
    fake_answer(fake, "beta", 0, FAKE_YES);
    assert_told(&asker, AGREE, ACCEPT, VOTE);
    ask(fake, &question, &asker);
    assert_told(&asker, AGREE, ACCEPT, CACHE);
    /* The notaries have told all digests: it is known by the others, too. */
    ask_default(fake, &asker);
    assert_told(&asker, AGREE, ACCEPT, CACHE);
    question.fingerprint.bytes[0] ^= 1;
    ask(fake, &question, &asker);
    fake_answer(fake, "alpha", 0, FAKE_YES);
    fake_answer(fake, "beta", 0, FAKE_YES);
    assert_told(&asker, DISAGREE, REFUSE, VOTE);
    fake_world_free(fake);
}

/* One that states a true SHA-1 and a false SHA-256 must not bring the false one into the cache. */
static void contradicting_witnesses_are_not_remembered(void **state)
{
    struct fake_world *fake = begin(3);
    struct cvg_question question = make_question(fake);
    struct asker asker;

    (void)state;
    question.leaf = NULL;
    question.leaf_len = 0;
    question.fingerprint.len = CVG_SHA1_LEN;
    memcpy(question.fingerprint.bytes, fake->leaf.sha1, CVG_SHA1_LEN);
    ask(fake, &question, &asker);
    fake_answer(fake, "alpha", 0, FAKE_OTHER_SHA256);
    fake_answer(fake, "beta", 0, FAKE_YES);
    assert_told(&asker, AGREE, ACCEPT, VOTE);
    ask(fake, &question, &asker);
    assert_int_equal(asker.answers, 0);
    fake_advance(fake, 2000);
    fake_world_free(fake);
}

/* Another certificate with the same key: the last octet is the signature's. */
static uint8_t *renewed(const struct fake_world *fake)
{
    uint8_t *der = malloc(fake->der_len);

    memcpy(der, fake->der, fake->der_len);
    der[fake->der_len - 1] ^= 1;
    return der;
}

static void known_key_stands_in_for_silent_notaries(void **state)
{
    struct fake_world *fake = fake_world_new(3, false);
    struct cvg_question question;
    struct asker asker;
    uint8_t *der = renewed(fake);

    (void)state;
    fake->config.on_unreachable = CVG_UNREACHABLE_KNOWN;
    fake_world_start(fake);
    agree_once(fake);
    question = make_question(fake);
    question.leaf = der;
    ask(fake, &question, &asker);
    fake_advance(fake, 2000);
    assert_told(&asker, UNDECIDED, ACCEPT, KNOWN_KEY);
    /* It is no help against a no. */
    fake_advance(fake, 10000);
    ask(fake, &question, &asker);
    fake_answer(fake, "alpha", 0, FAKE_NO);
    fake_answer(fake, "beta", 0, FAKE_NO);
    assert_told(&asker, DISAGREE, REFUSE, VOTE);
    fake_world_free(fake);
    free(der);
}

static void public_keys_may_be_what_is_matched(void **state)
{
    struct fake_world *fake = fake_world_new(3, false);
    struct cvg_question question;
    struct asker asker;
    uint8_t *der = renewed(fake);

    (void)state;
    fake->config.match = CVG_MATCH_PUBLIC_KEY;
    fake_world_start(fake);
    question = make_question(fake);
    question.leaf = der;
    ask(fake, &question, &asker);
    fake_answer(fake, "alpha", 0, FAKE_YES);
    fake_answer(fake, "beta", 0, FAKE_YES);
    assert_told(&asker, AGREE, ACCEPT, VOTE);
    ask_default(fake, &asker);
    assert_told(&asker, AGREE, ACCEPT, CACHE);
    assert_int_equal(asker.answer.port, 443);
    fake_world_free(fake);
    free(der);
}

static void negative_answers_are_kept_for_seconds(void **state)
{
    struct fake_world *fake = begin(3);
    struct asker asker;

    (void)state;
    ask_default(fake, &asker);
    fake_answer(fake, "alpha", 0, FAKE_NO);
    fake_answer(fake, "beta", 0, FAKE_NO);
    assert_told(&asker, DISAGREE, REFUSE, VOTE);
    ask_default(fake, &asker);
    assert_told(&asker, DISAGREE, REFUSE, VOTE);
    assert_int_equal(asker.answer.vote_count, 2);
    assert_int_equal(fake->exchanges, 3);
    fake_advance(fake, 5001);
    ask_default(fake, &asker);
    assert_int_equal(asker.answers, 0);
    fake_advance(fake, 2000);
    fake_world_free(fake);
}

static void consensus_needs_all(void **state)
{
    struct fake_world *fake = fake_world_new(3, false);
    struct asker asker;

    (void)state;
    fake->config.threshold = CVG_THRESHOLD_CONSENSUS;
    fake_world_start(fake);
    ask_default(fake, &asker);
    fake_answer(fake, "alpha", 0, FAKE_YES);
    fake_answer(fake, "beta", 0, FAKE_YES);
    assert_int_equal(asker.answers, 0);
    fake_answer(fake, "gamma", 0, FAKE_NO);
    assert_told(&asker, DISAGREE, REFUSE, VOTE);
    fake_world_free(fake);
}

static void one_is_enough_if_so_configured(void **state)
{
    struct fake_world *fake = fake_world_new(3, false);
    struct asker asker;

    (void)state;
    fake->config.threshold = CVG_THRESHOLD_COUNT;
    fake->config.threshold_count = 1;
    fake->config.min_votes = 1;
    fake_world_start(fake);
    ask_default(fake, &asker);
    fake_answer(fake, "alpha", 0, FAKE_NO);
    assert_int_equal(asker.answers, 0);
    fake_answer(fake, "beta", 0, FAKE_YES);
    assert_told(&asker, AGREE, ACCEPT, VOTE);
    fake_world_free(fake);
}

static void not_public_by_a_quorum_exempts(void **state)
{
    struct fake_world *fake = begin(3);
    struct asker asker;

    (void)state;
    ask_default(fake, &asker);
    fake_answer(fake, "alpha", 0, FAKE_NOT_PUBLIC);
    assert_int_equal(asker.answers, 0);
    fake_answer(fake, "beta", 0, FAKE_NOT_PUBLIC);
    assert_told(&asker, EXEMPT, UNCHANGED, EXEMPT_NOT_PUBLIC);
    fake_world_free(fake);
}

static void replace_overrules_trust_only(void **state)
{
    struct fake_world *fake = fake_world_new(3, false);
    struct cvg_question question = make_question(fake);
    struct asker asker;

    (void)state;
    fake->config.mode = CVG_MODE_REPLACE;
    fake_world_start(fake);
    question.pki = CVG_PKI_OTHER_ERROR;
    ask(fake, &question, &asker);
    assert_told(&asker, UNDECIDED, UNCHANGED, PKI_FAILED);
    question.pki = CVG_PKI_UNKNOWN;
    ask(fake, &question, &asker);
    assert_told(&asker, UNDECIDED, UNCHANGED, PKI_FAILED);
    assert_int_equal(fake->exchanges, 0);
    question.pki = CVG_PKI_TRUST_ERROR;
    ask(fake, &question, &asker);
    fake_answer(fake, "alpha", 0, FAKE_YES);
    fake_answer(fake, "beta", 0, FAKE_YES);
    assert_told(&asker, AGREE, ACCEPT, VOTE);
    question.port[0] = 8443;
    ask(fake, &question, &asker);
    fake_advance(fake, 2000);
    assert_told(&asker, UNDECIDED, REFUSE, DEADLINE);
    fake_world_free(fake);
}

static void allow_never_overrules_pki(void **state)
{
    struct fake_world *fake = fake_world_new(3, false);
    struct cvg_question question = make_question(fake);
    struct asker asker;

    (void)state;
    fake->config.mode = CVG_MODE_REPLACE;
    fake->config.on_unreachable = CVG_UNREACHABLE_ALLOW;
    fake_world_start(fake);
    question.pki = CVG_PKI_TRUST_ERROR;
    ask(fake, &question, &asker);
    fake_advance(fake, 2000);
    assert_told(&asker, UNDECIDED, REFUSE, DEADLINE);
    fake_world_free(fake);
}

static void augment_asks_nothing_about_what_pki_refused(void **state)
{
    struct fake_world *fake = begin(3);
    struct cvg_question question = make_question(fake);
    struct asker asker;

    (void)state;
    question.pki = CVG_PKI_TRUST_ERROR;
    ask(fake, &question, &asker);
    assert_told(&asker, UNDECIDED, REFUSE, PKI_FAILED);
    assert_int_equal(fake->exchanges, 0);
    fake_world_free(fake);
}

static void monitor_only_tells(void **state)
{
    struct fake_world *fake = fake_world_new(3, false);
    struct cvg_question question = make_question(fake);
    struct asker asker;

    (void)state;
    fake->config.mode = CVG_MODE_MONITOR;
    fake_world_start(fake);
    question.timeout_ms = 0;
    ask(fake, &question, &asker);
    fake_answer(fake, "alpha", 0, FAKE_NO);
    fake_answer(fake, "beta", 0, FAKE_NO);
    assert_told(&asker, DISAGREE, ACCEPT, VOTE);
    fake_world_free(fake);
}

static void on_unreachable_known_and_allow(void **state)
{
    struct fake_world *fake = fake_world_new(3, false);
    struct asker asker;

    (void)state;
    fake->config.on_unreachable = CVG_UNREACHABLE_ALLOW;
    fake_world_start(fake);
    ask_default(fake, &asker);
    fake_advance(fake, 2000);
    assert_told(&asker, UNDECIDED, ACCEPT, DEADLINE);
    fake->config.on_unreachable = CVG_UNREACHABLE_KNOWN;
    fake_reload(fake, 3);
    ask_default(fake, &asker);
    fake_advance(fake, 2000);
    assert_told(&asker, UNDECIDED, REFUSE, DEADLINE);
    fake_world_free(fake);
}

static void one_agreeing_port_accepts(void **state)
{
    struct fake_world *fake = begin(3);
    struct cvg_question question = make_question(fake);
    struct asker asker;

    (void)state;
    question.port[1] = 8443;
    question.port_count = 2;
    ask(fake, &question, &asker);
    assert_int_equal(fake_open(fake), 6);
    fake_answer(fake, "alpha", 443, FAKE_NO);
    fake_answer(fake, "beta", 443, FAKE_NO);
    assert_int_equal(asker.answers, 0);
    fake_answer(fake, "alpha", 8443, FAKE_YES);
    fake_answer(fake, "gamma", 8443, FAKE_YES);
    assert_told(&asker, AGREE, ACCEPT, VOTE);
    assert_int_equal(asker.answer.port, 8443);
    assert_int_equal(asker.answer.vote_count, 4);
    fake_world_free(fake);
}

static void only_disagreement_at_every_port_is_one(void **state)
{
    struct fake_world *fake = begin(3);
    struct cvg_question question = make_question(fake);
    struct asker asker;

    (void)state;
    question.port[1] = 8443;
    question.port_count = 2;
    ask(fake, &question, &asker);
    fake_answer(fake, "alpha", 443, FAKE_NO);
    fake_answer(fake, "beta", 443, FAKE_NO);
    fake_answer(fake, "alpha", 8443, FAKE_NO);
    fake_answer(fake, "beta", 8443, FAKE_NO);
    assert_told(&asker, DISAGREE, REFUSE, VOTE);
    question.port[1] = 9443;
    ask(fake, &question, &asker);
    fake_advance(fake, 2000);
    assert_told(&asker, UNDECIDED, REFUSE, DEADLINE);
    fake_world_free(fake);
}

static void failing_notary_is_asked_last(void **state)
{
    struct fake_world *fake = fake_world_new(4, false);
    struct cvg_question question = make_question(fake);
    struct asker asker;

    (void)state;
    fake_world_start(fake);
    for (unsigned i = 0; i < CVG_BREAKER_FAILURES; i++) {
        question.port[0] = (uint16_t)(1000 + i);
        ask(fake, &question, &asker);
        assert_true(fake_answer(fake, "alpha", 0, FAKE_SILENT));
        fake_answer(fake, "beta", 0, FAKE_YES);
        fake_answer(fake, "gamma", 0, FAKE_YES);
        assert_told(&asker, AGREE, ACCEPT, VOTE);
    }
    ask_default(fake, &asker);
    assert_false(fake_is_asked(fake, "alpha"));
    /* It is asked all the same where there are too few others. */
    fake_answer(fake, "delta", 0, FAKE_SILENT);
    assert_true(fake_is_asked(fake, "alpha"));
    fake_advance(fake, 2000);
    fake_world_free(fake);
}

static void relay_casts_no_vote(void **state)
{
    struct fake_world *fake = fake_world_new(4, true);
    struct asker asker;

    (void)state;
    fake_world_start(fake);
    ask_default(fake, &asker);
    assert_int_equal(fake_open(fake), 3);
    assert_false(fake_is_asked(fake, "alpha"));
    assert_string_equal(fake_relay_of(fake, "beta"), "alpha");
    assert_string_equal(fake_relay_of(fake, "gamma"), "alpha");
    fake_answer(fake, "beta", 0, FAKE_YES);
    fake_answer(fake, "gamma", 0, FAKE_YES);
    assert_told(&asker, AGREE, ACCEPT, VOTE);
    assert_true(asker.answer.vote[0].bounced);
    fake_world_free(fake);
}

/* All that was under way through it starts anew: the notaries have heard nothing. */
static void failing_relay_is_replaced(void **state)
{
    struct fake_world *fake = fake_world_new(5, true);
    struct asker asker;

    (void)state;
    fake_world_start(fake);
    ask_default(fake, &asker);
    assert_string_equal(fake_relay_of(fake, "gamma"), "alpha");
    fake_answer(fake, "beta", 0, FAKE_RELAY_FAILED);
    assert_int_equal(fake_open(fake), 3);
    assert_string_equal(fake_relay_of(fake, "beta"), "epsilon");
    assert_string_equal(fake_relay_of(fake, "gamma"), "epsilon");
    assert_string_equal(fake_relay_of(fake, "delta"), "epsilon");
    fake_answer(fake, "beta", 0, FAKE_YES);
    fake_answer(fake, "gamma", 0, FAKE_YES);
    assert_told(&asker, AGREE, ACCEPT, VOTE);
    assert_int_equal(asker.answer.vote_count, 2);
    fake_world_free(fake);
}

/* Where no notary is left over, one of those that were to vote becomes the relay. */
static void a_voter_becomes_the_relay_for_want_of_another(void **state)
{
    struct fake_world *fake = fake_world_new(4, true);
    struct asker asker;

    (void)state;
    fake_world_start(fake);
    ask_default(fake, &asker);
    fake_answer(fake, "delta", 0, FAKE_RELAY_FAILED);
    assert_int_equal(fake_open(fake), 2);
    assert_false(fake_is_asked(fake, "beta"));
    assert_string_equal(fake_relay_of(fake, "gamma"), "beta");
    assert_string_equal(fake_relay_of(fake, "delta"), "beta");
    fake_answer(fake, "gamma", 0, FAKE_YES);
    fake_answer(fake, "delta", 0, FAKE_YES);
    assert_told(&asker, AGREE, ACCEPT, VOTE);
    fake_world_free(fake);
}

static void hanging_relay_is_given_up_at_half_time(void **state)
{
    struct fake_world *fake = fake_world_new(4, true);
    struct asker asker;

    (void)state;
    fake_world_start(fake);
    ask_default(fake, &asker);
    assert_string_equal(fake_relay_of(fake, "beta"), "alpha");
    fake_advance(fake, 1010);
    /* One of the three has taken its place; two are left to vote. */
    assert_int_equal(fake_open(fake), 2);
    for (size_t i = 0; i < fake->exchanges; i++)
        assert_true(!fake->exchange[i].open || strcmp(fake->exchange[i].relay, "alpha") != 0);
    fake_answer(fake, "beta", 0, FAKE_YES);
    fake_answer(fake, "gamma", 0, FAKE_YES);
    fake_answer(fake, "delta", 0, FAKE_YES);
    assert_told(&asker, AGREE, ACCEPT, VOTE);
    fake_world_free(fake);
}

static void nobody_is_asked_directly_for_want_of_a_relay(void **state)
{
    struct fake_world *fake = fake_world_new(4, true);
    struct asker asker;

    (void)state;
    fake_world_start(fake);
    ask_default(fake, &asker);
    for (unsigned i = 0; i < 20 && asker.answers == 0; i++) {
        fake_answer(fake, "beta", 0, FAKE_RELAY_FAILED);
        fake_answer(fake, "gamma", 0, FAKE_RELAY_FAILED);
        fake_answer(fake, "delta", 0, FAKE_RELAY_FAILED);
    }
    assert_told(&asker, UNDECIDED, REFUSE, UNREACHABLE);
    for (size_t i = 0; i < fake->exchanges; i++)
        assert_true(fake->exchange[i].relay[0] != '\0');
    fake_world_free(fake);
}

static void budget_is_for_questions_that_need_notaries(void **state)
{
    struct fake_world *fake = fake_world_new(3, false);
    struct cvg_question question = make_question(fake);
    struct asker asker;

    (void)state;
    fake->config.budget_per_minute = 1;
    fake_world_start(fake);
    agree_once(fake);
    ask_default(fake, &asker);
    assert_told(&asker, AGREE, ACCEPT, CACHE);
    question.port[0] = 8443;
    ask(fake, &question, &asker);
    assert_told(&asker, UNDECIDED, REFUSE, BUDGET);
    assert_int_equal(fake->exchanges, 3);
    fake_world_free(fake);
}

static void asker_that_leaves_still_fills_the_cache(void **state)
{
    struct fake_world *fake = begin(3);
    struct asker asker, next;

    (void)state;
    ask_default(fake, &asker);
    cvg_check_forget(asker.check);
    fake_answer(fake, "alpha", 0, FAKE_YES);
    fake_answer(fake, "beta", 0, FAKE_YES);
    assert_int_equal(asker.answers, 0);
    ask_default(fake, &next);
    assert_told(&next, AGREE, ACCEPT, CACHE);
    fake_world_free(fake);
}

static void faults_never_agree(void **state)
{
    struct fake_world *fake = begin(3);
    struct cvg_question question = make_question(fake);
    struct asker asker;
    static const uint8_t junk[] = "not a certificate";

    (void)state;
    question.leaf = junk;
    question.leaf_len = sizeof junk;
    ask(fake, &question, &asker);
    assert_told(&asker, UNDECIDED, REFUSE, BAD_QUESTION);
    fake->start_fails = true;
    ask_default(fake, &asker);
    fake_advance(fake, 1);
    assert_told(&asker, UNDECIDED, REFUSE, UNREACHABLE);
    fake_world_free(fake);
}

static void no_notaries(void **state)
{
    struct fake_world *fake = begin(0);
    struct asker asker;

    (void)state;
    ask_default(fake, &asker);
    assert_told(&asker, UNDECIDED, REFUSE, NO_NOTARIES);
    fake_world_free(fake);
}

static void no_policy_at_all(void **state)
{
    struct fake_world *fake = fake_world_new(3, false);
    struct asker asker;

    (void)state;
    ask_default(fake, &asker);
    assert_told(&asker, UNDECIDED, REFUSE, INTERNAL);
    fake_world_free(fake);
}

static void exempt_is_asked_nobody(void **state)
{
    struct fake_world *fake = begin(3);
    struct cvg_question question = make_question(fake);
    struct asker asker;

    (void)state;
    strcpy(question.host, "printer.local");
    ask(fake, &question, &asker);
    assert_told(&asker, EXEMPT, UNCHANGED, EXEMPT_NAME);
    question.host[0] = '\0';
    ask(fake, &question, &asker);
    assert_told(&asker, EXEMPT, UNCHANGED, NOT_APPLICABLE);
    assert_int_equal(fake->exchanges, 0);
    fake_world_free(fake);
}

static void reload_leaves_votes_under_way(void **state)
{
    struct fake_world *fake = begin(3);
    struct asker old, new;

    (void)state;
    ask_default(fake, &old);
    fake_reload(fake, 2);
    ask_default(fake, &new);
    assert_int_equal(fake->exchanges, 5);
    fake_answer(fake, "gamma", 0, FAKE_YES);
    fake_answer(fake, "alpha", 0, FAKE_YES);
    assert_told(&old, AGREE, ACCEPT, VOTE);
    fake_answer(fake, "alpha", 0, FAKE_YES);
    fake_answer(fake, "beta", 0, FAKE_YES);
    assert_told(&new, AGREE, ACCEPT, VOTE);
    fake_world_free(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(early_decision_awaits_no_more),
        cmocka_unit_test(table_of_votes),
        cmocka_unit_test(silent_notary_is_replaced),
        cmocka_unit_test(silent_slots_stay),
        cmocka_unit_test(hanging_notary_is_joined_at_half_time),
        cmocka_unit_test(asker_is_answered_before_it_gives_up),
        cmocka_unit_test(short_deadline_leaves_the_vote_running),
        cmocka_unit_test(nobody_waits_for_ever),
        cmocka_unit_test(single_flight),
        cmocka_unit_test(cache_hit_asks_nobody),
        cmocka_unit_test(removed_voter_voids_the_verdict),
        cmocka_unit_test(another_operator_under_the_same_name_voids_the_verdict),
        cmocka_unit_test(overruled_dissent_is_asked_about_again_where_all_must_agree),
        cmocka_unit_test(stricter_policy_asks_again),
        cmocka_unit_test(fingerprints_alone),
        cmocka_unit_test(contradicting_witnesses_are_not_remembered),
        cmocka_unit_test(known_key_stands_in_for_silent_notaries),
        cmocka_unit_test(public_keys_may_be_what_is_matched),
        cmocka_unit_test(negative_answers_are_kept_for_seconds),
        cmocka_unit_test(consensus_needs_all),
        cmocka_unit_test(one_is_enough_if_so_configured),
        cmocka_unit_test(not_public_by_a_quorum_exempts),
        cmocka_unit_test(replace_overrules_trust_only),
        cmocka_unit_test(allow_never_overrules_pki),
        cmocka_unit_test(augment_asks_nothing_about_what_pki_refused),
        cmocka_unit_test(monitor_only_tells),
        cmocka_unit_test(on_unreachable_known_and_allow),
        cmocka_unit_test(one_agreeing_port_accepts),
        cmocka_unit_test(only_disagreement_at_every_port_is_one),
        cmocka_unit_test(failing_notary_is_asked_last),
        cmocka_unit_test(relay_casts_no_vote),
        cmocka_unit_test(failing_relay_is_replaced),
        cmocka_unit_test(a_voter_becomes_the_relay_for_want_of_another),
        cmocka_unit_test(hanging_relay_is_given_up_at_half_time),
        cmocka_unit_test(nobody_is_asked_directly_for_want_of_a_relay),
        cmocka_unit_test(budget_is_for_questions_that_need_notaries),
        cmocka_unit_test(asker_that_leaves_still_fills_the_cache),
        cmocka_unit_test(faults_never_agree),
        cmocka_unit_test(no_notaries),
        cmocka_unit_test(no_policy_at_all),
        cmocka_unit_test(exempt_is_asked_nobody),
        cmocka_unit_test(reload_leaves_votes_under_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
