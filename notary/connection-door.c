/* SPDX-License-Identifier: MIT */
/* One client's connection up to its first request: whether there is room, whom it is from, and the
 * handshake in its turn. */
#include <stdlib.h>
#include <unistd.h>

#include "notary/connection-parts.h"
#include "notary/proxy.h"

#define SHAKING_MS 1000 /* so long a handshake is left alone when there is no room */

static void on_handshake(struct cvg_link *link)
{
    struct cvg_connection *connection = CVG_CONTAINER_OF(link, struct cvg_connection, turn);
    enum cvg_tls_state state = cvg_tls_stream_handshake(connection->stream);
    if (state == CVG_TLS_DONE) {
        cvg_connection_count(connection, CVG_METRIC_HANDSHAKES, 1);
        if (cvg_tls_stream_resumed(connection->stream))
            cvg_connection_count(connection, CVG_METRIC_HANDSHAKES_RESUMED, 1);
        connection->state = CVG_CONNECTION_READING;
        cvg_connection_process(connection);
        return;
    }
    enum cvg_error err = cvg_tls_stream_flush(connection->stream);
    if (state == CVG_TLS_ENDED || err == CVG_ERR_IO ||
        cvg_tls_stream_resume(connection->stream) != CVG_OK)
        cvg_connection_close(connection);
}

static void on_request(struct cvg_link *link)
{
    cvg_connection_process(CVG_CONTAINER_OF(link, struct cvg_connection, turn));
}

static bool guest_place(struct cvg_worker *worker)
{
    return cvg_guest_enter(&worker->shared->guests, worker->settings.max_connections);
}

/* Its network has too many: it is told so, if there is a place for that. */
static enum cvg_error become_guest(struct cvg_connection *connection)
{
    struct cvg_worker *worker = connection->worker;
    if (!guest_place(worker))
        return CVG_ERR_BUSY;
    connection->guest = 429;
    connection->begun_ms = uv_now(&worker->loop);
    cvg_list_remove(&connection->link);
    cvg_list_push(&worker->front->guests, &connection->link);
    cvg_worker_connection_went(worker);
    cvg_connection_deadline(connection, CVG_GUEST_MS);
    return CVG_OK;
}

/* From here on it is known whose budget pays. A guest has none. */
static enum cvg_error enter(struct cvg_connection *connection, const struct cvg_address *peer)
{
    struct cvg_worker *worker = connection->worker;
    enum cvg_error err = CVG_OK;
    if (connection->guest == 0)
        err = cvg_budget_enter(worker->budget, peer, uv_now(&worker->loop), &connection->client);
    if (err != CVG_OK)
        cvg_connection_count(connection, CVG_METRIC_CONNECTIONS_REFUSED, 1);
    if (err == CVG_ERR_BUSY)
        err = become_guest(connection);
    if (err == CVG_OK)
        connection->state = CVG_CONNECTION_HANDSHAKE;
    return err;
}

/* What a load balancer says before the client's first octet; true: it has said it all. */
static bool take_header(struct cvg_connection *connection)
{
    struct cvg_proxy proxy;
    const uint8_t *octets = NULL;
    size_t len = cvg_tls_stream_peek(connection->stream, &octets);
    enum cvg_proxy_state state = cvg_proxy_parse(octets, len, &proxy);
    enum cvg_error err = CVG_OK;
    if (state == CVG_PROXY_MORE)
        return false;
    if (state == CVG_PROXY_DONE) {
        cvg_tls_stream_skip(connection->stream, proxy.len);
        if (!proxy.named)
            err = cvg_tls_stream_peer(connection->stream, &proxy.source);
        if (err == CVG_OK)
            err = enter(connection, &proxy.source);
    }
    if (state == CVG_PROXY_BAD || err != CVG_OK) {
        cvg_connection_close(connection);
        return false;
    }
    return cvg_tls_stream_peek(connection->stream, &octets) > 0;
}

static void on_readable(void *user)
{
    struct cvg_connection *connection = user;
    if (connection->state == CVG_CONNECTION_NEW && !take_header(connection))
        return;
    if (connection->state != CVG_CONNECTION_HANDSHAKE) {
        cvg_connection_process(connection);
        return;
    }
    if (cvg_list_empty(&connection->turn))
        cvg_turns_wait(connection->guest != 0 ? connection->front->guest_handshakes
                                              : connection->front->handshakes,
                       &connection->turn);
    else
        cvg_tls_stream_pause(connection->stream); /* it has said enough for this turn */
}

static void on_written(void *user)
{
    struct cvg_connection *connection = user;
    if (connection->state != CVG_CONNECTION_HANDSHAKE)
        cvg_connection_process(connection);
}

static void on_ended(void *user)
{
    cvg_connection_close(user);
}

static const struct cvg_tls_stream_events events = {
    .readable = on_readable,
    .written = on_written,
    .ended = on_ended,
};

/* Makes room for a new connection where another has been idle for long, or is slow to begin. The
 * limit is the process's; room is made in this loop. */
static bool make_room(struct cvg_worker *worker)
{
    struct cvg_front *front = worker->front;
    struct cvg_connection *oldest = NULL;
    if (atomic_load(&worker->shared->connections) < worker->settings.max_connections)
        return true;
    if (!cvg_list_empty(&front->idle)) {
        oldest = CVG_CONTAINER_OF(front->idle.next, struct cvg_connection, link);
    } else if (!cvg_list_empty(&front->shaking)) {
        oldest = CVG_CONTAINER_OF(front->shaking.next, struct cvg_connection, link);
        if (uv_now(&worker->loop) - oldest->begun_ms < SHAKING_MS)
            return false;
    }
    if (oldest != NULL)
        cvg_connection_close(oldest);
    return oldest != NULL;
}

/* Reads whom it is from, unless a load balancer is to say that first. */
static enum cvg_error begin(struct cvg_connection *connection)
{
    struct cvg_address peer;
    enum cvg_error err = cvg_tls_stream_peer(connection->stream, &peer);
    if (err == CVG_OK && !cvg_networks_contain(&connection->worker->settings.proxy_from, &peer))
        err = enter(connection, &peer);
    if (err == CVG_OK)
        err = cvg_tls_stream_resume(connection->stream);
    return err;
}

/* Whom it counts for, and where it waits for its handshake. */
static void register_connection(struct cvg_connection *connection)
{
    struct cvg_front *front = connection->front;
    bool guest = connection->guest != 0;
    cvg_list_push(guest ? &front->guests : &front->shaking, &connection->link);
    if (!guest)
        cvg_worker_connection_came(connection->worker);
    cvg_connection_count(connection, CVG_METRIC_CONNECTIONS_OPEN, 1);
}

static struct cvg_connection *new_connection(struct cvg_worker *worker, int fd, unsigned guest)
{
    struct cvg_connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL) {
        close(fd);
        return NULL;
    }
    if (cvg_tls_stream_new(&worker->loop, fd, worker->identity->tls, worker->front->tls, &events,
                           connection, &connection->stream) != CVG_OK) {
        free(connection);
        return NULL;
    }
    connection->worker = worker;
    connection->front = worker->front;
    connection->guest = guest;
    connection->begun_ms = uv_now(&worker->loop);
    cvg_buffer_init(&connection->plain, CVG_TLS_RECORD_MAX);
    cvg_list_init(&connection->turn);
    register_connection(connection);
    uv_timer_init(&worker->loop, &connection->timer);
    cvg_connection_deadline(connection, worker->settings.client_timeout_ms);
    return connection;
}

void cvg_connection_accept(struct cvg_worker *worker, int fd)
{
    bool room = make_room(worker);
    cvg_metrics_add(worker->metrics, CVG_METRIC_CONNECTIONS, 1);
    if (!room)
        cvg_metrics_add(worker->metrics, CVG_METRIC_CONNECTIONS_REFUSED, 1);
    if (!room && !guest_place(worker)) {
        close(fd);
        return;
    }
    struct cvg_connection *connection = new_connection(worker, fd, room ? 0 : 503);
    if (connection == NULL && !room)
        cvg_guest_leave(&worker->shared->guests);
    if (connection != NULL && begin(connection) != CVG_OK)
        cvg_connection_close(connection);
}

static void close_all(struct cvg_link *list)
{
    while (!cvg_list_empty(list))
        cvg_connection_close(CVG_CONTAINER_OF(list->next, struct cvg_connection, link));
}

enum cvg_error cvg_connections_init(struct cvg_worker *worker)
{
    return cvg_front_new(&worker->loop, on_handshake, on_request, &worker->front);
}

/* Who has come but has not asked yet would be refused: they have a moment to do so. */
static void hurry(struct cvg_link *list)
{
    struct cvg_link *next = NULL;
    for (struct cvg_link *link = list->next; link != list; link = next) {
        struct cvg_connection *connection = CVG_CONTAINER_OF(link, struct cvg_connection, link);
        next = link->next;
        if (connection->asked)
            cvg_connection_close(connection);
        else
            cvg_connection_deadline(connection, cvg_connection_idle_ms(connection));
    }
}

void cvg_connections_drain(struct cvg_worker *worker)
{
    hurry(&worker->front->shaking);
    hurry(&worker->front->idle);
}

void cvg_connections_close(struct cvg_worker *worker)
{
    if (worker->front == NULL)
        return;
    close_all(&worker->front->shaking);
    close_all(&worker->front->idle);
    close_all(&worker->front->busy);
    close_all(&worker->front->guests);
}
