/* SPDX-License-Identifier: MIT */
/* A check that no notary answered waits for the look for a captive portal: for its end or the
 * check's own deadline, whichever comes first, and only where it would be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/base/verdict.h"
#include "tests/common/engine/fake-world.h"

#define UID 1000

struct asker {
    unsigned answers;
    struct cvg_answer answer;
    uint64_t answered_ms;
    struct fake_world *fake;
};

/* The portal watch under the test's control. */
struct watch {
    const char *url;
    bool under_way;
    unsigned looks;
};

static const char *url_of(void *user)
{
    return ((struct watch *)user)->url;
}

static bool look(void *user)
{
    struct watch *watch = user;

    watch->looks++;
    return watch->under_way;
}

static void on_done(const struct cvg_question *question, const struct cvg_answer *answer,
                    void *user)
{
    struct asker *asker = user;

    (void)question;
    asker->answers++;
    asker->answer = *answer;
    asker->answered_ms = asker->fake->clock.ms;
}

static struct fake_world *begin(enum cvg_unreachable on_unreachable, struct watch *watch)
{
    const struct cvg_portal_watch portal = {.url = url_of, .look = look, .user = watch};
    struct fake_world *fake = fake_world_new(3, false);

    fake->config.on_unreachable = on_unreachable;
    fake_world_start(fake);
    cvg_checks_set_portal(fake->checks, &portal);
    return fake;
}

static struct cvg_check *ask(struct fake_world *fake, struct asker *asker)
{
    struct cvg_question question = {.id = 77,
                                    .have_name = true,
                                    .host = "site.example.org",
                                    .port = {443},
                                    .port_count = 1,
                                    .pki = CVG_PKI_OK,
                                    .timeout_ms = 2000};
    struct cvg_check *check;

    question.leaf = fake->der;
    question.leaf_len = fake->der_len;
    *asker = (struct asker){.fake = fake};
    cvg_checks_ask(fake->checks, &question, UID, on_done, asker, &check);
    return check;
}

static void all_silent(struct fake_world *fake)
{
    fake_answer(fake, "alpha", 0, FAKE_SILENT);
    fake_answer(fake, "beta", 0, FAKE_SILENT);
    fake_answer(fake, "gamma", 0, FAKE_SILENT);
}

static void assert_told(const struct asker *asker, enum cvg_action action, enum cvg_reason reason)
{
    assert_int_equal(asker->answers, 1);
    assert_int_equal(asker->answer.verdict, CVG_VERDICT_UNDECIDED);
    assert_string_equal(cvg_action_name(asker->answer.action), cvg_action_name(action));
    assert_string_equal(cvg_reason_name(asker->answer.reason), cvg_reason_name(reason));
}

static void first_asker_hears_of_the_portal(void **state)
{
    struct watch watch = {.under_way = true};
    struct fake_world *fake = begin(CVG_UNREACHABLE_DENY, &watch);
    struct asker asker;

    (void)state;
    ask(fake, &asker);
    all_silent(fake);
    assert_int_equal(watch.looks, 1);
    assert_int_equal(asker.answers, 0);
    watch.under_way = false;
    watch.url = "http://login.example/";
    cvg_checks_looked(fake->checks);
    assert_told(&asker, CVG_ACTION_REFUSE, CVG_REASON_CAPTIVE_PORTAL);
    assert_non_null(strstr(asker.answer.text, "http://login.example/"));
    assert_int_equal(asker.answer.vote_count, 3);
    assert_int_equal(cvg_checks_pending(fake->checks), 0);
    fake_world_free(fake);
}

static void a_look_that_finds_nothing_changes_nothing(void **state)
{
    struct watch watch = {.under_way = true};
    struct fake_world *fake = begin(CVG_UNREACHABLE_DENY, &watch);
    struct asker asker;

    (void)state;
    ask(fake, &asker);
    all_silent(fake);
    watch.under_way = false;
    cvg_checks_looked(fake->checks);
    assert_told(&asker, CVG_ACTION_REFUSE, CVG_REASON_UNREACHABLE);
    fake_world_free(fake);
}

static void the_wait_ends_with_the_deadline(void **state)
{
    struct watch watch = {.under_way = true};
    struct fake_world *fake = begin(CVG_UNREACHABLE_DENY, &watch);
    uint64_t started = fake->clock.ms;
    struct asker asker;

    (void)state;
    ask(fake, &asker);
    all_silent(fake);
    fake_advance(fake, 1899);
    assert_int_equal(asker.answers, 0);
    fake_advance(fake, 100);
    assert_told(&asker, CVG_ACTION_REFUSE, CVG_REASON_UNREACHABLE);
    assert_int_equal(asker.answered_ms - started, 1900);
    assert_int_equal(cvg_checks_pending(fake->checks), 0);
    cvg_checks_looked(fake->checks);
    assert_int_equal(asker.answers, 1);
    fake_world_free(fake);
}

static void no_look_no_wait(void **state)
{
    struct watch watch = {.under_way = false};
    struct fake_world *fake = begin(CVG_UNREACHABLE_DENY, &watch);
    struct asker asker;

    (void)state;
    ask(fake, &asker);
    all_silent(fake);
    assert_told(&asker, CVG_ACTION_REFUSE, CVG_REASON_UNREACHABLE);
    fake_world_free(fake);
}

static void who_is_let_through_does_not_wait(void **state)
{
    struct watch watch = {.under_way = true};
    struct fake_world *fake = begin(CVG_UNREACHABLE_ALLOW, &watch);
    struct asker asker;

    (void)state;
    ask(fake, &asker);
    all_silent(fake);
    assert_told(&asker, CVG_ACTION_ACCEPT, CVG_REASON_UNREACHABLE);
    assert_int_equal(watch.looks, 1);
    fake_world_free(fake);
}

static void one_answer_is_enough_not_to_look(void **state)
{
    struct watch watch = {.under_way = true};
    struct fake_world *fake = begin(CVG_UNREACHABLE_DENY, &watch);
    struct asker asker;

    (void)state;
    ask(fake, &asker);
    fake_answer(fake, "alpha", 0, FAKE_YES);
    fake_advance(fake, 1100);
    fake_answer(fake, "beta", 0, FAKE_SILENT);
    fake_answer(fake, "gamma", 0, FAKE_SILENT);
    assert_told(&asker, CVG_ACTION_REFUSE, CVG_REASON_UNREACHABLE);
    assert_int_equal(watch.looks, 0);
    fake_world_free(fake);
}

static void remembered_silence_waits_too(void **state)
{
    struct watch watch = {.under_way = true};
    struct fake_world *fake = begin(CVG_UNREACHABLE_DENY, &watch);
    struct asker first, second;

    (void)state;
    ask(fake, &first);
    all_silent(fake);
    assert_non_null(ask(fake, &second));
    assert_int_equal(fake_open(fake), 0);
    watch.url = "";
    cvg_checks_looked(fake->checks);
    assert_told(&first, CVG_ACTION_REFUSE, CVG_REASON_CAPTIVE_PORTAL);
    assert_told(&second, CVG_ACTION_REFUSE, CVG_REASON_CAPTIVE_PORTAL);
    fake_world_free(fake);
}

static void who_leaves_is_not_answered(void **state)
{
    struct watch watch = {.under_way = true};
    struct fake_world *fake = begin(CVG_UNREACHABLE_DENY, &watch);
    struct asker asker;
    struct cvg_check *check;

    (void)state;
    check = ask(fake, &asker);
    all_silent(fake);
    cvg_check_forget(check);
    cvg_checks_looked(fake->checks);
    assert_int_equal(asker.answers, 0);
    assert_int_equal(cvg_checks_pending(fake->checks), 0);
    fake_world_free(fake);
}

/* Portals that drop what is not for them let every notary time out. */
static void silence_is_looked_into_at_half_time(void **state)
{
    struct watch watch = {.under_way = true};
    struct fake_world *fake = begin(CVG_UNREACHABLE_DENY, &watch);
    struct asker asker;

    (void)state;
    ask(fake, &asker);
    fake_advance(fake, 999);
    assert_int_equal(watch.looks, 0);
    fake_advance(fake, 1);
    assert_int_equal(watch.looks, 1);
    watch.url = "";
    cvg_checks_looked(fake->checks);
    assert_int_equal(asker.answers, 0);
    fake_advance(fake, 1000);
    assert_told(&asker, CVG_ACTION_REFUSE, CVG_REASON_CAPTIVE_PORTAL);
    fake_world_free(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_asker_hears_of_the_portal),
        cmocka_unit_test(a_look_that_finds_nothing_changes_nothing),
        cmocka_unit_test(the_wait_ends_with_the_deadline),
        cmocka_unit_test(no_look_no_wait),
        cmocka_unit_test(who_is_let_through_does_not_wait),
        cmocka_unit_test(one_answer_is_enough_not_to_look),
        cmocka_unit_test(remembered_silence_waits_too),
        cmocka_unit_test(who_leaves_is_not_answered),
        cmocka_unit_test(silence_is_looked_into_at_half_time),
    };

    return cmocka_run_group_tests_name("check-portal", tests, NULL, NULL);
}
