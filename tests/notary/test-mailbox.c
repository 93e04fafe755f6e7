/* SPDX-License-Identifier: MIT */
/* Letters between threads: all arrive, once, in order, a bounded number a turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "notary/mailbox.h"

#define THREADS 4
#define LETTERS 5000

struct numbered {
    struct cvg_letter letter;
    unsigned thread, number;
};

static uv_loop_t loop;
static struct cvg_mailbox *mailbox;
static unsigned opened[THREADS], all;

static void open_numbered(struct cvg_letter *letter)
{
    struct numbered *numbered = CVG_CONTAINER_OF(letter, struct numbered, letter);
    assert_int_equal(numbered->number, opened[numbered->thread]);
    opened[numbered->thread]++;
    all++;
    free(numbered);
}

static void post(unsigned thread, unsigned number)
{
    struct numbered *numbered = calloc(1, sizeof(*numbered));
    *numbered =
        (struct numbered){.letter = {.open = open_numbered}, .thread = thread, .number = number};
    cvg_mailbox_post(mailbox, &numbered->letter);
}

static void post_all(void *thread)
{
    for (unsigned i = 0; i < LETTERS; i++)
        post((unsigned)(uintptr_t)thread, i);
}

static int set_up(void **state)
{
    (void)state;
    all = 0;
    for (unsigned i = 0; i < THREADS; i++)
        opened[i] = 0;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(cvg_mailbox_new(&loop, &mailbox), CVG_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cvg_mailbox_free(mailbox);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    return 0;
}

static void several_threads_post(void **state)
{
    uv_thread_t thread[THREADS];
    (void)state;
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(uv_thread_create(&thread[i], post_all, (void *)i), 0);
    while (all < THREADS * LETTERS)
        uv_run(&loop, UV_RUN_ONCE);
    for (unsigned i = 0; i < THREADS; i++) {
        uv_thread_join(&thread[i]);
        assert_int_equal(opened[i], LETTERS);
    }
}

static void a_turn_is_bounded(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 1000; i++)
        post(0, i);
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_in_range(all, 1, 999);
    while (all < 1000)
        uv_run(&loop, UV_RUN_ONCE);
}

static void withdrawn_is_not_opened(void **state)
{
    struct numbered numbered = {.letter = {.open = open_numbered}};
    (void)state;
    cvg_mailbox_post(mailbox, &numbered.letter);
    cvg_mailbox_withdraw(mailbox, &numbered.letter);
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(all, 0);
}

/* Posts itself again, so often. */
static unsigned left;

static void open_again(struct cvg_letter *letter)
{
    all++;
    if (left-- > 0)
        cvg_mailbox_post(mailbox, letter);
}

static void posts_itself_again(void **state)
{
    struct cvg_letter letter = {.open = open_again};
    (void)state;
    left = 200;
    cvg_mailbox_post(mailbox, &letter);
    while (all < 201)
        uv_run(&loop, UV_RUN_ONCE);
}

static void what_is_left_is_opened_at_the_end(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 1000; i++)
        post(0, i);
    cvg_mailbox_flush(mailbox);
    assert_int_equal(all, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(several_threads_post, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_turn_is_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(withdrawn_is_not_opened, set_up, tear_down),
        cmocka_unit_test_setup_teardown(posts_itself_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_left_is_opened_at_the_end, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
