/* SPDX-License-Identifier: MIT */
/* Starts and ends a redis-server. */
#include "tests/notary/redis-server.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define PROGRAM "redis-server"

bool redis_server_is_there(void)
{
    return system("command -v " PROGRAM " >/dev/null 2>&1") == 0;
}

static uint16_t free_port(void)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(sa);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
    close(fd);
    return ntohs(sa.sin_port);
}

void redis_server_start(struct redis_server *server)
{
    char path[96];
    snprintf(path, sizeof(path), "%s/conf", server->directory);
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* it shall not outlive a test that fails */
        execlp(PROGRAM, PROGRAM, path, (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 1000; i++) { /* until it answers */
        server->in = redisConnect("127.0.0.1", server->port);
        if (server->in != NULL && server->in->err == 0)
            return;
        redisFree(server->in);
        server->in = NULL;
        usleep(10000);
    }
    fail_msg("redis-server does not start");
}

void redis_server_make(struct redis_server *server, const char *extra)
{
    char path[96];
    memset(server, 0, sizeof(*server));
    strcpy(server->directory, "/tmp/converge-redis-XXXXXX");
    assert_non_null(mkdtemp(server->directory));
    server->port = free_port();
    snprintf(path, sizeof(path), "%s/conf", server->directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file,
            "bind 127.0.0.1\nport %u\ndir %s\nlogfile %s/log\nappendonly yes\n"
            "appendfsync always\nsave \"\"\n%s",
            server->port, server->directory, server->directory, extra);
    assert_int_equal(fclose(file), 0);
    redis_server_start(server);
}

void redis_server_kill(struct redis_server *server)
{
    if (server->pid == 0)
        return;
    redisFree(server->in);
    server->in = NULL;
    kill(server->pid, SIGKILL);
    assert_int_equal(waitpid(server->pid, NULL, 0), server->pid);
    server->pid = 0;
}

void redis_server_free(struct redis_server *server)
{
    char command[96];
    redis_server_kill(server);
    snprintf(command, sizeof(command), "rm -rf %s", server->directory);
    assert_int_equal(system(command), 0);
}
