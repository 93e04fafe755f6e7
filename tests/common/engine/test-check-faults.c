/* SPDX-License-Identifier: MIT */
/* Every allocation of a check fails in turn, while it asks and while it counts answers: it is
 * always answered, and never in favour of a certificate that the notaries do not see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/common/engine/fake-world.h"
#include "tests/common/engine/faults.h"

#define FAULTS_MAX 10000 /* far more calls than a check makes */

struct asker {
    unsigned answers;
    enum cvg_verdict verdict;
    enum cvg_action action;
};

static bool hit; /* whether a fault was hit in an answer */

static void on_done(const struct cvg_question *question, const struct cvg_answer *answer,
                    void *user)
{
    struct asker *asker = user;

    (void)question;
    asker->answers++;
    asker->verdict = answer->verdict;
    asker->action = answer->action;
}

static void arm(struct fake_world *fake)
{
    faults_arm(fake->fault, false);
}

static void disarm(struct fake_world *fake)
{
    (void)fake;
    hit = faults_disarm() || hit;
}

static void ask(struct fake_world *fake, enum cvg_pki pki, struct asker *asker)
{
    struct cvg_question question = {.id = 1,
                                    .have_name = true,
                                    .host = "site.example.org",
                                    .port = {443, 8443},
                                    .port_count = 2,
                                    .pki = pki,
                                    .timeout_ms = 2000};
    struct cvg_check *check;

    question.leaf = fake->der;
    question.leaf_len = fake->der_len;
    *asker = (struct asker){0};
    cvg_checks_ask(fake->checks, &question, 1000, on_done, asker, &check);
}

static void answer_no(struct fake_world *fake)
{
    for (unsigned port = 443; port <= 8443; port += 8000) {
        fake_answer(fake, "alpha", port, FAKE_NO);
        fake_answer(fake, "beta", port, FAKE_NO);
        fake_answer(fake, "gamma", port, FAKE_YES);
    }
}

/* One check with one fault, in asking or in counting. Whether there was a fault at all. */
static bool check_with_fault(unsigned nth, bool while_asking, enum cvg_pki pki)
{
    struct fake_world *fake = fake_world_new(3, false);
    struct asker asker;

    hit = false;
    fake->config.mode = CVG_MODE_REPLACE;
    fake_world_start(fake);
    fake->fault = nth;
    if (while_asking)
        faults_arm(nth, false);
    ask(fake, pki, &asker);
    if (while_asking) {
        hit = faults_disarm();
    } else {
        fake->before_done = arm;
        fake->after_done = disarm;
    }
    answer_no(fake);
    fake_advance(fake, 2100);
    assert_int_equal(asker.answers, 1);
    assert_int_not_equal(asker.verdict, CVG_VERDICT_AGREE);
    assert_int_equal(asker.action, CVG_ACTION_REFUSE);
    fake_world_free(fake);
    return hit;
}

static void until_no_fault(bool while_asking, enum cvg_pki pki)
{
    unsigned nth = 1;

    while (nth < FAULTS_MAX && check_with_fault(nth, while_asking, pki))
        nth++;
    assert_true(nth > 1);
    assert_true(nth < FAULTS_MAX);
}

static void asking(void **state)
{
    (void)state;
    until_no_fault(true, CVG_PKI_OK);
    until_no_fault(true, CVG_PKI_TRUST_ERROR);
}

static void counting(void **state)
{
    (void)state;
    until_no_fault(false, CVG_PKI_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asking),
        cmocka_unit_test(counting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
