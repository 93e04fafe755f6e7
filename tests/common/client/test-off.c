/* SPDX-License-Identifier: MIT */
/* CONVERGE=off: which values count, that it counts as it was when the program began, and never in a
 * set-uid program. Each case is a process of its own: this program again, with --say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/sendfile.h>
#include <sys/wait.h>

#include "common/client/client.h"
#include "common/client/settings.h"
#include "tests/common/base/scratch.h"

#define OTHER_UID 65534
#define SECURE    4

enum { IS_ON = 0, IS_OFF = 1 };

/* What the settings make of it, in a process whose environment is this. */
static int say(void)
{
    struct cvg_settings settings;
    struct cvg_brief brief;

    cvg_settings_get(&settings);
    cvg_settings_brief(&brief);
    if (settings.excluded != brief.excluded)
        return 2;
    return (settings.excluded ? IS_OFF : IS_ON) + (getauxval(AT_SECURE) != 0 ? SECURE : 0);
}

static int say_in(const char *program, const char *variable)
{
    char directory[SCRATCH_MAX + 64];
    char *environment[] = {directory, (char *)(uintptr_t)variable, NULL};
    char *arguments[] = {(char *)(uintptr_t) "off", (char *)(uintptr_t) "--say", NULL};
    pid_t pid;
    int status = -1;

    snprintf(directory, sizeof directory, "CONVERGE_CONFIG_DIR=%s", scratch);
    pid = fork();
    scratch_need(pid >= 0, "fork");
    if (pid == 0) {
        execve(program, arguments, environment);
        _exit(99);
    }
    scratch_need(waitpid(pid, &status, 0) == pid && WIFEXITED(status), "waitpid");
    return WEXITSTATUS(status);
}

static int said(const char *variable)
{
    return say_in("/proc/self/exe", variable);
}

static void only_off_counts(void **state)
{
    static const char *const others[] = {"CONVERGE=",        "CONVERGE=OFF",  "CONVERGE=off ",
                                         "CONVERGE= off",    "CONVERGE=0",    "CONVERGE=no",
                                         "CONVERGE=offline", "CONVERGED=off", "converge=off"};

    (void)state;
    assert_int_equal(said("CONVERGE=off"), IS_OFF);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(said(others[i]), IS_ON);
}

static void the_configuration_can_forbid_it(void **state)
{
    (void)state;
    scratch_file("converge.conf", "allow_off = no\n", 0600);
    assert_int_equal(said("CONVERGE=off"), IS_ON);
    scratch_file("converge.conf", "allow_off = yes\n", 0600);
    assert_int_equal(said("CONVERGE=off"), IS_OFF);
}

static void a_configuration_that_cannot_be_read_forbids_it(void **state)
{
    (void)state;
    scratch_file("converge.conf", "allow_off = yes\nmode = perhaps\n", 0600);
    assert_int_equal(said("CONVERGE=off"), IS_ON);
}

static void not_in_a_set_uid_program(void **state)
{
    const char *copy = scratch_path("set-uid");
    int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int to = open(copy, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
    struct stat st;
    int told;

    (void)state;
    scratch_need(from >= 0 && to >= 0 && fstat(from, &st) == 0, "open");
    for (off_t left = st.st_size; left > 0;) {
        ssize_t sent = sendfile(to, from, NULL, (size_t)left);

        scratch_need(sent > 0, "sendfile");
        left -= sent;
    }
    if (geteuid() != 0 || fchown(to, OTHER_UID, OTHER_UID) != 0 || fchmod(to, 04755) != 0)
        told = -1;
    else
        told = 0;
    close(from);
    close(to);
    if (told == 0)
        told = say_in(copy, "CONVERGE=off");
    if (told < SECURE)
        skip(); /* not root, or a file system without set-uid programs */
    assert_int_equal(told, SECURE + IS_ON);
}

static atomic_bool enough;

static void *change_the_environment(void *unused)
{
    char name[32];

    for (unsigned i = 0; !atomic_load(&enough); i++) {
        snprintf(name, sizeof name, "OFF_TEST_%u", i % 500);
        setenv(name, "x", 1);
        setenv("CONVERGE", i % 2 == 0 ? "off" : "", 1);
    }
    return unused;
}

/* In a process of its own: the state is the process's. */
static int while_it_changes(void)
{
    pthread_t thread;
    bool was = cvg_client_off(), same = true;

    if (pthread_create(&thread, NULL, change_the_environment, NULL) != 0)
        return 2;
    for (int i = 0; i < 10000; i++)
        same = same && cvg_client_off() == was;
    atomic_store(&enough, true);
    pthread_join(thread, NULL);
    setenv("CONVERGE", was ? "on" : "off", 1);
    return same && cvg_client_off() == was && !was ? 0 : 1;
}

static void what_a_program_does_to_its_environment_changes_nothing(void **state)
{
    int status = -1;
    pid_t pid;

    (void)state;
    unsetenv("CONVERGE");
    pid = fork();
    scratch_need(pid >= 0, "fork");
    if (pid == 0)
        _exit(while_it_changes());
    scratch_need(waitpid(pid, &status, 0) == pid && WIFEXITED(status), "waitpid");
    assert_int_equal(WEXITSTATUS(status), 0);
}

#define OFF_TEST(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        OFF_TEST(only_off_counts),
        OFF_TEST(the_configuration_can_forbid_it),
        OFF_TEST(a_configuration_that_cannot_be_read_forbids_it),
        OFF_TEST(not_in_a_set_uid_program),
        OFF_TEST(what_a_program_does_to_its_environment_changes_nothing),
    };

    if (argc == 2 && strcmp(argv[1], "--say") == 0)
        return say();
    return cmocka_run_group_tests_name("off", tests, NULL, NULL);
}
