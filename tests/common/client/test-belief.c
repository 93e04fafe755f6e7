/* SPDX-License-Identifier: MIT */
/* Which sockets are believed: none that somebody else could have put there or listens at; and what
 * follows when there is no agent at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/socket.h>
#include <sys/un.h>

#include "tests/common/client/asking.h"

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

#define SCRATCH_TEST(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(an_agent_that_never_accepts_meets_the_deadline),
        SCRATCH_TEST(a_full_backlog_meets_the_deadline),
        SCRATCH_TEST(without_an_agent_the_policy_decides),
        SCRATCH_TEST(a_stale_socket_is_no_agent),
        SCRATCH_TEST(a_file_or_another_kind_of_socket_is_no_agent),
        SCRATCH_TEST(a_directory_open_to_others_is_not_believed),
        SCRATCH_TEST(an_installation_of_another_user_is_not_believed),
        SCRATCH_TEST(a_socket_of_another_user_is_not_believed),
        SCRATCH_TEST(root_s_socket_is_believed_for_the_system_only),
        cmocka_unit_test(a_path_too_long_for_a_socket_is_told),
    };

    return cmocka_run_group_tests_name("belief", tests, NULL, NULL);
}
