/* SPDX-License-Identifier: MIT */
/* converge() from many threads at once, the first of which have no agent yet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>

#include "common/libconverge/converge.h"
#include "tests/common/libconverge/installation.h"

#define THREADS 16
#define CALLS   20
#define SHA1    "AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD"

static void *ask_often(void *user)
{
    size_t *wrong = user;

    for (int i = 0; i < CALLS; i++) {
        converge_result *result = NULL;
        converge_options *options = converge_options_new();

        /* Generous: under a sanitizer, on a busy machine, an agent is started on the way. */
        if (options == NULL || converge_options_set_timeout_ms(options, 30000) != 0 ||
            converge_check("site.converge.example", 443, SHA1, options, &result) != 28 ||
            converge_result_vote_count(result) != 2)
            (*wrong)++;
        converge_result_free(result);
        converge_options_free(options);
    }
    return NULL;
}

static void sixteen_threads_ask_at_once(void **state)
{
    pthread_t threads[THREADS];
    size_t wrong[THREADS] = {0};

    (void)state;
    write_in("answer", "4e 52 1 alpha=yes beta=no");
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &wrong[i]), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(wrong[i], 0);
    assert_int_equal(count_lines(read_in("questions")), THREADS * CALLS);
    assert_int_equal(count_lines(read_in("run/agent.pid")), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sixteen_threads_ask_at_once, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
