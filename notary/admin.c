/* SPDX-License-Identifier: MIT */
/* The operator's listener: connections with one request each. */
#include "notary/admin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "notary/list.h"
#include "notary/table.h"

#define CONNECTIONS_MAX 16
#define CONNECTION_MS   5000
#define RETRY_MS        1000 /* until accepting is tried again when there were no descriptors */
#define ACCEPTED_MAX    4    /* in one turn of the loop */

struct cvg_admin {
    uv_loop_t *loop;
    const struct cvg_admin_source *source;
    struct cvg_history *history;
    uv_timer_t sampler; /* its data, as the listeners' handles', is what it belongs to */
    struct cvg_link listeners;
    struct cvg_link connections; /* the oldest first */
    size_t connection_count;
};

struct listener {
    uv_poll_t poll;
    uv_timer_t retry;
    unsigned open_handles;
    struct cvg_link link;
    struct cvg_admin *admin;
    int fd;
};

struct connection {
    uv_tcp_t tcp;
    uv_timer_t timer;
    uv_write_t write;
    uv_shutdown_t shutdown;
    unsigned open_handles;
    struct cvg_link link;
    struct cvg_admin *admin;
    struct cvg_http *http;
    bool answered;
    struct cvg_buffer answer;
    char received[4096];
};

static void connection_closed(uv_handle_t *handle)
{
    struct connection *connection = handle->data;
    if (--connection->open_handles > 0)
        return;
    cvg_http_free(connection->http);
    cvg_buffer_free(&connection->answer);
    free(connection);
}

static void close_connection(struct connection *connection)
{
    if (uv_is_closing((uv_handle_t *)&connection->tcp))
        return;
    cvg_list_remove(&connection->link);
    connection->admin->connection_count--;
    uv_close((uv_handle_t *)&connection->timer, connection_closed);
    uv_close((uv_handle_t *)&connection->tcp, connection_closed);
}

static void timed_out(uv_timer_t *timer)
{
    close_connection(timer->data);
}

/* The peer closes when it has the answer, or is made to by the timer. */
static void shut_down(uv_shutdown_t *shutdown, int status)
{
    if (status < 0)
        close_connection(shutdown->handle->data);
}

static void written(uv_write_t *write, int status)
{
    struct connection *connection = write->handle->data;
    if (status < 0 ||
        uv_shutdown(&connection->shutdown, (uv_stream_t *)&connection->tcp, shut_down) != 0)
        close_connection(connection);
}

static void answer(struct connection *connection, enum cvg_http_state state)
{
    struct cvg_admin *admin = connection->admin;
    const struct cvg_http_request *request = cvg_http_request(connection->http);
    connection->answered = true;
    enum cvg_error err = state == CVG_HTTP_COMPLETE
                             ? cvg_admin_answer(admin->source, admin->history, uv_now(admin->loop),
                                                request, &connection->answer)
                             : cvg_admin_decline(admin->source, cvg_http_problem(connection->http),
                                                 true, &connection->answer);
    uv_buf_t octets =
        uv_buf_init((char *)connection->answer.data, (unsigned)connection->answer.len);
    if (err != CVG_OK ||
        uv_write(&connection->write, (uv_stream_t *)&connection->tcp, &octets, 1, written) != 0)
        close_connection(connection);
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_room)
{
    struct connection *connection = handle->data;
    (void)suggested;
    *ret_room = uv_buf_init(connection->received, sizeof(connection->received));
}

/* What comes after the request is read and thrown away, so that the answer is not lost to a reset.
 */
static void received(uv_stream_t *stream, ssize_t len, const uv_buf_t *octets)
{
    struct connection *connection = stream->data;
    size_t taken = 0;
    if (len < 0) {
        close_connection(connection);
        return;
    }
    if (connection->answered)
        return;
    enum cvg_http_state state = cvg_http_feed(connection->http, octets->base, (size_t)len, &taken);
    if (state != CVG_HTTP_MORE)
        answer(connection, state);
}

/* Takes the descriptor over; where there are too many connections, the oldest one gives way. */
static void take(struct cvg_admin *admin, int fd)
{
    struct connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL || cvg_http_new(&connection->http) != CVG_OK) {
        free(connection);
        close(fd);
        return;
    }
    if (admin->connection_count == CONNECTIONS_MAX)
        close_connection(CVG_CONTAINER_OF(admin->connections.next, struct connection, link));
    connection->admin = admin;
    cvg_buffer_init(&connection->answer, CVG_ADMIN_ANSWER_MAX + 4096);
    uv_timer_init(admin->loop, &connection->timer);
    uv_tcp_init(admin->loop, &connection->tcp);
    connection->open_handles = 2;
    connection->timer.data = connection->tcp.data = connection;
    cvg_list_push(&admin->connections, &connection->link);
    admin->connection_count++;
    uv_timer_start(&connection->timer, timed_out, CONNECTION_MS, 0);
    if (uv_tcp_open(&connection->tcp, fd) != 0) {
        close(fd);
        close_connection(connection);
    } else if (uv_read_start((uv_stream_t *)&connection->tcp, give_room, received) != 0) {
        close_connection(connection);
    }
}

static void incoming(uv_poll_t *poll, int status, int events);

static void try_again(uv_timer_t *timer)
{
    struct listener *listener = timer->data;
    (void)uv_poll_start(&listener->poll, UV_READABLE, incoming);
}

static void incoming(uv_poll_t *poll, int status, int events)
{
    struct listener *listener = poll->data;
    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTED_MAX; i++) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0)
            take(listener->admin, fd);
        else if (errno == EAGAIN)
            return;
        else if (errno != ECONNABORTED && errno != EINTR) {
            uv_poll_stop(poll);
            uv_timer_start(&listener->retry, try_again, RETRY_MS, 0);
            return;
        }
    }
}

static void listener_closed(uv_handle_t *handle)
{
    struct listener *listener = handle->data;
    if (--listener->open_handles == 0)
        free(listener);
}

enum cvg_error cvg_admin_listen(struct cvg_admin *admin, int fd)
{
    struct listener *listener = calloc(1, sizeof(*listener));
    if (listener == NULL)
        return CVG_ERR_NOMEM;
    if (uv_poll_init(admin->loop, &listener->poll, fd) != 0) {
        free(listener);
        return CVG_ERR_IO;
    }
    uv_timer_init(admin->loop, &listener->retry);
    listener->open_handles = 2;
    listener->poll.data = listener->retry.data = listener;
    listener->admin = admin;
    listener->fd = fd;
    cvg_list_push(&admin->listeners, &listener->link);
    (void)uv_poll_start(&listener->poll, UV_READABLE, incoming);
    return CVG_OK;
}

void cvg_admin_stop(struct cvg_admin *admin)
{
    while (!cvg_list_empty(&admin->listeners)) {
        struct listener *listener = CVG_CONTAINER_OF(admin->listeners.next, struct listener, link);
        cvg_list_remove(&listener->link);
        uv_close((uv_handle_t *)&listener->retry, listener_closed);
        uv_close((uv_handle_t *)&listener->poll, listener_closed);
        close(listener->fd);
    }
}

static void sample(uv_timer_t *timer)
{
    struct cvg_admin *admin = timer->data;
    struct cvg_status status;
    admin->source->status(admin->source->user, &status);
    cvg_history_add(admin->history, &status.sum, uv_now(admin->loop));
}

enum cvg_error cvg_admin_new(uv_loop_t *loop, const struct cvg_admin_source *source,
                             struct cvg_admin **ret_admin)
{
    struct cvg_admin *admin = calloc(1, sizeof(*admin));
    if (admin == NULL || cvg_history_new(uv_now(loop), &admin->history) != CVG_OK) {
        free(admin);
        return CVG_ERR_NOMEM;
    }
    admin->loop = loop;
    admin->source = source;
    cvg_list_init(&admin->listeners);
    cvg_list_init(&admin->connections);
    uv_timer_init(loop, &admin->sampler);
    admin->sampler.data = admin;
    uv_timer_start(&admin->sampler, sample, CVG_HISTORY_STEP_S * UINT64_C(1000),
                   CVG_HISTORY_STEP_S * UINT64_C(1000));
    *ret_admin = admin;
    return CVG_OK;
}

static void admin_closed(uv_handle_t *handle)
{
    struct cvg_admin *admin = handle->data;
    cvg_history_free(admin->history);
    free(admin);
}

void cvg_admin_free(struct cvg_admin *admin)
{
    if (admin == NULL)
        return;
    cvg_admin_stop(admin);
    while (!cvg_list_empty(&admin->connections))
        close_connection(CVG_CONTAINER_OF(admin->connections.next, struct connection, link));
    uv_close((uv_handle_t *)&admin->sampler, admin_closed);
}
