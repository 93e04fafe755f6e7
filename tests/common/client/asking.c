/* SPDX-License-Identifier: MIT */
/* Asking a fake agent, see asking.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>

#include "common/base/clock.h"
#include "tests/common/client/asking.h"

struct cvg_config config;
struct cvg_answer answer;
const uint8_t leaf[CVG_MESSAGE_LEAF_MAX + 1] = {0x30};

const enum cvg_pki all_pki[4] = {CVG_PKI_OK, CVG_PKI_TRUST_ERROR, CVG_PKI_OTHER_ERROR,
                                 CVG_PKI_UNKNOWN};

void configure(enum cvg_mode mode, enum cvg_unreachable on_unreachable)
{
    cvg_config_init(&config);
    config.mode = mode;
    config.on_unreachable = on_unreachable;
    config.deadline_ms = DEADLINE_MS;
}

struct cvg_question question(enum cvg_pki pki)
{
    struct cvg_question q = {0};

    q.have_name = true;
    strcpy(q.host, "site.example");
    q.port[0] = 443;
    q.port_count = 1;
    q.pki = pki;
    q.leaf = leaf;
    q.leaf_len = 1000;
    return q;
}

static void drop(void *pending)
{
    cvg_pending_drop(pending);
}

/* Not poll(), which some programs let fail. */
static void wait_for_event(const struct cvg_pending *pending)
{
    int fd = cvg_pending_fd(pending), left_ms = cvg_pending_left_ms(pending);
    struct timespec left = {left_ms / 1000, left_ms % 1000 * 1000000L};
    const struct timespec soon = {0, 1000000};
    struct pollfd one = {.fd = fd, .events = POLLIN};

    ppoll(&one, 1, fd < 0 ? &soon : &left, NULL);
}

void ask_again(struct cvg_pending *pending, struct cvg_answer *ret_answer)
{
    pthread_cleanup_push(drop, pending);
    do
        wait_for_event(pending);
    while (!cvg_pending_look(pending, ret_answer));
    pthread_cleanup_pop(1);
}

void ask_question(const struct cvg_paths *paths, struct cvg_question *question,
                  struct cvg_answer *ret_answer)
{
#ifdef ASKING_PENDING
    struct cvg_pending *pending = cvg_pending_start(&config, paths, question, ret_answer);

    if (pending)
        ask_again(pending, ret_answer);
#else
    cvg_client_ask(&config, paths, question, ret_answer);
#endif
}

enum cvg_action ask_as(const struct cvg_paths *paths, enum cvg_pki pki)
{
    const struct cvg_clock *clock = cvg_clock_system();
    struct cvg_question q = question(pki);
    int before = open_descriptors();
    uint64_t start = cvg_clock_ms(clock);

    memset(&answer, 0x5a, sizeof answer);
    errno = EXDEV;
    ask_question(paths, &q, &answer);
    assert_int_equal(errno, EXDEV);
    assert_true(cvg_clock_ms(clock) - start < DEADLINE_MS + SLACK_MS);
    assert_int_equal(open_descriptors(), before);
    assert_true(cvg_action_valid(answer.action));
    assert_int_not_equal(answer.action, CVG_ACTION_NONE);
    assert_true(cvg_verdict_valid(answer.verdict));
    assert_non_null(memchr(answer.text, '\0', sizeof answer.text));
    assert_in_range(answer.vote_count, 0, CVG_MESSAGE_VOTES_MAX);
    return answer.action;
}

void assert_not_accepted(const struct cvg_paths *paths, enum cvg_reason reason)
{
    static const enum cvg_mode modes[] = {CVG_MODE_AUGMENT, CVG_MODE_REPLACE};

    for (size_t m = 0; m < 2; m++)
        for (size_t p = 0; p < 4; p++) {
            bool trust = all_pki[p] == CVG_PKI_OK || all_pki[p] == CVG_PKI_TRUST_ERROR;

            configure(modes[m], CVG_UNREACHABLE_DENY);
            assert_int_equal(ask_as(paths, all_pki[p]),
                             trust ? CVG_ACTION_REFUSE : CVG_ACTION_UNCHANGED);
            if (reason != CVG_REASON_NONE) {
                assert_int_equal(answer.reason, reason);
                assert_int_equal(answer.verdict, CVG_VERDICT_NONE);
                assert_string_not_equal(answer.text, "");
                assert_int_equal(answer.vote_count, 0);
            }
        }
}
