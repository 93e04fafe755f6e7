/* SPDX-License-Identifier: MIT */
/* A system that fails call by call, interrupts them, or has nothing left to give. An honest agent
 * answers; still, nothing is accepted that was not wholly heard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/base/clock.h"
#include "tests/common/client/asking.h"
#include "tests/common/client/faults.h"

/* In a child, because cmocka itself needs 1 and 2. */
static void a_host_that_closed_its_standard_descriptors(void **state)
{
    struct fake fake;
    pid_t pid;
    int status = 0;

    (void)state;
    start(&fake, FAKE_SAYS_ACCEPT);
    pid = fork();
    if (pid == 0) {
        int fd = -1;

        for (int i = 0; i <= 2; i++)
            close(i);
        if (cvg_client_connect(&fake.paths, cvg_clock_ms(cvg_clock_system()) + 1000, &fd, NULL) !=
                CVG_OK ||
            fd <= 2 || fcntl(fd, F_GETFD) != FD_CLOEXEC)
            _exit(1);
        _exit(fcntl(0, F_GETFD) == -1 && fcntl(2, F_GETFD) == -1 ? 0 : 2);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    fake_stop(&fake);
}

static void without_a_descriptor_left_nothing_is_accepted(void **state)
{
    struct rlimit limit, none;
    struct fake fake;

    (void)state;
    start(&fake, FAKE_SAYS_ACCEPT);
    configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_DENY);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_OK), CVG_ACTION_REFUSE);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_OK), CVG_ACTION_ACCEPT);
    fake_stop(&fake);
}

/* Each call of each kind fails in turn; then every kind is interrupted once, which changes nothing.
 */
static void no_failing_call_accepts(void **state)
{
    struct fake fake;

    (void)state;
    start(&fake, FAKE_SAYS_ACCEPT);
    configure(CVG_MODE_REPLACE, CVG_UNREACHABLE_DENY);
    for (int call = 0; call < FAULT_COUNT; call++) {
        int nth;

        for (nth = 1; nth < 20; nth++) {
            enum cvg_action action;

            fault_plan((enum fault)call, nth, call == FAULT_MALLOC ? ENOMEM : EIO);
            action = ask_as(&fake.paths, CVG_PKI_OK);
            if (!fault_happened())
                break;
            assert_int_not_equal(action, CVG_ACTION_ACCEPT);
        }
        fault_plan((enum fault)call, 0, 0);
        assert_in_range(nth, 2, 19); /* it was called, and failed, at least once */
    }
    fake_stop(&fake);
}

static void interrupted_calls_are_repeated(void **state)
{
    static const enum fault calls[] = {FAULT_CONNECT, FAULT_SEND, FAULT_RECV, FAULT_POLL};
    struct fake fake;

    (void)state;
    start(&fake, FAKE_SAYS_ACCEPT);
    configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_DENY);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        fault_plan(calls[i], 1, EINTR);
        assert_int_equal(ask_as(&fake.paths, CVG_PKI_OK), CVG_ACTION_ACCEPT);
        assert_true(fault_happened());
    }
    fault_plan(FAULT_POLL, 0, 0);
    fake_stop(&fake);
}

/* What a check costs a program, beyond two looks at directory and listener. */
static void an_answer_takes_one_call_of_each_kind(void **state)
{
    static const enum fault calls[] = {FAULT_CONNECT, FAULT_SEND, FAULT_RECV, FAULT_POLL};
    struct fake fake;

    (void)state;
    start(&fake, FAKE_SAYS_ACCEPT);
    configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_DENY);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        fault_plan(calls[i], 2, EIO);
        assert_int_equal(ask_as(&fake.paths, CVG_PKI_OK), CVG_ACTION_ACCEPT);
        assert_false(fault_happened());
    }
    fault_plan(FAULT_POLL, 0, 0);
    fake_stop(&fake);
}

static void receiving_tells_what_happened(void **state)
{
    struct cvg_buffer message;
    int fds[2];

    (void)state;
    scratch_need(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0, "socketpair");
    cvg_buffer_init(&message, CVG_MESSAGE_MAX);
    assert_int_equal(cvg_client_receive(fds[0], &message, 0), CVG_ERR_TIMEOUT);
    for (int nth = 1; nth <= 2; nth++) {
        assert_int_equal(cvg_client_send(fds[1], leaf, 60000, 0), CVG_OK);
        fault_plan(FAULT_RECV, nth, EINTR);
        assert_int_equal(cvg_client_receive(fds[0], &message, 0), CVG_OK);
        assert_true(fault_happened());
        assert_int_equal(message.len, 60000);
    }
    fault_plan(FAULT_RECV, 0, 0);
    assert_int_equal(cvg_client_send(fds[1], "ab", 2, 0), CVG_OK);
    close(fds[1]);
    assert_int_equal(cvg_client_receive(fds[0], &message, 0), CVG_OK);
    assert_string_equal((const char *)message.data, "ab");
    assert_int_equal(cvg_client_receive(fds[0], &message, 0), CVG_ERR_UNREACHABLE);
    assert_int_equal(message.len, 0);
    assert_int_equal(cvg_client_send(fds[0], "x", 1, 0), CVG_ERR_UNREACHABLE);
    close(fds[0]);
    cvg_buffer_free(&message);
}

static void sending_to_a_full_queue_meets_the_deadline(void **state)
{
    int fds[2];
    enum cvg_error err = CVG_OK;

    (void)state;
    scratch_need(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0, "socketpair");
    for (int i = 0; i < 1000 && err == CVG_OK; i++)
        err = cvg_client_send(fds[1], leaf, 60000, 0);
    assert_int_equal(err, CVG_ERR_TIMEOUT);
    close(fds[0]);
    close(fds[1]);
}

#define SCRATCH_TEST(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_host_that_closed_its_standard_descriptors),
        SCRATCH_TEST(without_a_descriptor_left_nothing_is_accepted),
        SCRATCH_TEST(no_failing_call_accepts),
        SCRATCH_TEST(interrupted_calls_are_repeated),
        SCRATCH_TEST(an_answer_takes_one_call_of_each_kind),
        cmocka_unit_test(receiving_tells_what_happened),
        cmocka_unit_test(sending_to_a_full_queue_meets_the_deadline),
    };

    return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
