/* SPDX-License-Identifier: MIT */
/* The service manager's protocols: which of its sockets are taken, and what it is told. */
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "notary/activation.h"

/* In a process of its own: descriptors from 3 on are the service manager's. */
static enum cvg_error activated(const char *names, bool listening, struct cvg_sockets *ret_sockets)
{
    char pid[32];
    for (int fd = 3; fd < 6; fd++) {
        int made = socket(AF_INET, SOCK_STREAM, 0);
        if (listening)
            assert_int_equal(listen(made, 8), 0);
        if (made != fd)
            assert_int_equal(dup2(made, fd), fd);
        if (made > 5)
            close(made);
    }
    snprintf(pid, sizeof(pid), "%ld", (long)getpid());
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", "3", 1);
    setenv("LISTEN_FDNAMES", names, 1);
    return cvg_activation_sockets(ret_sockets, NULL);
}

static void in_a_child(int (*run)(void))
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(run());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int takes_named_sockets(void)
{
    struct cvg_sockets sockets = {.socket = NULL};
    if (activated("ssl:relay:ssl", true, &sockets) != CVG_OK || sockets.count != 3)
        return 1;
    if (sockets.socket[1].service != CVG_SERVICE_RELAY || sockets.socket[1].fd != 4)
        return 2;
    for (int fd = 3; fd < 6; fd++)
        if ((fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0 || (fcntl(fd, F_GETFL) & O_NONBLOCK) == 0)
            return 3;
    if (getenv("LISTEN_FDS") != NULL || getenv("LISTEN_FDNAMES") != NULL)
        return 4;
    return cvg_activation_sockets(&sockets, NULL) == CVG_ERR_NOT_FOUND ? 0 : 5;
}

static int refuses_other_names(void)
{
    struct cvg_sockets sockets = {.socket = NULL};
    return activated("ssl:http:ssl", true, &sockets) == CVG_ERR_CONFIG && sockets.count == 0 ? 0
                                                                                             : 1;
}

static int refuses_too_few_names(void)
{
    struct cvg_sockets sockets = {.socket = NULL};
    return activated("ssl:bounce", true, &sockets) == CVG_ERR_CONFIG ? 0 : 1;
}

static int refuses_what_does_not_listen(void)
{
    struct cvg_sockets sockets = {.socket = NULL};
    return activated("ssl:bounce:relay", false, &sockets) == CVG_ERR_CONFIG ? 0 : 1;
}

static int leaves_another_process_sockets_alone(void)
{
    struct cvg_sockets sockets = {.socket = NULL};
    setenv("LISTEN_PID", "1", 1);
    setenv("LISTEN_FDS", "3", 1);
    return cvg_activation_sockets(&sockets, NULL) == CVG_ERR_NOT_FOUND ? 0 : 1;
}

static void the_service_managers_sockets(void **state)
{
    (void)state;
    in_a_child(takes_named_sockets);
    in_a_child(refuses_other_names);
    in_a_child(refuses_too_few_names);
    in_a_child(refuses_what_does_not_listen);
    in_a_child(leaves_another_process_sockets_alone);
}

static void the_service_manager_is_told(void **state)
{
    char directory[] = "/tmp/converge-activation-XXXXXX";
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char text[64] = "";
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", directory);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    cvg_activation_notify("nobody hears this");
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
    cvg_activation_notify("READY=1");
    assert_int_equal(recv(fd, text, sizeof(text) - 1, 0), 7);
    assert_string_equal(text, "READY=1");
    cvg_activation_notify_reloading();
    assert_true(recv(fd, text, sizeof(text) - 1, 0) > 27);
    assert_memory_equal(text, "RELOADING=1\nMONOTONIC_USEC=", 27);
    unsetenv("NOTIFY_SOCKET");
    unlink(address.sun_path);
    rmdir(directory);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_service_managers_sockets),
        cmocka_unit_test(the_service_manager_is_told),
    };
    return cmocka_run_group_tests_name("activation", tests, NULL, NULL);
}
