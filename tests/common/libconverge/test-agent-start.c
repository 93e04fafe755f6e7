/* SPDX-License-Identifier: MIT */
/* The agent's start: clean, once, and within its time, whatever the starter is like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/wait.h>

#include "common/base/clock.h"
#include "common/client/client.h"
#include "common/libconverge/agent-start.h"
#include "tests/common/libconverge/installation.h"

#define STARTERS 50

static enum cvg_error start(unsigned timeout_ms, struct cvg_why *why)
{
    struct cvg_config config;
    struct cvg_paths paths;

    assert_int_equal(cvg_config_load(&config, &paths, why), CVG_OK);
    return cvg_agent_start(&paths, timeout_ms, why);
}

static void a_running_agent_is_left_alone(void **state)
{
    struct cvg_why why = {""};

    (void)state;
    assert_int_equal(start(5000, &why), CVG_OK);
    assert_int_equal(start(5000, &why), CVG_OK);
    assert_int_equal(count_lines(read_in("starts")), 1);
}

static void nothing_of_the_starter_is_kept(void **state)
{
    struct cvg_why why = {""};
    char expected[64];
    const char *line;
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0); /* not close-on-exec, as strangers have them */
    assert_int_equal(dup2(fds[1], 77), 77);
    setenv("LD_PRELOAD", "", 1);
    setenv("OPENSSL_CONF", "/dev/null", 1);
    setenv("SECRET", "hunter2", 1);
    umask(0);
    assert_int_equal(start(5000, &why), CVG_OK);
    umask(022);
    unsetenv("OPENSSL_CONF");
    line = read_in("starts");
    assert_non_null(strstr(line, "CONVERGE_CONFIG_DIR "));
    assert_null(strstr(line, "SECRET"));
    assert_null(strstr(line, "LD_PRELOAD"));
    assert_null(strstr(line, "OPENSSL_CONF"));
    assert_non_null(strstr(line, "| fds 0 1 2 3 |"));
    assert_non_null(strstr(line, "| cwd / |"));
    assert_non_null(strstr(line, "| umask 077 |"));
    snprintf(expected, sizeof expected, "| sid %d\n", (int)getsid(0));
    assert_null(strstr(line, expected));
    close(fds[0]);
    close(fds[1]);
    close(77);
}

static void it_is_nobodys_child(void **state)
{
    struct cvg_why why = {""};

    (void)state;
    assert_int_equal(start(5000, &why), CVG_OK);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void descriptors_0_to_3_may_be_closed_or_taken(void **state)
{
    struct cvg_why why = {""};
    int saved[4];

    (void)state;
    for (int fd = 0; fd < 4; fd++) {
        saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 40);
        close(fd);
    }
    assert_int_equal(start(5000, &why), CVG_OK);
    for (int fd = 0; fd < 4; fd++) {
        if (saved[fd] >= 0) {
            dup2(saved[fd], fd);
            close(saved[fd]);
        }
    }
    assert_non_null(strstr(read_in("starts"), "| fds 0 1 2 3 |"));
}

static void fifty_starters_end_with_one_agent(void **state)
{
    pid_t pids[STARTERS];

    (void)state;
    for (int i = 0; i < STARTERS; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0) {
            struct cvg_why why = {""};

            _exit(start(20000, &why) == CVG_OK ? 0 : 1);
        }
    }
    for (int i = 0; i < STARTERS; i++) {
        int status = -1;

        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(count_lines(read_in("run/agent.pid")), 1);
}

static void a_starter_that_ignores_its_children(void **state)
{
    struct cvg_why why = {""};

    (void)state;
    signal(SIGCHLD, SIG_IGN);
    assert_int_equal(start(5000, &why), CVG_OK);
    signal(SIGCHLD, SIG_DFL);
}

static void its_complaint_is_passed_on(void **state)
{
    struct cvg_why why = {""};

    (void)state;
    write_in("fail", "converge.conf:3: no such key");
    assert_int_equal(start(5000, &why), CVG_ERR_REFUSED);
    assert_non_null(strstr(why.text, "converge.conf:3: no such key"));
}

static void paths_that_are_not_programs(void **state)
{
    struct cvg_why why = {""};

    (void)state;
    setenv("CONVERGE_AGENT", "converge-agent", 1);
    assert_int_equal(start(1000, &why), CVG_ERR_CONFIG);
    setenv("CONVERGE_AGENT", "/nonexistent/converge-agent", 1);
    assert_int_equal(start(1000, &why), CVG_ERR_NOT_FOUND);
    assert_non_null(strstr(why.text, "/nonexistent/converge-agent"));
}

static void a_program_that_is_never_ready_costs_the_timeout(void **state)
{
    struct cvg_why why = {""};
    uint64_t before = cvg_clock_ms(cvg_clock_system()), elapsed;

    (void)state;
    setenv("CONVERGE_AGENT", "/bin/true", 1);
    assert_int_equal(start(300, &why), CVG_ERR_TIMEOUT);
    elapsed = cvg_clock_ms(cvg_clock_system()) - before;
    assert_true(elapsed >= 100 && elapsed < 2000);
}

static void a_strangers_directory_is_not_used(void **state)
{
    struct cvg_why why = {""};
    char run[128];

    (void)state;
    snprintf(run, sizeof run, "%s/run", test_directory);
    assert_int_equal(mkdir(run, 0777), 0);
    assert_int_equal(chmod(run, 0777), 0);
    assert_int_equal(start(1000, &why), CVG_ERR_OWNER);
    assert_string_equal(read_in("starts"), "");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_running_agent_is_left_alone),
        CASE(nothing_of_the_starter_is_kept),
        CASE(it_is_nobodys_child),
        CASE(descriptors_0_to_3_may_be_closed_or_taken),
        CASE(fifty_starters_end_with_one_agent),
        CASE(a_starter_that_ignores_its_children),
        CASE(its_complaint_is_passed_on),
        CASE(paths_that_are_not_programs),
        CASE(a_program_that_is_never_ready_costs_the_timeout),
        CASE(a_strangers_directory_is_not_used),
    };

    return cmocka_run_group_tests_name("agent-start", tests, NULL, NULL);
}
