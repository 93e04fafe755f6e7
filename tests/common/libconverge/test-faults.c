/* SPDX-License-Identifier: MIT */
/* Every call that can fail fails in turn, from a cold start on: memory, descriptors, processes,
 * sockets. The agent says "disagree" each time, so X509_V_OK can only come from a fault. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "common/libconverge/converge.h"
#include "tests/common/libconverge/installation.h"

#define SHA1       "AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD"
#define FAULTS_MAX 500

/* Counts down with every wrapped call; the one that meets zero fails. Negative: nothing fails. */
static int countdown = -1;

static bool fails(void)
{
    if (countdown < 0)
        return false;
    return countdown-- == 0;
}

#define FAIL_WITH(error, value)                                                                    \
    do {                                                                                           \
        if (fails()) {                                                                             \
            errno = (error);                                                                       \
            return (value);                                                                        \
        }                                                                                          \
    } while (0)

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
char *__real_strdup(const char *text);
int __real_pipe2(int fds[2], int flags);
int __real_memfd_create(const char *name, unsigned flags);
pid_t __real_fork(void);
int __real_access(const char *path, int mode);
int __real_socket(int domain, int type, int protocol);
int __real_connect(int fd, const struct sockaddr *address, socklen_t len);
int __real_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int __real_poll(struct pollfd *fds, nfds_t count, int timeout);
ssize_t __real_read(int fd, void *data, size_t len);
ssize_t __real_send(int fd, const void *data, size_t len, int flags);
ssize_t __real_recv(int fd, void *data, size_t len, int flags);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
char *__wrap_strdup(const char *text);
int __wrap_pipe2(int fds[2], int flags);
int __wrap_memfd_create(const char *name, unsigned flags);
pid_t __wrap_fork(void);
int __wrap_access(const char *path, int mode);
int __wrap_socket(int domain, int type, int protocol);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t len);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
ssize_t __wrap_read(int fd, void *data, size_t len);
ssize_t __wrap_send(int fd, const void *data, size_t len, int flags);
ssize_t __wrap_recv(int fd, void *data, size_t len, int flags);

void *__wrap_malloc(size_t size)
{
    FAIL_WITH(ENOMEM, NULL);
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    FAIL_WITH(ENOMEM, NULL);
    return __real_calloc(count, size);
}

char *__wrap_strdup(const char *text)
{
    FAIL_WITH(ENOMEM, NULL);
    return __real_strdup(text);
}

int __wrap_pipe2(int fds[2], int flags)
{
    FAIL_WITH(EMFILE, -1);
    return __real_pipe2(fds, flags);
}

int __wrap_memfd_create(const char *name, unsigned flags)
{
    FAIL_WITH(EMFILE, -1);
    return __real_memfd_create(name, flags);
}

pid_t __wrap_fork(void)
{
    FAIL_WITH(EAGAIN, -1);
    return __real_fork();
}

int __wrap_access(const char *path, int mode)
{
    FAIL_WITH(EACCES, -1);
    return __real_access(path, mode);
}

int __wrap_socket(int domain, int type, int protocol)
{
    FAIL_WITH(EMFILE, -1);
    return __real_socket(domain, type, protocol);
}

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t len)
{
    FAIL_WITH(ECONNREFUSED, -1);
    return __real_connect(fd, address, len);
}

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    FAIL_WITH(EBADF, -1);
    return __real_getsockopt(fd, level, name, value, len);
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
    FAIL_WITH(EINVAL, -1);
    return __real_poll(fds, count, timeout);
}

ssize_t __wrap_read(int fd, void *data, size_t len)
{
    FAIL_WITH(EIO, -1);
    return __real_read(fd, data, len);
}

ssize_t __wrap_send(int fd, const void *data, size_t len, int flags)
{
    FAIL_WITH(EPIPE, -1);
    return __real_send(fd, data, len, flags);
}

ssize_t __wrap_recv(int fd, void *data, size_t len, int flags)
{
    FAIL_WITH(ECONNRESET, -1);
    return __real_recv(fd, data, len, flags);
}

/* One question with the nth wrapped call failing. Returns whether there was an nth call. */
static bool ask_with_fault(int nth, bool fuller)
{
    converge_options *options = fuller ? converge_options_new() : NULL;
    converge_result *result = NULL;
    int value;

    if (fuller) {
        assert_int_equal(converge_options_set_timeout_ms(options, 1000), 0);
        assert_int_equal(converge_options_set_certificate(options, "0123456789", 10), 0);
    }
    countdown = nth;
    value = converge_check("B\xc3\xbc"
                           "cher.converge.example",
                           443, SHA1, options, fuller ? &result : NULL);
    nth = countdown;
    countdown = -1;
    assert_int_not_equal(value, 0);
    assert_true(value == 28 || value == 50 || value == 1);
    if (result != NULL)
        assert_string_not_equal(converge_result_action(result), "accept");
    converge_result_free(result);
    converge_options_free(options);
    return nth < 0;
}

/* A fresh installation each time: the agent has to be started again. */
static void cold(void **state)
{
    bool more = true;
    int nth;

    for (nth = 0; more && nth < FAULTS_MAX; nth++) {
        assert_int_equal(set_up(state), 0);
        write_in("answer", "4e 52 1 alpha=no");
        more = ask_with_fault(nth, true);
        assert_int_equal(tear_down(state), 0);
    }
    assert_in_range(nth, 12, FAULTS_MAX - 1);
}

static void warm(void **state)
{
    bool more = true;
    int nth;

    assert_int_equal(set_up(state), 0);
    write_in("answer", "4e 52 1 alpha=no");
    assert_int_equal(converge("site.converge.example", 443, SHA1), 28);
    for (nth = 0; more && nth < FAULTS_MAX; nth++)
        more = ask_with_fault(nth, false);
    assert_in_range(nth, 6, FAULTS_MAX - 1);
    assert_int_equal(tear_down(state), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cold),
        cmocka_unit_test(warm),
    };

    return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
