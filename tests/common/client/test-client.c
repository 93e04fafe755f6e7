/* SPDX-License-Identifier: MIT */
/* The client part against agents that misbehave in every way we know, sockets that must not be
 * believed, and a system that fails call by call. The invariant: only an honest answer accepts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "common/base/clock.h"
#include "common/client/client.h"
#include "tests/common/base/scratch.h"
#include "tests/common/client/fake-agent.h"
#include "tests/common/client/faults.h"

#define DEADLINE_MS 120
#define SLACK_MS    1500 /* a loaded machine may be late, but a second deadline would show */

static struct cvg_config config;
static struct cvg_answer answer;
static const uint8_t leaf[CVG_MESSAGE_LEAF_MAX + 1] = {0x30};

static const enum cvg_pki all_pki[] = {CVG_PKI_OK, CVG_PKI_TRUST_ERROR, CVG_PKI_OTHER_ERROR,
                                       CVG_PKI_UNKNOWN};

static void configure(enum cvg_mode mode, enum cvg_unreachable on_unreachable)
{
    cvg_config_init(&config);
    config.mode = mode;
    config.on_unreachable = on_unreachable;
    config.deadline_ms = DEADLINE_MS;
}

static struct cvg_question question(enum cvg_pki pki)
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

/* Asks, and checks what holds for every question: time, descriptors, errno, a definite action. */
static enum cvg_action ask_as(const struct cvg_paths *paths, enum cvg_pki pki)
{
    const struct cvg_clock *clock = cvg_clock_system();
    struct cvg_question q = question(pki);
    int before = open_descriptors();
    uint64_t start = cvg_clock_ms(clock);

    memset(&answer, 0x5a, sizeof answer);
    errno = EXDEV;
    cvg_client_ask(&config, paths, &q, &answer);
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

/* What must follow when nobody's word counts: refused, or left as PKI had it if that said no for
 * another reason than trust. */
static void assert_not_accepted(const struct cvg_paths *paths, enum cvg_reason reason)
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

static void start(struct fake *fake, enum fake_kind kind)
{
    fake_start(fake, kind, scratch, geteuid(), 16);
}

static void honest_answers_are_obeyed(void **state)
{
    struct fake fake;

    (void)state;
    start(&fake, FAKE_SAYS_ACCEPT);
    configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_DENY);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_OK), CVG_ACTION_ACCEPT);
    assert_int_equal(answer.verdict, CVG_VERDICT_AGREE);
    assert_int_equal(answer.reason, CVG_REASON_VOTE);
    assert_int_equal(answer.port, 443);
    assert_int_equal(answer.vote_count, 1);
    assert_string_equal(answer.vote[0].notary, "alpha");
    assert_string_equal(answer.text, "as the fake agent says");
    configure(CVG_MODE_REPLACE, CVG_UNREACHABLE_DENY);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_OK), CVG_ACTION_ACCEPT);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_TRUST_ERROR), CVG_ACTION_ACCEPT);
    fake_stop(&fake);
}

static void a_refusal_is_obeyed_in_every_mode_that_waits(void **state)
{
    struct fake fake;

    (void)state;
    start(&fake, FAKE_SAYS_REFUSE);
    configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_ALLOW);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_OK), CVG_ACTION_REFUSE);
    assert_int_equal(answer.verdict, CVG_VERDICT_DISAGREE);
    configure(CVG_MODE_REPLACE, CVG_UNREACHABLE_ALLOW);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_OK), CVG_ACTION_REFUSE);
    fake_stop(&fake);
}

static void an_exemption_leaves_everything_as_it_is(void **state)
{
    struct fake fake;

    (void)state;
    start(&fake, FAKE_SAYS_UNCHANGED);
    configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_DENY);
    for (size_t p = 0; p < 4; p++)
        assert_int_equal(ask_as(&fake.paths, all_pki[p]), CVG_ACTION_UNCHANGED);
    fake_stop(&fake);
}

/* PKI said no for its own reasons, or in `augment` mode at all: no agent can turn that around. */
static void an_acceptance_beyond_the_mode_is_not_obeyed(void **state)
{
    struct fake fake;

    (void)state;
    start(&fake, FAKE_SAYS_ACCEPT);
    configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_DENY);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_TRUST_ERROR), CVG_ACTION_REFUSE);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_OTHER_ERROR), CVG_ACTION_UNCHANGED);
    configure(CVG_MODE_REPLACE, CVG_UNREACHABLE_DENY);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_OTHER_ERROR), CVG_ACTION_UNCHANGED);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_UNKNOWN), CVG_ACTION_UNCHANGED);
    fake_stop(&fake);
}

/* Answers that are no answers. */
static void spoilt_answers_never_accept(void **state)
{
    static const enum fake_kind kinds[] = {
        FAKE_WRONG_ID,
        FAKE_SHORT,
        FAKE_LONG,
        FAKE_OVERSIZED,
        FAKE_UNKNOWN_VERDICT,
        FAKE_UNKNOWN_ACTION,
        FAKE_UNKNOWN_REASON,
        FAKE_OTHER_VERSION,
        FAKE_OTHER_TYPE,
        FAKE_EMPTY,
        FAKE_GARBAGE,
        FAKE_ECHOES,
        FAKE_CLOSES_AFTER_QUESTION,
        FAKE_CLOSES_AT_ONCE,
    };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct fake fake;

        scratch_make(state);
        print_message("# fake agent of kind %d\n", (int)kinds[i]);
        start(&fake, kinds[i]);
        assert_not_accepted(&fake.paths, CVG_REASON_NO_AGENT);
        fake_stop(&fake);
        scratch_remove(state);
    }
}

/* Well-formed answers whose action cannot follow from their verdict. */
static void contradictions_never_accept(void **state)
{
    static const enum fake_kind kinds[] = {
        FAKE_NO_VERDICT,
        FAKE_NO_ACTION,
        FAKE_DISAGREES_BUT_ACCEPTS,
        FAKE_UNDECIDED_BUT_ACCEPTS,
        FAKE_DISAGREES_BUT_UNCHANGED,
        FAKE_UNDECIDED_BUT_UNCHANGED,
        FAKE_NOTHING_DECIDED_BUT_ACCEPTS,
    };
    struct fake fake;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        scratch_make(state);
        print_message("# fake agent of kind %d\n", (int)kinds[i]);
        start(&fake, kinds[i]);
        assert_not_accepted(&fake.paths, CVG_REASON_NONE);
        fake_stop(&fake);
        scratch_remove(state);
    }
    scratch_make(state);
    start(&fake, FAKE_EXEMPT_BUT_ACCEPTS);
    configure(CVG_MODE_REPLACE, CVG_UNREACHABLE_DENY);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_TRUST_ERROR), CVG_ACTION_UNCHANGED);
    fake_stop(&fake);
    scratch_remove(state);
}

static void an_undecided_acceptance_is_obeyed_where_the_policy_allows_it(void **state)
{
    struct fake fake;

    (void)state;
    start(&fake, FAKE_UNDECIDED_BUT_ACCEPTS);
    configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_KNOWN);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_OK), CVG_ACTION_ACCEPT);
    configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_ALLOW);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_OK), CVG_ACTION_ACCEPT);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_TRUST_ERROR), CVG_ACTION_REFUSE);
    fake_stop(&fake);
}

static void a_late_agent_meets_the_deadline(void **state)
{
    struct fake fake;

    (void)state;
    start(&fake, FAKE_SILENT);
    assert_not_accepted(&fake.paths, CVG_REASON_DEADLINE);
    assert_in_range(answer.elapsed_ms, DEADLINE_MS - 1, DEADLINE_MS + SLACK_MS);
    fake_stop(&fake);
}

static void an_agent_that_never_accepts_meets_the_deadline(void **state)
{
    struct fake fake;

    (void)state;
    start(&fake, FAKE_NEVER_ACCEPTS);
    assert_not_accepted(&fake.paths, CVG_REASON_DEADLINE);
    fake_stop(&fake);
}

static int connect_to(const struct cvg_paths *paths, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%.90s/agent.sock", paths->runtime_dir);
    scratch_need(fd >= 0, "socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static void a_full_backlog_meets_the_deadline(void **state)
{
    int fds[8], count = 0;
    struct fake fake;

    (void)state;
    fake_start(&fake, FAKE_NEVER_ACCEPTS, scratch, geteuid(), 0);
    while (count < 8 && (fds[count] = connect_to(&fake.paths, SOCK_SEQPACKET)) >= 0)
        count++;
    assert_in_range(count, 1, 7);
    assert_not_accepted(&fake.paths, CVG_REASON_DEADLINE);
    while (count > 0)
        close(fds[--count]);
    fake_stop(&fake);
}

static void without_an_agent_the_policy_decides(void **state)
{
    struct cvg_paths paths = {.kind = CVG_AGENT_USER, .owner = geteuid()};

    (void)state;
    snprintf(paths.runtime_dir, sizeof paths.runtime_dir, "%s", scratch_path("none"));
    assert_not_accepted(&paths, CVG_REASON_NO_AGENT);
    scratch_dir("none", 0700);
    assert_not_accepted(&paths, CVG_REASON_NO_AGENT);
    configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_KNOWN);
    assert_int_equal(ask_as(&paths, CVG_PKI_OK), CVG_ACTION_REFUSE);
    configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_ALLOW);
    assert_int_equal(ask_as(&paths, CVG_PKI_OK), CVG_ACTION_ACCEPT);
    assert_int_equal(ask_as(&paths, CVG_PKI_TRUST_ERROR), CVG_ACTION_REFUSE);
    assert_int_equal(ask_as(&paths, CVG_PKI_OTHER_ERROR), CVG_ACTION_UNCHANGED);
    configure(CVG_MODE_REPLACE, CVG_UNREACHABLE_ALLOW);
    assert_int_equal(ask_as(&paths, CVG_PKI_TRUST_ERROR), CVG_ACTION_REFUSE);
}

static void a_stale_socket_is_no_agent(void **state)
{
    struct fake fake;

    (void)state;
    start(&fake, FAKE_SAYS_ACCEPT);
    fake_stop(&fake);
    assert_not_accepted(&fake.paths, CVG_REASON_NO_AGENT);
}

static void a_file_or_another_kind_of_socket_is_no_agent(void **state)
{
    struct cvg_paths paths = {.kind = CVG_AGENT_USER, .owner = geteuid()};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    snprintf(paths.runtime_dir, sizeof paths.runtime_dir, "%s", scratch);
    scratch_file("agent.sock", "", 0600);
    assert_not_accepted(&paths, CVG_REASON_NO_AGENT);
    scratch_need(unlink(scratch_path("agent.sock")) == 0, "unlink");
    snprintf(address.sun_path, sizeof address.sun_path, "%.90s/agent.sock", scratch);
    scratch_need(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 4) == 0,
                 "bind");
    assert_not_accepted(&paths, CVG_REASON_NO_AGENT);
    close(fd);
}

/* Honest answers from a place where somebody else could have put the socket. */
static void a_directory_open_to_others_is_not_believed(void **state)
{
    static const mode_t modes[] = {0777, 01777, 0770, 0755, 0750, 0701, 0710};
    struct fake fake;

    (void)state;
    start(&fake, FAKE_SAYS_ACCEPT);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        scratch_need(chmod(fake.paths.runtime_dir, modes[i]) == 0, "chmod");
        assert_not_accepted(&fake.paths, CVG_REASON_NO_AGENT);
    }
    fake.paths.kind = CVG_AGENT_SYSTEM;
    for (size_t i = 0; i < 3; i++) {
        scratch_need(chmod(fake.paths.runtime_dir, modes[i]) == 0, "chmod");
        assert_not_accepted(&fake.paths, CVG_REASON_NO_AGENT);
    }
    scratch_need(chmod(fake.paths.runtime_dir, 0755) == 0, "chmod");
    configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_DENY);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_OK), CVG_ACTION_ACCEPT);
    assert_int_equal(fake_heard(&fake, 2000), 'q');
    assert_int_equal(fake_heard(&fake, 0), 0);
    fake_stop(&fake);
}

static void an_installation_of_another_user_is_not_believed(void **state)
{
    struct fake fake;

    (void)state;
    start(&fake, FAKE_SAYS_ACCEPT);
    fake.paths.owner = geteuid() + 1;
    assert_not_accepted(&fake.paths, CVG_REASON_NO_AGENT);
    assert_int_equal(fake_heard(&fake, 0), 0);
    fake_stop(&fake);
}

/* The directory is right, but somebody else listens in it. */
static void a_socket_of_another_user_is_not_believed(void **state)
{
    struct fake fake;

    (void)state;
    if (geteuid() != 0)
        skip();
    scratch_need(chmod(scratch, 0755) == 0, "chmod");
    fake_start(&fake, FAKE_SAYS_ACCEPT, scratch, 65534, 16);
    scratch_need(chown(fake.paths.runtime_dir, 0, (gid_t)-1) == 0, "chown");
    assert_not_accepted(&fake.paths, CVG_REASON_NO_AGENT);
    assert_non_null(strstr(answer.text, "uid 65534 listens there"));
    fake.paths.kind = CVG_AGENT_SYSTEM;
    fake.paths.owner = 12345;
    assert_not_accepted(&fake.paths, CVG_REASON_NO_AGENT);
    assert_int_equal(fake_heard(&fake, 0), 0);
    fake.paths.owner = 65534;
    configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_DENY);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_OK), CVG_ACTION_ACCEPT);
    fake_stop(&fake);
}

static void root_s_socket_is_believed_for_the_system_only(void **state)
{
    struct fake fake;

    (void)state;
    if (geteuid() != 0)
        skip();
    start(&fake, FAKE_SAYS_ACCEPT);
    scratch_need(chown(fake.paths.runtime_dir, 12345, (gid_t)-1) == 0, "chown");
    fake.paths.owner = 12345;
    assert_not_accepted(&fake.paths, CVG_REASON_NO_AGENT);
    fake.paths.kind = CVG_AGENT_SYSTEM;
    configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_DENY);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_OK), CVG_ACTION_ACCEPT);
    fake_stop(&fake);
}

static void monitor_sends_and_does_not_wait(void **state)
{
    const struct cvg_clock *clock = cvg_clock_system();
    struct fake fake;
    uint64_t before;

    (void)state;
    start(&fake, FAKE_SILENT);
    configure(CVG_MODE_MONITOR, CVG_UNREACHABLE_DENY);
    config.deadline_ms = 60000;
    before = cvg_clock_ms(clock);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_OK), CVG_ACTION_ACCEPT);
    assert_int_equal(fake_heard(&fake, 2000), 'q');
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_TRUST_ERROR), CVG_ACTION_UNCHANGED);
    assert_int_equal(fake_heard(&fake, 2000), 'q');
    assert_true(cvg_clock_ms(clock) - before < SLACK_MS);
    fake_stop(&fake);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_OK), CVG_ACTION_ACCEPT);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_OTHER_ERROR), CVG_ACTION_UNCHANGED);
}

static void a_certificate_at_the_limit_and_over_it(void **state)
{
    struct cvg_question q = question(CVG_PKI_OK);
    struct fake fake;

    (void)state;
    start(&fake, FAKE_SAYS_ACCEPT);
    configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_DENY);
    q.leaf_len = CVG_MESSAGE_LEAF_MAX;
    cvg_client_ask(&config, &fake.paths, &q, &answer);
    assert_int_equal(answer.action, CVG_ACTION_ACCEPT);
    q.leaf_len = CVG_MESSAGE_LEAF_MAX + 1;
    cvg_client_ask(&config, &fake.paths, &q, &answer);
    assert_int_equal(answer.action, CVG_ACTION_REFUSE);
    assert_int_equal(answer.reason, CVG_REASON_BAD_QUESTION);
    fake_stop(&fake);
}

static void each_question_has_an_id_of_its_own(void **state)
{
    struct cvg_question a = question(CVG_PKI_OK), b = question(CVG_PKI_OK);
    struct fake fake;

    (void)state;
    start(&fake, FAKE_SAYS_ACCEPT);
    configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_DENY);
    cvg_client_ask(&config, &fake.paths, &a, &answer);
    assert_in_range(a.timeout_ms, 1, DEADLINE_MS);
    cvg_client_ask(&config, &fake.paths, &b, &answer);
    assert_true(a.id != b.id);
    fake_stop(&fake);
}

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
    fault_plan(FAULT_RECV, 2, EINTR);
    assert_int_equal(ask_as(&fake.paths, CVG_PKI_OK), CVG_ACTION_ACCEPT);
    assert_true(fault_happened());
    fault_plan(FAULT_POLL, 0, 0);
    fake_stop(&fake);
}

static void a_path_too_long_for_a_socket_is_told(void **state)
{
    struct cvg_paths paths = {.kind = CVG_AGENT_USER, .owner = geteuid()};
    struct cvg_why why = {""};
    int fd = -1;

    (void)state;
    memset(paths.runtime_dir, '/', 97);
    assert_int_equal(cvg_client_connect(&paths, 0, &fd, &why), CVG_ERR_RANGE);
    assert_non_null(strstr(why.text, "at most 96 octets"));
    assert_int_equal(fd, -1);
    paths.runtime_dir[96] = '\0';
    assert_int_not_equal(cvg_client_connect(&paths, 0, &fd, &why), CVG_ERR_RANGE);
}

static void receiving_tells_what_happened(void **state)
{
    struct cvg_buffer message;
    int fds[2];

    (void)state;
    scratch_need(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0, "socketpair");
    cvg_buffer_init(&message, CVG_MESSAGE_MAX);
    assert_int_equal(cvg_client_receive(fds[0], &message, 0), CVG_ERR_TIMEOUT);
    assert_int_equal(cvg_client_send(fds[1], leaf, 60000, 0), CVG_OK);
    assert_int_equal(cvg_client_receive(fds[0], &message, 0), CVG_OK);
    assert_int_equal(message.len, 60000);
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
        SCRATCH_TEST(honest_answers_are_obeyed),
        SCRATCH_TEST(a_refusal_is_obeyed_in_every_mode_that_waits),
        SCRATCH_TEST(an_exemption_leaves_everything_as_it_is),
        SCRATCH_TEST(an_acceptance_beyond_the_mode_is_not_obeyed),
        cmocka_unit_test(spoilt_answers_never_accept),
        cmocka_unit_test(contradictions_never_accept),
        SCRATCH_TEST(an_undecided_acceptance_is_obeyed_where_the_policy_allows_it),
        SCRATCH_TEST(a_late_agent_meets_the_deadline),
        SCRATCH_TEST(an_agent_that_never_accepts_meets_the_deadline),
        SCRATCH_TEST(a_full_backlog_meets_the_deadline),
        SCRATCH_TEST(without_an_agent_the_policy_decides),
        SCRATCH_TEST(a_stale_socket_is_no_agent),
        SCRATCH_TEST(a_file_or_another_kind_of_socket_is_no_agent),
        SCRATCH_TEST(a_directory_open_to_others_is_not_believed),
        SCRATCH_TEST(an_installation_of_another_user_is_not_believed),
        SCRATCH_TEST(a_socket_of_another_user_is_not_believed),
        SCRATCH_TEST(root_s_socket_is_believed_for_the_system_only),
        SCRATCH_TEST(monitor_sends_and_does_not_wait),
        SCRATCH_TEST(a_certificate_at_the_limit_and_over_it),
        SCRATCH_TEST(each_question_has_an_id_of_its_own),
        SCRATCH_TEST(a_host_that_closed_its_standard_descriptors),
        SCRATCH_TEST(without_a_descriptor_left_nothing_is_accepted),
        SCRATCH_TEST(no_failing_call_accepts),
        SCRATCH_TEST(interrupted_calls_are_repeated),
        cmocka_unit_test(a_path_too_long_for_a_socket_is_told),
        cmocka_unit_test(receiving_tells_what_happened),
        cmocka_unit_test(sending_to_a_full_queue_meets_the_deadline),
    };

    return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
