/* SPDX-License-Identifier: MIT */
/* The table of connections: what outlives what, and what of it a thread may rely on while another
 * closes. */
#include "config.h"

#include "nss-module/connection.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define THREADS 8

/* TSan does not know the children of a process with threads, and in such a child the locks of
 * ASan's allocator may be held for ever. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define FORKS_ARE_NOT_SUPPORTED
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define FORKS_ARE_NOT_SUPPORTED
#endif
#endif

static char places[64], owner, stranger;

static const PRFilePrivate *secret(unsigned number)
{
    return (const PRFilePrivate *)&places[number];
}

static const struct cvg_leaf one = {(const uint8_t *)"one", 3};
static const struct cvg_leaf other = {(const uint8_t *)"two", 3};

static enum cvg_decision decision(unsigned number, const struct cvg_leaf *leaf)
{
    return cvg_connection_known(secret(number), leaf).decision;
}

static int close_all(void **state)
{
    (void)state;
    cvg_connection_close_all(&owner);
    return 0;
}

static void test_open_is_for_the_leaf(void **state)
{
    struct cvg_connection connection = cvg_connection_open(&owner, secret(0));

    (void)state;
    assert_int_equal(decision(0, &one), CVG_DECISION_NONE);
    cvg_connection_decide(connection, &one, CVG_DECISION_OPEN);
    assert_int_equal(decision(0, &one), CVG_DECISION_OPEN);
    assert_int_equal(decision(0, &other), CVG_DECISION_NONE);
    assert_int_equal(decision(0, NULL), CVG_DECISION_NONE);
    assert_int_equal(decision(1, &one), CVG_DECISION_NONE);
}

static void test_refusal_is_for_ever(void **state)
{
    struct cvg_connection connection = cvg_connection_open(&owner, secret(0));

    (void)state;
    cvg_connection_decide(connection, &one, CVG_DECISION_OPEN);
    cvg_connection_decide(connection, &other, CVG_DECISION_REFUSED);
    cvg_connection_decide(connection, &one, CVG_DECISION_OPEN);
    assert_int_equal(decision(0, &one), CVG_DECISION_REFUSED);
    assert_int_equal(decision(0, NULL), CVG_DECISION_REFUSED);
}

/* NSPR gives the next socket the same secret: nothing of the last one counts. */
static void test_close_forgets(void **state)
{
    struct cvg_connection before = cvg_connection_open(&owner, secret(0)), after;
    struct cvg_spoken spoken;

    (void)state;
    cvg_connection_sent(before, "\x16\3\1\0\1\1", 6);
    cvg_connection_decide(before, &one, CVG_DECISION_OPEN);
    cvg_connection_close(secret(0));
    assert_false(cvg_connection_alive(before));
    after = cvg_connection_open(&owner, secret(0));
    assert_true(after.serial != before.serial);
    assert_int_equal(decision(0, &one), CVG_DECISION_NONE);
    cvg_connection_decide(before, &one, CVG_DECISION_OPEN);
    cvg_connection_sent(before, "x", 1);
    assert_int_equal(decision(0, &one), CVG_DECISION_NONE);
    cvg_connection_spoken(after, &spoken);
    assert_int_equal(spoken.sent, 0);
}

static void test_spoken(void **state)
{
    static const char request[] = "CONNECT site.example:9 HTTP/1.1\r\n\r\n";
    struct cvg_connection connection = cvg_connection_open(&owner, secret(0));
    struct cvg_spoken spoken;

    (void)state;
    cvg_connection_sent(connection, request, sizeof request - 1);
    cvg_connection_received(connection, 39);
    cvg_connection_sent(connection, NULL, 10);
    cvg_connection_spoken(connection, &spoken);
    assert_int_equal(spoken.sent, sizeof request - 1 + 10);
    assert_int_equal(spoken.received, 39);
    assert_string_equal(spoken.connect_host, "site.example");
    assert_int_equal(spoken.connect_port, 9);
    assert_int_equal(cvg_connection_known(secret(0), NULL).role, CVG_ROLE_UNKNOWN);
    cvg_connection_sent(connection, "\x16\3\1\0\1\2", 6);
    cvg_connection_sent(connection, "\x16\3\1\0\1\1", 6);
    assert_int_equal(cvg_connection_known(secret(0), NULL).role, CVG_ROLE_SERVER);
}

static void test_turns(void **state)
{
    struct cvg_connection connection = cvg_connection_open(&owner, secret(0));
    struct cvg_pending *pending;

    (void)state;
    assert_int_equal(cvg_connection_take(connection, &one, &pending), CVG_TURN_ABSENT);
    assert_int_equal(cvg_connection_take(connection, &one, &pending), CVG_TURN_BUSY);
    assert_true(cvg_connection_known(secret(0), &one).waiting);
    cvg_connection_give(connection, &one, NULL);
    assert_false(cvg_connection_known(secret(0), &one).waiting);
    assert_int_equal(cvg_connection_take(connection, &one, &pending), CVG_TURN_ABSENT);
    cvg_connection_close(secret(0));
    assert_int_equal(cvg_connection_take(connection, &one, &pending), CVG_TURN_BUSY);
    cvg_connection_give(connection, &one, NULL);
}

/* A thread that was looking at a question is not in the child, which would wait for it. */
static void test_turn_of_the_parent(void **state)
{
    struct cvg_connection connection = cvg_connection_open(&owner, secret(0));
    struct cvg_pending *pending;
    int status;
    pid_t child;

    (void)state;
    assert_int_equal(cvg_connection_take(connection, &one, &pending), CVG_TURN_ABSENT);
    child = fork();
    if (child == 0)
        _exit(cvg_connection_take(connection, &one, &pending) == CVG_TURN_ABSENT &&
                      cvg_connection_take(connection, &one, &pending) == CVG_TURN_BUSY
                  ? 0
                  : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(cvg_connection_take(connection, &one, &pending), CVG_TURN_BUSY);
}

static void test_many(void **state)
{
    struct cvg_connection connections[64];

    (void)state;
    for (unsigned i = 0; i < 64; i++)
        connections[i] = cvg_connection_open(&owner, secret(i));
    for (unsigned i = 0; i < 64; i += 2)
        cvg_connection_close(secret(i));
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(cvg_connection_alive(connections[i]), i % 2);
    cvg_connection_close_all(&owner);
    for (unsigned i = 0; i < 64; i++)
        assert_false(cvg_connection_alive(connections[i]));
}

static void test_owners(void **state)
{
    struct cvg_connection mine = cvg_connection_open(&owner, secret(0));
    struct cvg_connection theirs = cvg_connection_open(&stranger, secret(1));

    (void)state;
    cvg_connection_close_all(&owner);
    assert_false(cvg_connection_alive(mine));
    assert_true(cvg_connection_alive(theirs));
    cvg_connection_close_all(&stranger);
    assert_false(cvg_connection_alive(theirs));
}

/* Opens, decides and closes what other threads use, too. */
static void *rush(void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < 4000; i++) {
        struct cvg_connection connection = cvg_connection_open(&owner, secret(i % 8));
        struct cvg_pending *pending;

        cvg_connection_sent(connection, "x", 1);
        cvg_connection_decide(connection, i & 1 ? &one : &other, CVG_DECISION_OPEN);
        if (cvg_connection_take(connection, &one, &pending) == CVG_TURN_ABSENT)
            cvg_connection_give(connection, &one, NULL);
        if (i % 3 == 0)
            cvg_connection_close(secret(i % 8));
    }
    return NULL;
}

static void start(pthread_t threads[static THREADS])
{
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, rush, NULL), 0);
}

static void join(pthread_t threads[static THREADS])
{
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void test_threads(void **state)
{
    pthread_t threads[THREADS];

    (void)state;
    start(threads);
    join(threads);
}

/* Children of a process whose threads are everywhere find locks and table usable. */
static void test_forks(void **state)
{
    pthread_t threads[THREADS];
    int status = 0;

    (void)state;
#ifdef FORKS_ARE_NOT_SUPPORTED
    skip();
#endif
    start(threads);
    for (unsigned i = 0; i < 30 && status == 0; i++) {
        pid_t child = fork();

        if (child == 0) {
            alarm(20);
            rush(NULL);
            cvg_connection_close_all(&owner);
            _exit(0);
        }
        waitpid(child, &status, 0);
    }
    join(threads);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_open_is_for_the_leaf, close_all),
        cmocka_unit_test_teardown(test_refusal_is_for_ever, close_all),
        cmocka_unit_test_teardown(test_close_forgets, close_all),
        cmocka_unit_test_teardown(test_spoken, close_all),
        cmocka_unit_test_teardown(test_turns, close_all),
        cmocka_unit_test_teardown(test_turn_of_the_parent, close_all),
        cmocka_unit_test_teardown(test_many, close_all),
        cmocka_unit_test_teardown(test_owners, close_all),
        cmocka_unit_test_teardown(test_threads, close_all),
        cmocka_unit_test_teardown(test_forks, close_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
