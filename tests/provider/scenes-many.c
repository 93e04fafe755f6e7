/* SPDX-License-Identifier: MIT */
/* Scenes with many connections: threads, event loops, forks, sockets by the thousand. */
#include "config.h"

#include "tests/provider/host.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static SSL_CTX *shared;

int scene_connect(void)
{
    SSL_CTX *ctx = host_ctx(NULL);

    for (unsigned n = 0; n < options.count; n++)
        for (size_t i = 0; i < options.ports; i++)
            connect_once(ctx, options.port[i]);
    SSL_CTX_free(ctx);
    return 0;
}

static void *connect_in_thread(void *user)
{
    size_t i = (size_t)(uintptr_t)user;

    connect_once(shared, options.port[i % options.ports]);
    return NULL;
}

int scene_threads(void)
{
    pthread_t *thread = calloc(options.count, sizeof *thread);

    shared = host_ctx(NULL);
    for (unsigned i = 0; i < options.count; i++)
        if (pthread_create(&thread[i], NULL, connect_in_thread, (void *)(uintptr_t)i) != 0)
            return 1;
    for (unsigned i = 0; i < options.count; i++)
        pthread_join(thread[i], NULL);
    free(thread);
    SSL_CTX_free(shared);
    return 0;
}

/* An event loop: all connections are open at once. gather: first everything is received, then
 * everything is processed, so that counters of several sockets may be equal. */
static int event_loop(bool gather)
{
    struct connection connection[HOST_PORTS_MAX];
    int result[HOST_PORTS_MAX] = {0};
    SSL_CTX *ctx = host_ctx(NULL);
    size_t left = options.ports;

    for (size_t i = 0; i < options.ports; i++) {
        if (options.spread)
            options.address = i % 2 ? "127.0.0.2" : "127.0.0.1";
        if (!connection_open(&connection[i], ctx, options.port[i]) ||
            connection_step(&connection[i]) != 0)
            return 1;
    }
    while (left > 0) {
        for (size_t i = 0; gather && i < options.ports; i++)
            if (result[i] == 0 && !connection_receive(&connection[i]))
                return 1;
        for (size_t i = options.ports; i-- > 0;) {
            if (result[i] != 0)
                continue;
            if (!gather && !connection_receive(&connection[i]))
                return 1;
            result[i] = connection_step(&connection[i]);
            left -= result[i] != 0;
        }
    }
    for (size_t i = 0; i < options.ports; i++) {
        connection_report(&connection[i], result[i] == 1);
        connection_close(&connection[i]);
    }
    SSL_CTX_free(ctx);
    return 0;
}

int scene_interleave(void)
{
    options.transport = TRANSPORT_MEMORY;
    return event_loop(false);
}

int scene_gather(void)
{
    options.transport = TRANSPORT_MEMORY;
    return event_loop(true);
}

/* One thread keeps checking while the process forks, so that a fork may fall into any moment. */
int scene_fork(void)
{
    pthread_t busy;
    int status, failed = 0;

    shared = host_ctx(NULL);
    connect_once(shared, options.port[0]);
    for (unsigned i = 0; i < options.count; i++) {
        pid_t child;

        if (pthread_create(&busy, NULL, connect_in_thread, (void *)0) != 0)
            return 1;
        child = fork();
        if (child == 0)
            _exit(!connect_once(shared, options.port[0]));
        pthread_join(busy, NULL);
        failed += waitpid(child, &status, 0) != child || status != 0;
    }
    SSL_CTX_free(shared);
    return failed;
}

int scene_close_fds(void)
{
    SSL_CTX *ctx = host_ctx(NULL);

    for (unsigned i = 0; i < options.count; i++) {
        connect_once(ctx, options.port[0]);
        close_range(3, ~0U, 0);
    }
    SSL_CTX_free(ctx);
    return 0;
}

static int idle_socket(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    inet_pton(AF_INET, options.address, &address.sin_addr);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* count idle sockets to the last port, then a connection to the first. */
int scene_sockets(void)
{
    struct rlimit limit;
    SSL_CTX *ctx = host_ctx(NULL);
    unsigned opened = 0;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    while (opened < options.count && idle_socket(options.port[options.ports - 1]) >= 0)
        opened++;
    printf("sockets=%u\n", opened);
    fflush(stdout);
    connect_once(ctx, options.port[0]);
    SSL_CTX_free(ctx);
    return 0;
}

static int trickling = 1;

/* Receives whatever comes on a socket of its own. */
static void *receive_all(void *user)
{
    int fd = *(int *)user;
    char data[64];

    while (__atomic_load_n(&trickling, __ATOMIC_RELAXED) && recv(fd, data, sizeof data, 0) > 0)
        ;
    return NULL;
}

/* Connections while another socket of the process, to the last port, receives all the time. */
int scene_trickle(void)
{
    SSL_CTX *ctx = host_ctx(NULL);
    pthread_t thread;
    int fd = idle_socket(options.port[options.ports - 1]);

    if (fd < 0 || pthread_create(&thread, NULL, receive_all, &fd) != 0)
        return 1;
    for (unsigned n = 0; n < options.count; n++)
        connect_once(ctx, options.port[0]);
    __atomic_store_n(&trickling, 0, __ATOMIC_RELAXED);
    shutdown(fd, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(fd);
    SSL_CTX_free(ctx);
    return 0;
}
