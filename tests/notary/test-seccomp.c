/* SPDX-License-Identifier: MIT */
/* The system call filter: each case installs it in a process of its own and tries what a notary
 * does, and what it must not. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <openssl/rand.h>

#include "notary/seccomp.h"

/* What became of a child: its exit status, or a signal below 0. */
static int outcome(int (*run)(void))
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (cvg_seccomp_install(NULL) != CVG_OK)
            _exit(99);
        _exit(run());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Whether it failed because it is not allowed. */
static int refused(long result)
{
    return result == -1 && errno == EPERM ? 0 : 1;
}

static void *in_a_thread(void *result)
{
    *(int *)result = 7;
    return result;
}

static int does_what_a_notary_does(void)
{
    char path[] = "/tmp/converge-seccomp-XXXXXX", octets[16];
    pthread_t thread;
    int result = 0;
    int fd = mkstemp(path);
    if (fd < 0 || write(fd, "text", 4) != 4 || fdatasync(fd) != 0 || flock(fd, LOCK_EX) != 0)
        return 1;
    void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED || msync(map, 4096, MS_SYNC) != 0 || munmap(map, 4096) != 0)
        return 2;
    if (rename(path, path) != 0 || unlink(path) != 0 || close(fd) != 0)
        return 3;
    if (pthread_create(&thread, NULL, in_a_thread, &result) != 0 ||
        pthread_join(thread, NULL) != 0 || result != 7)
        return 4;
    if (RAND_bytes((unsigned char *)octets, sizeof(octets)) != 1)
        return 5;
    fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0 || listen(fd, 1) != 0 || close(fd) != 0)
        return 6;
    return 0;
}

static int opens_a_raw_socket(void)
{
    return refused(socket(AF_PACKET, SOCK_RAW, 0));
}

static int makes_memory_executable(void)
{
    void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return map == MAP_FAILED ? 2 : refused(mprotect(map, 4096, PROT_READ | PROT_EXEC));
}

static int signals_another_process(void)
{
    return refused(kill(getppid(), 0)) + refused(syscall(SYS_tgkill, getppid(), getppid(), 0));
}

static int raises_its_limits(void)
{
    const struct rlimit limit = {.rlim_cur = 1, .rlim_max = 1};
    return refused(setrlimit(RLIMIT_NOFILE, &limit));
}

static int calls_what_nobody_knows(void)
{
    return refused(syscall(SYS_io_setup, 1, NULL));
}

static int aborts(void)
{
    abort();
}

static int runs_a_program(void)
{
    char *const arguments[] = {(char[]){"true"}, NULL};
    execv("/bin/true", arguments);
    return 0;
}

static int forks(void)
{
    return syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL) == -1 && errno == EPERM ? 0 : 1;
}

static int traces(void)
{
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    return 0;
}

static int makes_a_namespace(void)
{
    unshare(CLONE_NEWUSER);
    return 0;
}

static int becomes_root(void)
{
    (void)!setuid(0);
    return 0;
}

static void what_a_notary_needs_is_allowed(void **state)
{
    (void)state;
    assert_int_equal(outcome(does_what_a_notary_does), 0);
    assert_int_equal(outcome(aborts), -SIGABRT);
}

static void what_it_does_not_need_fails(void **state)
{
    (void)state;
    assert_int_equal(outcome(opens_a_raw_socket), 0);
    assert_int_equal(outcome(makes_memory_executable), 0);
    assert_int_equal(outcome(signals_another_process), 0);
    assert_int_equal(outcome(raises_its_limits), 0);
    assert_int_equal(outcome(calls_what_nobody_knows), 0);
    assert_int_equal(outcome(forks), 0);
}

static void what_only_an_intruder_does_is_the_end(void **state)
{
    (void)state;
    assert_int_equal(outcome(runs_a_program), -SIGSYS);
    assert_int_equal(outcome(traces), -SIGSYS);
    assert_int_equal(outcome(makes_a_namespace), -SIGSYS);
    assert_int_equal(outcome(becomes_root), -SIGSYS);
}

static volatile sig_atomic_t told;

static void *waits_and_tries(void *result)
{
    while (!told)
        sched_yield();
    *(int *)result = refused(socket(AF_PACKET, SOCK_RAW, 0));
    return NULL;
}

/* Threads that are there already are held by it, too. */
static void all_threads_are_held(void **state)
{
    int status = 0;
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        pthread_t thread;
        int result = 1;
        if (pthread_create(&thread, NULL, waits_and_tries, &result) != 0 ||
            cvg_seccomp_install(NULL) != CVG_OK)
            _exit(98);
        told = 1;
        pthread_join(thread, NULL);
        _exit(result);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_notary_needs_is_allowed),
        cmocka_unit_test(what_it_does_not_need_fails),
        cmocka_unit_test(what_only_an_intruder_does_is_the_end),
        cmocka_unit_test(all_threads_are_held),
    };
#ifdef CVG_SECCOMP_NONE
    puts("1..0 # SKIP sanitizers need more system calls than a notary");
    (void)tests;
    return 0;
#else
    return cmocka_run_group_tests_name("seccomp", tests, NULL, NULL);
#endif
}
