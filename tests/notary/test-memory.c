/* SPDX-License-Identifier: MIT */
/* Targets in shards: found again, bounded, the least recently used going first, walked; and the
 * same from several threads at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "notary/memory.h"

#define THREADS 4

static struct cvg_memory *memory;
/* Stands for a flight: only whether there is one matters here. */
static struct cvg_flight *const some_flight = (struct cvg_flight *)(void *)&memory;

static struct cvg_endpoint endpoint_of(unsigned number)
{
    char host[32];
    struct cvg_endpoint endpoint;
    int len = snprintf(host, sizeof(host), "h%u.example", number);
    if (cvg_endpoint_set(host, (size_t)len, 443, &endpoint, NULL) != CVG_OK)
        abort();
    return endpoint;
}

/* Locked. */
static struct cvg_target *get(unsigned number)
{
    struct cvg_endpoint endpoint = endpoint_of(number);
    struct cvg_target *target = NULL;
    if (cvg_memory_acquire(memory, &endpoint, 0, 1000, &target) != CVG_OK)
        abort();
    return target;
}

static bool has(unsigned number)
{
    struct cvg_endpoint endpoint = endpoint_of(number);
    struct cvg_target *target = cvg_memory_find(memory, &endpoint, 0, 1000);
    if (target != NULL)
        cvg_memory_release(target);
    return target != NULL;
}

static void use(unsigned number)
{
    cvg_memory_release(get(number));
}

static void begin(size_t max_targets, size_t shards)
{
    assert_int_equal(cvg_memory_new(max_targets, shards, &memory), CVG_OK);
}

static int tear_down(void **state)
{
    (void)state;
    cvg_memory_free(memory);
    memory = NULL;
    return 0;
}

static void least_recently_used_goes_first(void **state)
{
    (void)state;
    begin(4, 1);
    for (unsigned i = 0; i < 4; i++)
        use(i);
    use(0);
    use(4);
    assert_int_equal(cvg_memory_count(memory), 4);
    assert_true(has(0));
    assert_false(has(1));
    assert_true(has(2) && has(3) && has(4));
}

static void busy_ones_stay(void **state)
{
    (void)state;
    begin(2, 1);
    struct cvg_target *flying = get(0);
    flying->flight = some_flight;
    cvg_memory_release(flying);
    struct cvg_target *pinned = get(1);
    pinned->pins = 1;
    cvg_memory_release(pinned);
    for (unsigned i = 2; i < 10; i++)
        use(i);
    assert_true(has(0) && has(1));
    assert_int_equal(cvg_memory_count(memory), 3);
    cvg_memory_lock(pinned);
    pinned->pins = 0;
    cvg_memory_release(pinned);
    cvg_memory_lock(flying);
    flying->flight = NULL;
    cvg_memory_release(flying);
    use(10);
    use(11);
    use(12);
    assert_int_equal(cvg_memory_count(memory), 2);
}

static void bounded_over_all_shards(void **state)
{
    (void)state;
    begin(1000, 64);
    for (unsigned i = 0; i < 5000; i++)
        use(i);
    assert_in_range(cvg_memory_count(memory), 900, 1064);
    cvg_memory_set_max(memory, 100);
    for (unsigned i = 5000; i < 9000; i++)
        use(i);
    assert_in_range(cvg_memory_count(memory), 50, 164);
}

static void unknown_ones_are_dropped(void **state)
{
    (void)state;
    begin(4, 1);
    struct cvg_target *target = get(0);
    struct cvg_shard *shard = target->shard;
    cvg_memory_drop_unknown(memory, target);
    cvg_shard_unlock(shard);
    assert_false(has(0));
    target = get(1);
    target->looked = true;
    cvg_memory_drop_unknown(memory, target);
    cvg_memory_release(target);
    assert_true(has(1));
}

static void count_visit(struct cvg_target *target, void *user)
{
    uint8_t *seen = user;
    unsigned number = (unsigned)strtoul((const char *)target->key + 4, NULL, 10);
    seen[number]++;
}

static void a_walk_meets_all(void **state)
{
    static uint8_t seen[3000];
    (void)state;
    memset(seen, 0, sizeof(seen));
    begin(10000, 8);
    for (unsigned i = 0; i < 3000; i++)
        use(i);
    for (size_t shard = 0; shard < cvg_memory_shards(memory); shard++) {
        size_t bucket = 0;
        unsigned steps = 0;
        do {
            cvg_memory_walk(memory, shard, &bucket, 7, count_visit, seen);
            steps++;
        } while (bucket != 0);
        assert_in_range(steps, 7, 8);
    }
    for (unsigned i = 0; i < 3000; i++)
        assert_int_equal(seen[i], 1);
}

static void drop_even(struct cvg_target *target, void *user)
{
    unsigned number = (unsigned)strtoul((const char *)target->key + 4, NULL, 10);
    (void)user;
    if (number % 2 == 0)
        cvg_memory_drop(memory, target);
}

static void a_walk_may_drop(void **state)
{
    (void)state;
    begin(10000, 4);
    for (unsigned i = 0; i < 2000; i++)
        use(i);
    for (size_t shard = 0; shard < 4; shard++) {
        size_t bucket = 0;
        cvg_memory_walk(memory, shard, &bucket, 1, drop_even, NULL);
        assert_int_equal(bucket, 0);
    }
    assert_int_equal(cvg_memory_count(memory), 1000);
    assert_true(has(1) && has(1999));
    assert_false(has(0) || has(1998));
}

static void ignore(struct cvg_target *target, void *user)
{
    (void)target;
    (void)user;
}

/* Each thread counts in the same targets, under their locks, while they come and go. */
static void count_up(void *user)
{
    unsigned *counted = user;
    for (unsigned i = 0; i < 20000; i++) {
        struct cvg_target *target = get(i % 97);
        target->flight = some_flight; /* so that it stays */
        target->version++;
        cvg_memory_release(target);
        (*counted)++;
        use(1000 + i % 500);
        size_t bucket = 0;
        if (i % 1000 == 0)
            cvg_memory_walk(memory, i / 1000 % 16, &bucket, 4, ignore, NULL);
    }
}

static void look(struct cvg_target *target, void *user)
{
    unsigned *sum = user;
    *sum += target->version;
    target->flight = NULL;
}

static void several_threads(void **state)
{
    uv_thread_t thread[THREADS];
    unsigned counted[THREADS] = {0}, sum = 0;
    (void)state;
    begin(300, 16);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(uv_thread_create(&thread[i], count_up, &counted[i]), 0);
    for (size_t i = 0; i < THREADS; i++)
        uv_thread_join(&thread[i]);
    for (size_t shard = 0; shard < 16; shard++) {
        size_t bucket = 0;
        cvg_memory_walk(memory, shard, &bucket, 1, look, &sum);
    }
    assert_int_equal(sum, THREADS * 20000);
    assert_in_range(cvg_memory_count(memory), 97, 316);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(least_recently_used_goes_first, tear_down),
        cmocka_unit_test_teardown(busy_ones_stay, tear_down),
        cmocka_unit_test_teardown(bounded_over_all_shards, tear_down),
        cmocka_unit_test_teardown(unknown_ones_are_dropped, tear_down),
        cmocka_unit_test_teardown(a_walk_meets_all, tear_down),
        cmocka_unit_test_teardown(a_walk_may_drop, tear_down),
        cmocka_unit_test_teardown(several_threads, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
