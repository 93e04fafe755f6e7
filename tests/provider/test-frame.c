/* SPDX-License-Identifier: MIT */
/* Frames: found by their own thread only, dropped with their X509_STORE_CTX, and bounded. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>

#include "provider/frame.h"

static char object[64];

static const X509_STORE_CTX *ctx(int i)
{
    return (const X509_STORE_CTX *)(const void *)&object[i];
}

static void found_until_dropped(void **state)
{
    struct cvg_frame *frame;

    (void)state;
    assert_null(cvg_frame_find(ctx(0)));
    frame = cvg_frame_push(ctx(0));
    assert_non_null(frame);
    assert_ptr_equal(cvg_frame_find(ctx(0)), frame);
    assert_null(cvg_frame_find(ctx(1)));
    cvg_frame_drop(ctx(0));
    assert_null(cvg_frame_find(ctx(0)));
}

static void nested(void **state)
{
    struct cvg_frame *outer, *inner;

    (void)state;
    outer = cvg_frame_push(ctx(0));
    inner = cvg_frame_push(ctx(1));
    assert_ptr_not_equal(outer, inner);
    cvg_frame_drop(ctx(1));
    assert_ptr_equal(cvg_frame_find(ctx(0)), outer);
    cvg_frame_drop(ctx(0));
}

/* As after a longjmp: the same X509_STORE_CTX begins anew. */
static void pushed_again_is_new(void **state)
{
    struct cvg_frame *frame;
    uint64_t sequence;

    (void)state;
    frame = cvg_frame_push(ctx(0));
    frame->trust_error = 18;
    sequence = frame->sequence;
    frame = cvg_frame_push(ctx(0));
    assert_int_equal(frame->trust_error, 0);
    assert_true(frame->sequence != sequence);
    cvg_frame_drop(ctx(0));
    assert_null(cvg_frame_find(ctx(0)));
}

/* Frames that were left behind make room, the oldest first. */
static void left_behind(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++)
        assert_non_null(cvg_frame_push(ctx(i)));
    assert_null(cvg_frame_find(ctx(23)));
    for (int i = 24; i < 40; i++)
        assert_non_null(cvg_frame_find(ctx(i)));
    for (int i = 0; i < 40; i++)
        cvg_frame_drop(ctx(i));
}

static void *look(void *user)
{
    (void)user;
    return cvg_frame_find(ctx(0));
}

static void another_thread_does_not_see_it(void **state)
{
    pthread_t thread;
    void *seen = &thread;

    (void)state;
    assert_non_null(cvg_frame_push(ctx(0)));
    assert_int_equal(pthread_create(&thread, NULL, look, NULL), 0);
    assert_int_equal(pthread_join(thread, &seen), 0);
    assert_null(seen);
    cvg_frame_drop(ctx(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(found_until_dropped),
        cmocka_unit_test(nested),
        cmocka_unit_test(pushed_again_is_new),
        cmocka_unit_test(left_behind),
        cmocka_unit_test(another_thread_does_not_see_it),
    };

    if (!cvg_frame_init())
        return 1;
    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
