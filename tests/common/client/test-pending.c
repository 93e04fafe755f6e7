/* SPDX-License-Identifier: MIT */
/* A question that an event loop comes back for, in a host that closes descriptors, uses their
 * numbers for its own, and forks. What agents say to it is in test-answers-pending. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "common/base/clock.h"
#include "tests/common/client/asking.h"

#define LONG_MS 60000

static struct fake fake;

static struct cvg_pending *ask_for(unsigned deadline_ms)
{
    struct cvg_question q = question(CVG_PKI_OK);

    configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_DENY);
    config.deadline_ms = deadline_ms;
    return cvg_pending_start(&config, &fake.paths, &q, &answer);
}

static void wait_until_answered(const struct cvg_pending *pending)
{
    struct pollfd one = {.fd = cvg_pending_fd(pending), .events = POLLIN};

    assert_int_equal(poll(&one, 1, LONG_MS), 1);
}

static void wait_until_too_late(const struct cvg_pending *pending)
{
    while (cvg_pending_left_ms(pending) > 0)
        poll(NULL, 0, cvg_pending_left_ms(pending));
}

/* Questions that the agent has heard of by now. */
static int questions_heard(void)
{
    int count = 0;

    while (fake_heard(&fake, 0) == 'q')
        count++;
    return count;
}

static void starting_does_not_wait(void **state)
{
    int before = open_descriptors();
    struct cvg_pending *pending;
    struct cvg_question q = question(CVG_PKI_OK);

    (void)state;
    start(&fake, FAKE_SILENT);
    configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_DENY);
    config.deadline_ms = LONG_MS;
    errno = EXDEV;
    pending = cvg_pending_start(&config, &fake.paths, &q, &answer);
    assert_non_null(pending);
    assert_int_equal(errno, EXDEV);
    assert_true(q.id != 0);
    assert_in_range(q.timeout_ms, LONG_MS / 2, LONG_MS * 9 / 10 + 1);
    assert_true(cvg_pending_fd(pending) > 2);
    assert_int_equal(fcntl(cvg_pending_fd(pending), F_GETFD), FD_CLOEXEC);
    assert_in_range(cvg_pending_left_ms(pending), LONG_MS / 2, LONG_MS);
    assert_int_equal(fake_heard(&fake, LONG_MS), 'q');
    memset(&answer, 0x5a, sizeof answer);
    assert_false(cvg_pending_look(pending, &answer));
    assert_int_equal(answer.action, 0x5a5a5a5a); /* untouched */
    assert_int_equal(errno, EXDEV);
    cvg_pending_drop(pending);
    cvg_pending_drop(NULL);
    assert_int_equal(errno, EXDEV);
    fake_stop(&fake);
    assert_int_equal(open_descriptors(), before);
}

static void what_is_decided_at_once_leaves_nothing_pending(void **state)
{
    struct cvg_question q = question(CVG_PKI_OK);

    (void)state;
    start(&fake, FAKE_SILENT);
    configure(CVG_MODE_MONITOR, CVG_UNREACHABLE_DENY);
    assert_null(cvg_pending_start(&config, &fake.paths, &q, &answer));
    assert_int_equal(answer.action, CVG_ACTION_ACCEPT);
    assert_int_equal(fake_heard(&fake, LONG_MS), 'q');
    fake_stop(&fake);
    assert_null(ask_for(LONG_MS));
    assert_int_equal(answer.action, CVG_ACTION_REFUSE);
    assert_int_equal(answer.reason, CVG_REASON_NO_AGENT);
}

static void without_an_answer_the_deadline_ends_it(void **state)
{
    struct cvg_pending *pending;

    (void)state;
    start(&fake, FAKE_SILENT);
    pending = ask_for(DEADLINE_MS);
    wait_until_too_late(pending);
    assert_true(cvg_pending_look(pending, &answer));
    assert_int_equal(answer.action, CVG_ACTION_REFUSE);
    assert_int_equal(answer.reason, CVG_REASON_DEADLINE);
    assert_true(answer.elapsed_ms >= DEADLINE_MS);
    cvg_pending_drop(pending);
    fake_stop(&fake);
}

/* The host was busy with something else, or asleep; the agent was not. */
static void an_answer_in_time_counts_for_a_late_look(void **state)
{
    struct cvg_pending *pending;

    (void)state;
    start(&fake, FAKE_SAYS_ACCEPT);
    pending = ask_for(1000);
    wait_until_answered(pending);
    wait_until_too_late(pending);
    assert_true(cvg_pending_look(pending, &answer));
    assert_int_equal(answer.action, CVG_ACTION_ACCEPT);
    cvg_pending_drop(pending);
    fake_stop(&fake);
}

static void an_agent_killed_meanwhile_accepts_nothing(void **state)
{
    struct cvg_pending *pending;

    (void)state;
    start(&fake, FAKE_SILENT);
    pending = ask_for(LONG_MS);
    assert_int_equal(fake_heard(&fake, LONG_MS), 'q');
    fake_stop(&fake);
    ask_again(pending, &answer);
    assert_int_equal(answer.action, CVG_ACTION_REFUSE);
    assert_int_equal(answer.reason, CVG_REASON_NO_AGENT);
}

static void a_change_of_the_configuration_is_for_later_questions(void **state)
{
    struct cvg_pending *pending;

    (void)state;
    start(&fake, FAKE_SILENT);
    pending = ask_for(DEADLINE_MS);
    configure(CVG_MODE_MONITOR, CVG_UNREACHABLE_ALLOW);
    ask_again(pending, &answer);
    assert_int_equal(answer.action, CVG_ACTION_REFUSE);
    fake_stop(&fake);
}

/* Connections until the backlog of the stopped agent takes no more; returns how many. */
static size_t fill_backlog(int fds[static 8])
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t count = 0;

    snprintf(address.sun_path, sizeof address.sun_path, "%.90s/agent.sock", fake.paths.runtime_dir);
    for (; count < 8; count++) {
        fds[count] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        scratch_need(fds[count] >= 0, "socket");
        if (connect(fds[count], (struct sockaddr *)&address, sizeof address) != 0)
            break;
    }
    scratch_need(count < 8 && errno == EAGAIN, "the backlog is not full");
    close(fds[count]);
    return count;
}

static void an_agent_too_busy_to_accept_is_tried_again(void **state)
{
    struct cvg_pending *pending, *hopeless;
    int fds[8];
    size_t count;

    (void)state;
    fake_start(&fake, FAKE_SAYS_ACCEPT, scratch, geteuid(), 0);
    scratch_need(kill(fake.pid, SIGSTOP) == 0, "kill");
    count = fill_backlog(fds);
    hopeless = ask_for(DEADLINE_MS);
    pending = ask_for(LONG_MS);
    assert_non_null(pending);
    assert_int_equal(cvg_pending_fd(pending), -1);
    assert_false(cvg_pending_look(pending, &answer));
    ask_again(hopeless, &answer);
    assert_int_equal(answer.action, CVG_ACTION_REFUSE);
    assert_int_equal(answer.reason, CVG_REASON_DEADLINE);
    scratch_need(kill(fake.pid, SIGCONT) == 0, "kill");
    while (count > 0)
        close(fds[--count]);
    ask_again(pending, &answer);
    assert_int_equal(answer.action, CVG_ACTION_ACCEPT);
    fake_stop(&fake);
}

static void a_closed_descriptor_is_asked_over(void **state)
{
    struct cvg_question q = question(CVG_PKI_OK);
    uint8_t *own = malloc(1000);
    struct cvg_pending *pending;

    (void)state;
    start(&fake, FAKE_SAYS_ACCEPT);
    configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_DENY);
    config.deadline_ms = LONG_MS;
    scratch_need(own != NULL, "malloc");
    memset(own, 0x30, 1000);
    q.leaf = own;
    pending = cvg_pending_start(&config, &fake.paths, &q, &answer);
    free(own); /* it was copied */
    wait_until_answered(pending);
    close(cvg_pending_fd(pending));
    assert_int_equal(cvg_pending_fd(pending), -1);
    ask_again(pending, &answer);
    assert_int_equal(answer.action, CVG_ACTION_ACCEPT);
    assert_int_equal(questions_heard(), 2);
    fake_stop(&fake);
}

static void past_the_deadline_nothing_is_asked_over(void **state)
{
    struct cvg_pending *pending;

    (void)state;
    start(&fake, FAKE_SAYS_ACCEPT);
    pending = ask_for(DEADLINE_MS);
    assert_int_equal(fake_heard(&fake, LONG_MS), 'q');
    close(cvg_pending_fd(pending));
    wait_until_too_late(pending);
    assert_true(cvg_pending_look(pending, &answer));
    assert_int_equal(answer.action, CVG_ACTION_REFUSE);
    assert_int_equal(answer.reason, CVG_REASON_DEADLINE);
    cvg_pending_drop(pending);
    ask_again(ask_for(LONG_MS), &answer); /* the agent takes one question after the other */
    assert_int_equal(questions_heard(), 1);
    fake_stop(&fake);
}

/* The number belongs to another connection of the host now, whose data must stay where they are,
 * and which must stay open. */
static void a_descriptor_of_somebody_else_s_is_left_alone(void **state)
{
    struct cvg_pending *pending, *dropped;
    int fds[2], theirs;

    (void)state;
    start(&fake, FAKE_SAYS_ACCEPT);
    scratch_need(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0 &&
                     send(fds[1], "theirs", 6, 0) == 6,
                 "socketpair");
    pending = ask_for(LONG_MS);
    theirs = cvg_pending_fd(pending);
    scratch_need(dup3(fds[0], theirs, O_CLOEXEC) == theirs, "dup3");
    ask_again(pending, &answer);
    assert_int_equal(answer.action, CVG_ACTION_ACCEPT);
    dropped = ask_for(LONG_MS);
    close(fds[0]);
    fds[0] = cvg_pending_fd(dropped);
    scratch_need(dup3(theirs, fds[0], O_CLOEXEC) == fds[0], "dup3");
    cvg_pending_drop(dropped);
    close(theirs);
    assert_int_equal(recv(fds[0], (char[8]){0}, 8, MSG_DONTWAIT), 6);
    close(fds[0]);
    close(fds[1]);
    fake_stop(&fake);
}

static void with_no_descriptor_to_be_had_nothing_is_accepted(void **state)
{
    struct rlimit limit, none;
    struct cvg_pending *pending;

    (void)state;
    start(&fake, FAKE_SAYS_ACCEPT);
    pending = ask_for(LONG_MS);
    close(cvg_pending_fd(pending));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_true(cvg_pending_look(pending, &answer));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(answer.action, CVG_ACTION_REFUSE);
    assert_int_equal(answer.reason, CVG_REASON_NO_AGENT);
    cvg_pending_drop(pending);
    fake_stop(&fake);
}

static int exit_status_of(pid_t pid)
{
    int status = -1;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

/* In the child: its first look must find nothing, although the parent's answer is there. */
static int look_as_child(struct cvg_pending *pending, int inherited)
{
    bool there;

    scratch_need(kill(fake.pid, SIGSTOP) == 0, "kill");
    there = cvg_pending_look(pending, &answer);
    scratch_need(kill(fake.pid, SIGCONT) == 0, "kill");
    if (there)
        return 1;
    if (cvg_pending_fd(pending) != inherited && fcntl(inherited, F_GETFD) != -1)
        return 2; /* the copy should be closed */
    ask_again(pending, &answer);
    return answer.action == CVG_ACTION_ACCEPT ? 0 : 3;
}

static void a_forked_child_asks_for_itself(void **state)
{
    struct cvg_pending *pending;
    pid_t pid;

    (void)state;
    start(&fake, FAKE_SAYS_ACCEPT);
    pending = ask_for(LONG_MS);
    wait_until_answered(pending);
    pid = fork();
    if (pid == 0)
        _exit(look_as_child(pending, cvg_pending_fd(pending)));
    assert_int_equal(exit_status_of(pid), 0);
    assert_int_equal(questions_heard(), 2);
    assert_true(cvg_pending_look(pending, &answer));
    assert_int_equal(answer.action, CVG_ACTION_ACCEPT);
    cvg_pending_drop(pending);
    fake_stop(&fake);
}

static void a_child_that_drops_it_does_not_disturb_the_parent(void **state)
{
    struct cvg_pending *pending;
    pid_t pid;

    (void)state;
    start(&fake, FAKE_SAYS_ACCEPT);
    pending = ask_for(LONG_MS);
    pid = fork();
    if (pid == 0) {
        int fd = cvg_pending_fd(pending);

        cvg_pending_drop(pending);
        _exit(fcntl(fd, F_GETFD) == -1 ? 0 : 1);
    }
    assert_int_equal(exit_status_of(pid), 0);
    ask_again(pending, &answer);
    assert_int_equal(answer.action, CVG_ACTION_ACCEPT);
    assert_int_equal(questions_heard(), 1);
    fake_stop(&fake);
}

#define SCRATCH_TEST(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(starting_does_not_wait),
        SCRATCH_TEST(what_is_decided_at_once_leaves_nothing_pending),
        SCRATCH_TEST(without_an_answer_the_deadline_ends_it),
        SCRATCH_TEST(an_answer_in_time_counts_for_a_late_look),
        SCRATCH_TEST(an_agent_killed_meanwhile_accepts_nothing),
        SCRATCH_TEST(a_change_of_the_configuration_is_for_later_questions),
        SCRATCH_TEST(an_agent_too_busy_to_accept_is_tried_again),
        SCRATCH_TEST(a_closed_descriptor_is_asked_over),
        SCRATCH_TEST(past_the_deadline_nothing_is_asked_over),
        SCRATCH_TEST(a_descriptor_of_somebody_else_s_is_left_alone),
        SCRATCH_TEST(with_no_descriptor_to_be_had_nothing_is_accepted),
        SCRATCH_TEST(a_forked_child_asks_for_itself),
        SCRATCH_TEST(a_child_that_drops_it_does_not_disturb_the_parent),
    };

    return cmocka_run_group_tests_name("pending", tests, NULL, NULL);
}
