/* SPDX-License-Identifier: MIT */
/* The two sockets of a relayed connection. Each direction reads, writes what it read, and reads
 * again only when that is out. */
#include "notary/tunnel.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK 16384

struct side {
    uv_tcp_t *tcp; /* NULL: none yet */
    uv_shutdown_t shutdown;
    uv_write_t write; /* of what this side is sent */
    uv_buf_t pending; /* what write sends; base owned */
    bool ended;       /* this side sends no more */
};

struct cvg_tunnel {
    const struct cvg_tunnel_events *events;
    void *user;
    struct side side[2]; /* the client's, the other notary's */
    bool head;           /* the head is being read */
    bool declined;
    bool closed;
    unsigned open_handles;
    struct cvg_buffer early; /* octets behind the head, for the other side */
    char chunk[CHUNK];
};

enum { CLIENT = 0, SERVER = 1 };

static void handle_closed(uv_handle_t *handle)
{
    struct cvg_tunnel *tunnel = handle->data;
    free(handle);
    if (--tunnel->open_handles > 0)
        return;
    free(tunnel->side[CLIENT].pending.base);
    free(tunnel->side[SERVER].pending.base);
    cvg_buffer_free(&tunnel->early);
    free(tunnel);
}

void cvg_tunnel_close(struct cvg_tunnel *tunnel)
{
    if (tunnel == NULL || tunnel->closed)
        return;
    tunnel->closed = true;
    for (int i = 0; i < 2; i++)
        if (tunnel->side[i].tcp != NULL)
            uv_close((uv_handle_t *)tunnel->side[i].tcp, handle_closed);
}

static void end(struct cvg_tunnel *tunnel)
{
    if (!tunnel->closed)
        tunnel->events->end(tunnel, tunnel->user);
}

static void adopt(struct cvg_tunnel *tunnel, int which, uv_tcp_t *tcp)
{
    tcp->data = tunnel;
    tunnel->side[which].tcp = tcp;
    tunnel->open_handles++;
    (void)uv_tcp_nodelay(tcp, 1);
}

static int side_of(const struct cvg_tunnel *tunnel, const void *stream)
{
    return (const void *)tunnel->side[CLIENT].tcp == stream ? CLIENT : SERVER;
}

static void start_reading(struct cvg_tunnel *tunnel, int from);

static void wrote(uv_write_t *request, int status)
{
    struct cvg_tunnel *tunnel = request->data;
    int to = side_of(tunnel, request->handle);
    free(tunnel->side[to].pending.base);
    tunnel->side[to].pending = uv_buf_init(NULL, 0);
    if (tunnel->closed)
        return;
    if (status != 0 || tunnel->declined)
        end(tunnel);
    else
        start_reading(tunnel, 1 - to);
}

/* Sends; true: all of it is out, false: wrote() will come, or the tunnel has ended. */
static bool send_to(struct cvg_tunnel *tunnel, int to, const char *data, size_t len)
{
    struct side *side = &tunnel->side[to];
    uv_stream_t *stream = (uv_stream_t *)side->tcp;
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)data, (unsigned)len);
    int sent = uv_try_write(stream, &buf, 1);
    size_t done = sent < 0 ? 0 : (size_t)sent;
    if (done == len)
        return true;
    side->pending = uv_buf_init(malloc(len - done), (unsigned)(len - done));
    if (side->pending.base == NULL || (sent < 0 && sent != UV_EAGAIN)) {
        end(tunnel);
        return false;
    }
    memcpy(side->pending.base, data + done, len - done);
    side->write.data = tunnel;
    if (uv_write(&side->write, stream, &side->pending, 1, wrote) != 0)
        end(tunnel);
    return false;
}

static void allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct cvg_tunnel *tunnel = handle->data;
    (void)suggested;
    *buf = uv_buf_init(tunnel->chunk, CHUNK);
}

static void shut(uv_shutdown_t *request, int status)
{
    (void)request;
    (void)status;
}

/* One side has said all; the other may go on. */
static void one_ended(struct cvg_tunnel *tunnel, int from)
{
    struct side *other = &tunnel->side[1 - from];
    tunnel->side[from].ended = true;
    uv_read_stop((uv_stream_t *)tunnel->side[from].tcp);
    if (other->tcp == NULL || other->ended ||
        uv_shutdown(&other->shutdown, (uv_stream_t *)other->tcp, shut) != 0)
        end(tunnel);
}

static void read_head(struct cvg_tunnel *tunnel, size_t len)
{
    size_t taken = tunnel->events->head(tunnel, tunnel->chunk, len, tunnel->user);
    if (!tunnel->closed &&
        cvg_buffer_put(&tunnel->early, tunnel->chunk + taken, len - taken) != CVG_OK)
        end(tunnel);
}

static void received(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct cvg_tunnel *tunnel = stream->data;
    int from = side_of(tunnel, stream);
    (void)buf;
    if (len == 0)
        return;
    if (len == UV_EOF && !tunnel->head) {
        one_ended(tunnel, from);
    } else if (len < 0) {
        end(tunnel);
    } else if (tunnel->head) {
        read_head(tunnel, (size_t)len);
    } else {
        tunnel->events->active(tunnel, (size_t)len, tunnel->user);
        if (!tunnel->closed && !send_to(tunnel, 1 - from, tunnel->chunk, (size_t)len) &&
            !tunnel->closed)
            uv_read_stop(stream);
    }
}

static void start_reading(struct cvg_tunnel *tunnel, int from)
{
    struct side *side = &tunnel->side[from];
    if (tunnel->closed || side->tcp == NULL || side->ended)
        return;
    if (uv_read_start((uv_stream_t *)side->tcp, allocate, received) != 0)
        end(tunnel);
}

enum cvg_error cvg_tunnel_new(uv_loop_t *loop, int fd, const struct cvg_tunnel_events *events,
                              void *user, struct cvg_tunnel **ret_tunnel)
{
    struct cvg_tunnel *tunnel = calloc(1, sizeof(*tunnel));
    uv_tcp_t *tcp = calloc(1, sizeof(*tcp));
    if (tunnel == NULL || tcp == NULL) {
        free(tunnel);
        free(tcp);
        close(fd);
        return CVG_ERR_NOMEM;
    }
    tunnel->events = events;
    tunnel->user = user;
    tunnel->head = true;
    cvg_buffer_init(&tunnel->early, CHUNK);
    uv_tcp_init(loop, tcp);
    adopt(tunnel, CLIENT, tcp);
    if (uv_tcp_open(tcp, fd) != 0) {
        close(fd);
        cvg_tunnel_close(tunnel);
        return CVG_ERR_IO;
    }
    *ret_tunnel = tunnel;
    return CVG_OK;
}

enum cvg_error cvg_tunnel_peer(const struct cvg_tunnel *tunnel, struct cvg_address *ret_address)
{
    struct sockaddr_storage peer;
    int len = sizeof(peer);
    if (uv_tcp_getpeername(tunnel->side[CLIENT].tcp, (struct sockaddr *)&peer, &len) != 0)
        return CVG_ERR_IO;
    return cvg_address_of((struct sockaddr *)&peer, ret_address);
}

void cvg_tunnel_start(struct cvg_tunnel *tunnel)
{
    start_reading(tunnel, CLIENT);
}

void cvg_tunnel_head_done(struct cvg_tunnel *tunnel)
{
    tunnel->head = false;
    uv_read_stop((uv_stream_t *)tunnel->side[CLIENT].tcp);
}

void cvg_tunnel_join(struct cvg_tunnel *tunnel, uv_tcp_t *tcp, const char *answer, size_t len)
{
    adopt(tunnel, SERVER, tcp);
    bool to_client = send_to(tunnel, CLIENT, answer, len);
    bool to_server = tunnel->closed || tunnel->early.len == 0 ||
                     send_to(tunnel, SERVER, (char *)tunnel->early.data, tunnel->early.len);
    cvg_buffer_free(&tunnel->early);
    if (to_client)
        start_reading(tunnel, SERVER);
    if (to_server)
        start_reading(tunnel, CLIENT);
}

void cvg_tunnel_decline(struct cvg_tunnel *tunnel, const char *answer, size_t len)
{
    tunnel->declined = true;
    if (send_to(tunnel, CLIENT, answer, len))
        end(tunnel);
}
