/* SPDX-License-Identifier: MIT */
/* The listening sockets of one loop. */
#include "notary/listener.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "notary/connection.h"
#include "notary/relay.h"

#define BACKLOG 1024

typedef void accept_function(struct cvg_worker *worker, uv_stream_t *listener);

struct listener {
    uv_tcp_t tcp; /* first: casts */
    struct cvg_link link;
    struct cvg_worker *worker;
    accept_function *accept;
};

static void closed(uv_handle_t *handle)
{
    free((struct listener *)(void *)handle);
}

static void incoming(uv_stream_t *stream, int status)
{
    struct listener *listener = (struct listener *)(void *)stream;
    if (status == 0)
        listener->accept(listener->worker, stream);
}

static bool is_any(const struct cvg_address *address)
{
    static const uint8_t zero[16];
    return memcmp(address->bytes, zero, sizeof(zero)) == 0;
}

static enum cvg_error open_one(struct cvg_worker *worker, const struct cvg_address *address,
                               unsigned port, accept_function *accept, struct cvg_why *why)
{
    union cvg_socket_address sa;
    char text[CVG_ADDRESS_TEXT_MAX];
    struct listener *listener = calloc(1, sizeof(*listener));
    if (listener == NULL)
        return CVG_ERR_NOMEM;
    listener->worker = worker;
    listener->accept = accept;
    uv_tcp_init(&worker->loop, &listener->tcp);
    cvg_list_push(&worker->listeners, &listener->link);
    cvg_address_socket(address, (uint16_t)port, &sa);
    int status = uv_tcp_bind(&listener->tcp, &sa.any, address->family == 6 ? UV_TCP_IPV6ONLY : 0);
    if (status == 0)
        status = uv_listen((uv_stream_t *)&listener->tcp, BACKLOG, incoming);
    cvg_address_format(address, text, sizeof(text));
    if (status == 0) {
        cvg_log(CVG_LOG_INFO, "listening at %s port %u", text, port);
        return CVG_OK;
    }
    cvg_list_remove(&listener->link);
    uv_close((uv_handle_t *)&listener->tcp, closed);
    if (is_any(address) && (status == UV_EAFNOSUPPORT || status == UV_EADDRNOTAVAIL))
        return CVG_ERR_NOT_FOUND;
    return cvg_fail(why, CVG_ERR_IO, "cannot listen at %s port %u: %s%s", text, port,
                    uv_strerror(status),
                    status == UV_EACCES ? "; low ports want to be started by root" : "");
}

/* One port at all addresses. */
static enum cvg_error open_port(struct cvg_worker *worker, unsigned port, accept_function *accept,
                                struct cvg_why *why)
{
    const struct cvg_addresses *listen = &worker->settings.listen;
    size_t open = 0;
    for (size_t i = 0; i < listen->count; i++) {
        enum cvg_error err = open_one(worker, &listen->address[i], port, accept, why);
        if (err == CVG_OK)
            open++;
        else if (err != CVG_ERR_NOT_FOUND)
            return err;
    }
    if (open == 0)
        return cvg_fail(why, CVG_ERR_IO, "cannot listen at port %u: no address family works", port);
    return CVG_OK;
}

enum cvg_error cvg_listeners_open(struct cvg_worker *worker, struct cvg_why *ret_why)
{
    enum cvg_error err =
        open_port(worker, worker->settings.ssl_port, cvg_connection_accept, ret_why);
    if (err == CVG_OK)
        err = open_port(worker, worker->settings.bounce_port, cvg_connection_accept, ret_why);
    if (err == CVG_OK && worker->settings.relay_port != 0)
        err = open_port(worker, worker->settings.relay_port, cvg_relay_accept, ret_why);
    if (err != CVG_OK)
        cvg_listeners_close(worker);
    return err;
}

void cvg_listeners_close(struct cvg_worker *worker)
{
    while (!cvg_list_empty(&worker->listeners)) {
        struct listener *listener = CVG_CONTAINER_OF(worker->listeners.next, struct listener, link);
        cvg_list_remove(&listener->link);
        uv_close((uv_handle_t *)&listener->tcp, closed);
    }
}
