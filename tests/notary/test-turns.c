/* SPDX-License-Identifier: MIT */
/* Work that waits for its turn: a batch each time round the loop, in order, and what is ready goes
 * between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "notary/turns.h"

#define WORKS 10
#define BATCH 4

static struct work {
    struct cvg_link link;
    unsigned round; /* in which it was taken; 0: not */
    size_t after;   /* how many were taken before */
} works[WORKS];

static unsigned rounds;
static size_t taken;
static struct cvg_turns *turns;
static size_t again; /* so many of the works queue themselves once more */

static void on_round(uv_prepare_t *prepare)
{
    (void)prepare;
    rounds++;
}

static void take(struct cvg_link *link)
{
    struct work *work = CVG_CONTAINER_OF(link, struct work, link);
    work->round = rounds + 1;
    work->after = taken++;
    if (again > 0) {
        again--;
        cvg_turns_wait(turns, link);
    }
}

/* Queues all, takes one out again, and runs the loop until nothing waits. */
static void run(size_t repeated, size_t removed)
{
    uv_loop_t loop;
    uv_prepare_t prepare;
    rounds = 0;
    taken = 0;
    again = repeated;
    assert_int_equal(uv_loop_init(&loop), 0);
    uv_prepare_init(&loop, &prepare);
    uv_prepare_start(&prepare, on_round);
    uv_unref((uv_handle_t *)&prepare);
    assert_int_equal(cvg_turns_new(&loop, BATCH, take, &turns), CVG_OK);
    for (size_t i = 0; i < WORKS; i++) {
        works[i] = (struct work){.round = 0};
        cvg_list_init(&works[i].link);
        cvg_turns_wait(turns, &works[i].link);
    }
    if (removed < WORKS)
        cvg_list_remove(&works[removed].link);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    cvg_turns_free(turns);
    uv_close((uv_handle_t *)&prepare, NULL);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void a_batch_each_round(void **state)
{
    (void)state;
    run(0, WORKS);
    for (size_t i = 0; i < WORKS; i++) {
        assert_int_equal(works[i].after, i);
        assert_int_equal(works[i].round, 1 + i / BATCH);
    }
}

static void what_is_taken_out_has_no_turn(void **state)
{
    (void)state;
    run(0, 2);
    assert_int_equal(works[2].round, 0);
    assert_int_equal(works[3].after, 2);
    assert_int_equal(works[WORKS - 1].after, WORKS - 2);
}

/* A client that wants more goes behind all others. */
static void who_comes_again_goes_to_the_end(void **state)
{
    (void)state;
    run(1, WORKS);
    assert_int_equal(taken, WORKS + 1);
    assert_int_equal(works[0].after, WORKS);
    assert_int_equal(works[1].after, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_each_round),
        cmocka_unit_test(what_is_taken_out_has_no_turn),
        cmocka_unit_test(who_comes_again_goes_to_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
