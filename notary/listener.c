/* SPDX-License-Identifier: MIT */
/* The listening sockets of one loop. Not libuv's own listeners: those stop for good when a
 * connection is not taken at once, and spin when descriptors run out in several threads. */
#include "notary/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/log.h"
#include "notary/connection.h"
#include "notary/relay.h"

#define BATCH    16  /* connections taken in one turn of the loop */
#define RETRY_MS 100 /* how long they wait when there are no descriptors, or no memory */

struct listener {
    uv_poll_t poll; /* both handles' data is the listener */
    uv_timer_t retry;
    unsigned open_handles;
    struct cvg_link link;
    struct cvg_worker *worker;
    struct cvg_socket socket;
};

static void closed(uv_handle_t *handle)
{
    struct listener *listener = handle->data;
    if (--listener->open_handles == 0)
        free(listener);
}

static void close_listener(struct listener *listener)
{
    cvg_list_remove(&listener->link);
    uv_close((uv_handle_t *)&listener->retry, closed);
    uv_close((uv_handle_t *)&listener->poll, closed);
    close(listener->socket.fd);
}

/* Takes up to max connections; the error that kept it from taking more, or 0. */
static int take(struct listener *listener, unsigned max)
{
    for (unsigned i = 0; i < max; i++) {
        int fd = accept4(listener->socket.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0 && errno == ECONNABORTED)
            continue;
        if (fd < 0)
            return errno;
        if (listener->socket.service == CVG_SERVICE_RELAY)
            cvg_relay_accept(listener->worker, fd);
        else
            cvg_connection_accept(listener->worker, fd);
    }
    return 0;
}

static void incoming(uv_poll_t *poll, int status, int events);

static void try_again(uv_timer_t *timer)
{
    struct listener *listener = timer->data;
    (void)uv_poll_start(&listener->poll, UV_READABLE, incoming);
}

/* Where the kernel has no descriptor for a connection it goes on waiting in the backlog; this
 * listener looks again a little later, and everybody else is served meanwhile. */
static void incoming(uv_poll_t *poll, int status, int events)
{
    struct listener *listener = poll->data;
    (void)events;
    int error = status < 0 ? EIO : take(listener, BATCH);
    if (error == 0 || error == EAGAIN || error == EWOULDBLOCK || error == EINTR)
        return;
    uv_poll_stop(poll);
    uv_timer_start(&listener->retry, try_again, RETRY_MS, 0);
}

enum cvg_error cvg_listener_add(struct cvg_worker *worker, const struct cvg_socket *socket)
{
    struct listener *listener = calloc(1, sizeof(*listener));
    if (listener == NULL)
        return CVG_ERR_NOMEM;
    if (uv_poll_init(&worker->loop, &listener->poll, socket->fd) != 0) {
        free(listener);
        return CVG_ERR_IO;
    }
    uv_timer_init(&worker->loop, &listener->retry);
    listener->open_handles = 2;
    listener->poll.data = listener->retry.data = listener;
    listener->worker = worker;
    listener->socket = *socket;
    cvg_list_push(&worker->listeners, &listener->link);
    (void)uv_poll_start(&listener->poll, UV_READABLE, incoming);
    return CVG_OK;
}

void cvg_listeners_drain(struct cvg_worker *worker)
{
    for (struct cvg_link *link = worker->listeners.next; link != &worker->listeners;
         link = link->next)
        (void)take(CVG_CONTAINER_OF(link, struct listener, link), SOMAXCONN);
    cvg_listeners_close(worker);
}

void cvg_listeners_close(struct cvg_worker *worker)
{
    while (!cvg_list_empty(&worker->listeners))
        close_listener(CVG_CONTAINER_OF(worker->listeners.next, struct listener, link));
}
