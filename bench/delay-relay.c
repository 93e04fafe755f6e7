/* SPDX-License-Identifier: MIT */
/* A TCP relay that delays every octet by half a round trip each way, in user space: the bench's
 * distance to a notary. The kernel's timers tell the time, because the loop's own know whole
 * milliseconds only, which is as much as is to be measured. It also counts what crossed the wire,
 * by the kernel's own figures.
 *
 *   delay-relay LISTEN_PORT TARGET_HOST TARGET_PORT ROUND_TRIP_MS
 *
 * Listens on 127.0.0.1 (port 0: any), prints "listening PORT", then on SIGUSR1 one line
 * "wire CONNECTIONS PAYLOAD_IN PAYLOAD_OUT SEGMENTS_IN SEGMENTS_OUT" for the client's side, summed
 * over all connections so far. Ends on SIGTERM. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <uv.h>

#include "bench/wire.h"

#define QUEUE_MAX (1u << 20) /* octets waiting in one direction before reading stops */

struct chunk {
    struct chunk *next;
    uint64_t due_ns;
    size_t len;
    char data[];
};

struct link;

/* One direction: what was read from `from` is written to `to` when it is due. */
struct flow {
    struct link *link;
    uv_tcp_t *from, *to;
    uv_poll_t timer;
    int timer_fd;
    bool waiting; /* the timer is set */
    struct chunk *first, **last;
    size_t queued;
    bool ended;
};

struct link {
    struct link *next, **back;
    uv_tcp_t client, target;
    uv_connect_t connect;
    struct flow up, down;
    int handles;
    bool closing;
};

struct write {
    uv_write_t request;
    struct chunk *chunk;
};

static uv_loop_t *loop;
static struct sockaddr_in target_address;
static uint64_t half_ns;
static struct link *links;
static struct wire past;

static void count(struct wire *wire, const uv_tcp_t *tcp)
{
    uv_os_fd_t fd;

    if (uv_fileno((const uv_handle_t *)tcp, &fd) == 0)
        wire_add(wire, fd);
}

static void flow_drop(struct flow *flow)
{
    while (flow->first != NULL) {
        struct chunk *chunk = flow->first;

        flow->first = chunk->next;
        free(chunk);
    }
}

static void handle_closed(uv_handle_t *handle)
{
    struct link *link = handle->data;

    if (--link->handles > 0)
        return;
    flow_drop(&link->up);
    flow_drop(&link->down);
    close(link->up.timer_fd);
    close(link->down.timer_fd);
    free(link);
}

static void link_close(struct link *link)
{
    if (link->closing)
        return;
    link->closing = true;
    count(&past, &link->client);
    *link->back = link->next;
    if (link->next != NULL)
        link->next->back = link->back;
    uv_close((uv_handle_t *)&link->client, handle_closed);
    uv_close((uv_handle_t *)&link->target, handle_closed);
    uv_close((uv_handle_t *)&link->up.timer, handle_closed);
    uv_close((uv_handle_t *)&link->down.timer, handle_closed);
}

static void written(uv_write_t *request, int status)
{
    struct write *write = (struct write *)request;
    struct link *link = request->data;

    free(write->chunk);
    free(write);
    if (status < 0)
        link_close(link);
}

static void allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    static char shared[65536];

    (void)handle;
    (void)suggested;
    *buffer = uv_buf_init(shared, sizeof shared);
}

static void flow_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer);

static void flow_send(struct flow *flow, struct chunk *chunk)
{
    struct write *write = malloc(sizeof *write);
    uv_buf_t buffer = uv_buf_init(chunk->data, (unsigned)chunk->len);

    if (write == NULL)
        abort();
    write->chunk = chunk;
    write->request.data = flow->link;
    if (uv_write(&write->request, (uv_stream_t *)flow->to, &buffer, 1, written) != 0) {
        free(write);
        free(chunk);
        link_close(flow->link);
    }
}

/* At once if due_ns has passed. */
static void flow_wait(struct flow *flow, uint64_t due_ns)
{
    struct itimerspec when = {.it_value = {.tv_sec = (time_t)(due_ns / 1000000000),
                                           .tv_nsec = (long)(due_ns % 1000000000)}};

    if (timerfd_settime(flow->timer_fd, TFD_TIMER_ABSTIME, &when, NULL) != 0)
        abort();
    flow->waiting = true;
}

static void flow_send_due(struct flow *flow)
{
    while (flow->first != NULL && flow->first->due_ns <= uv_hrtime() && !flow->link->closing) {
        struct chunk *chunk = flow->first;

        flow->first = chunk->next;
        if (flow->first == NULL)
            flow->last = &flow->first;
        flow->queued -= chunk->len;
        flow_send(flow, chunk);
    }
}

static void flow_due(uv_poll_t *timer, int status, int events)
{
    struct flow *flow = (struct flow *)((char *)timer - offsetof(struct flow, timer));
    uint64_t expirations;

    (void)status;
    (void)events;
    if (read(flow->timer_fd, &expirations, sizeof expirations) != sizeof expirations)
        return;
    flow->waiting = false;
    flow_send_due(flow);
    if (flow->link->closing)
        return;
    if (flow->first != NULL) {
        flow_wait(flow, flow->first->due_ns);
    } else if (flow->ended) {
        link_close(flow->link);
        return;
    }
    if (!flow->ended && flow->queued < QUEUE_MAX)
        uv_read_start((uv_stream_t *)flow->from, allocate, flow_read);
}

static void flow_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct link *link = stream->data;
    struct flow *flow = stream == (uv_stream_t *)&link->client ? &link->up : &link->down;
    struct chunk *chunk;

    if (count == 0)
        return;
    if (count < 0) {
        flow->ended = true;
        uv_read_stop(stream);
        if (!flow->waiting)
            flow_wait(flow, uv_hrtime() + half_ns);
        return;
    }
    chunk = malloc(sizeof *chunk + (size_t)count);
    if (chunk == NULL)
        abort();
    chunk->next = NULL;
    chunk->due_ns = uv_hrtime() + half_ns;
    chunk->len = (size_t)count;
    memcpy(chunk->data, buffer->base, (size_t)count);
    *flow->last = chunk;
    flow->last = &chunk->next;
    flow->queued += chunk->len;
    if (flow->queued >= QUEUE_MAX)
        uv_read_stop(stream);
    if (!flow->waiting)
        flow_wait(flow, chunk->due_ns);
}

static void connected(uv_connect_t *request, int status)
{
    struct link *link = request->data;

    if (link->closing)
        return;
    if (status < 0) {
        link_close(link);
        return;
    }
    uv_tcp_nodelay(&link->target, 1);
    uv_read_start((uv_stream_t *)&link->client, allocate, flow_read);
    uv_read_start((uv_stream_t *)&link->target, allocate, flow_read);
}

static void flow_init(struct flow *flow, struct link *link, uv_tcp_t *from, uv_tcp_t *to)
{
    flow->link = link;
    flow->from = from;
    flow->to = to;
    flow->last = &flow->first;
    flow->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (flow->timer_fd < 0 || uv_poll_init(loop, &flow->timer, flow->timer_fd) != 0 ||
        uv_poll_start(&flow->timer, UV_READABLE, flow_due) != 0)
        abort();
    flow->timer.data = link;
}

static void incoming(uv_stream_t *listener, int status)
{
    struct link *link;

    if (status < 0)
        return;
    link = calloc(1, sizeof *link);
    if (link == NULL)
        abort();
    uv_tcp_init(loop, &link->client);
    uv_tcp_init(loop, &link->target);
    link->client.data = link->target.data = link->connect.data = link;
    flow_init(&link->up, link, &link->client, &link->target);
    flow_init(&link->down, link, &link->target, &link->client);
    link->handles = 4;
    link->next = links;
    link->back = &links;
    if (links != NULL)
        links->back = &link->next;
    links = link;
    if (uv_accept(listener, (uv_stream_t *)&link->client) != 0 ||
        uv_tcp_connect(&link->connect, &link->target, (const struct sockaddr *)&target_address,
                       connected) != 0) {
        link_close(link);
        return;
    }
    uv_tcp_nodelay(&link->client, 1);
}

static void report(uv_signal_t *handle, int number)
{
    struct wire sum = past;

    (void)handle;
    (void)number;
    for (struct link *link = links; link != NULL; link = link->next)
        count(&sum, &link->client);
    printf("wire %llu %llu %llu %llu %llu\n", (unsigned long long)sum.connections,
           (unsigned long long)sum.payload_in, (unsigned long long)sum.payload_out,
           (unsigned long long)sum.segments_in, (unsigned long long)sum.segments_out);
    fflush(stdout);
}

static void terminate(uv_signal_t *handle, int number)
{
    (void)handle;
    (void)number;
    exit(0);
}

static int listen_on(uv_tcp_t *listener, int port)
{
    struct sockaddr_in address;
    int len = sizeof address;

    uv_tcp_init(loop, listener);
    if (uv_ip4_addr("127.0.0.1", port, &address) != 0 ||
        uv_tcp_bind(listener, (const struct sockaddr *)&address, 0) != 0 ||
        uv_listen((uv_stream_t *)listener, 1024, incoming) != 0 ||
        uv_tcp_getsockname(listener, (struct sockaddr *)&address, &len) != 0)
        return -1;
    printf("listening %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return 0;
}

int main(int argc, char **argv)
{
    uv_tcp_t listener;
    uv_signal_t usr1, term;

    if (argc != 5 || uv_ip4_addr(argv[2], atoi(argv[3]), &target_address) != 0) {
        fprintf(stderr, "usage: delay-relay LISTEN_PORT TARGET_IPV4 TARGET_PORT ROUND_TRIP_MS\n");
        return 2;
    }
    half_ns = (uint64_t)(atof(argv[4]) * 500000.0);
    loop = uv_default_loop();
    if (listen_on(&listener, atoi(argv[1])) != 0) {
        fprintf(stderr, "delay-relay: cannot listen on 127.0.0.1:%s\n", argv[1]);
        return 1;
    }
    uv_signal_init(loop, &usr1);
    uv_signal_start(&usr1, report, SIGUSR1);
    uv_signal_init(loop, &term);
    uv_signal_start(&term, terminate, SIGTERM);
    return uv_run(loop, UV_RUN_DEFAULT);
}
