/* SPDX-License-Identifier: MIT */
/* One client's connection: its states, and the time each may take. Reading stops while a request is
 * worked on, so a client holds at most one request and what one read brought. */
#include "notary/connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "notary/query.h"
#include "notary/tls-stream.h"

#define LINGER_MS  2000
#define PLAIN_MAX  32768
#define ANSWER_MAX (CVG_V2_ANSWER_MAX + 4096)

enum state { HANDSHAKE = 0, READING, WORKING, WRITING, LINGERING, CLOSED };

struct cvg_connection {
    uv_timer_t timer;     /* first: casts */
    struct cvg_link link; /* among the server's */
    struct cvg_worker *worker;
    struct cvg_budget_client *client;
    struct cvg_tls_stream *stream;
    enum state state;
    bool processing; /* on the stack: answers must not recurse into it */
    bool last;       /* close after this answer */
    struct cvg_http *http;
    struct cvg_query *query;
    struct cvg_buffer plain; /* decrypted octets that belong to the next request */
};

static void freed(uv_handle_t *handle)
{
    struct cvg_connection *connection = (struct cvg_connection *)(void *)handle;
    cvg_http_free(connection->http);
    cvg_buffer_free(&connection->plain);
    free(connection);
}

static void close_connection(struct cvg_connection *connection)
{
    struct cvg_worker *worker = connection->worker;
    if (connection->state == CLOSED)
        return;
    connection->state = CLOSED;
    cvg_query_cancel(connection->query);
    connection->query = NULL;
    cvg_tls_stream_close(connection->stream);
    connection->stream = NULL;
    cvg_list_remove(&connection->link);
    worker->connection_count--;
    if (connection->client != NULL)
        cvg_budget_leave(worker->budget, connection->client);
    uv_close((uv_handle_t *)&connection->timer, freed);
    cvg_worker_left(worker);
}

static void timed_out(uv_timer_t *timer)
{
    close_connection((struct cvg_connection *)(void *)timer);
}

static void set_timer(struct cvg_connection *connection, uint64_t ms)
{
    uv_timer_start(&connection->timer, timed_out, ms, 0);
}

/* An answer is out. After the last one the peer closes first, so that what it still sends does not
 * reset the connection before it has read the answer. */
static void answer_sent(struct cvg_connection *connection)
{
    if (connection->last) {
        connection->state = LINGERING;
        set_timer(connection, LINGER_MS);
        if (cvg_tls_stream_finish(connection->stream) != CVG_OK)
            close_connection(connection);
        return;
    }
    connection->state = READING;
    set_timer(connection, connection->worker->settings.idle_timeout_ms);
    cvg_http_next(connection->http);
}

static bool handshake(struct cvg_connection *connection)
{
    enum cvg_tls_state state = cvg_tls_stream_handshake(connection->stream);
    if (state == CVG_TLS_ENDED) {
        close_connection(connection);
    } else if (state == CVG_TLS_DONE) {
        connection->state = READING;
        set_timer(connection, connection->worker->settings.idle_timeout_ms);
    }
    return state == CVG_TLS_DONE;
}

/* The next decrypted octets; false: there are none now. */
static bool decrypt(struct cvg_connection *connection)
{
    enum cvg_tls_state state = cvg_tls_stream_read(connection->stream, &connection->plain);
    if (state == CVG_TLS_ENDED)
        close_connection(connection);
    return state == CVG_TLS_DONE;
}

static void begin_work(struct cvg_connection *connection)
{
    connection->state = WORKING;
    uv_timer_stop(&connection->timer);
    cvg_list_remove(&connection->link);
    cvg_list_push(&connection->worker->connections, &connection->link);
    struct cvg_query *query =
        cvg_query_start(connection->worker, connection, cvg_http_request(connection->http));
    if (query != NULL)
        connection->query = query;
}

static void refuse(struct cvg_connection *connection)
{
    unsigned status = cvg_http_problem(connection->http);
    const char *phrase = cvg_http_phrase(status);
    connection->state = WORKING;
    connection->last = true;
    cvg_connection_answer(connection, status, "text/plain", phrase, strlen(phrase));
}

/* Lets a client send the body that it holds back. */
static void invite(struct cvg_connection *connection)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    enum cvg_error err = cvg_tls_stream_send(connection->stream, go_on, sizeof(go_on) - 1, false);
    if (err != CVG_OK && err != CVG_ERR_BUSY)
        close_connection(connection);
    else
        set_timer(connection, connection->worker->settings.client_timeout_ms);
}

/* Feeds decrypted octets to the HTTP parser. */
static void parse(struct cvg_connection *connection)
{
    struct cvg_buffer *plain = &connection->plain;
    bool begun = cvg_http_begun(connection->http);
    size_t taken = 0;
    enum cvg_http_state state = cvg_http_feed(connection->http, plain->data, plain->len, &taken);
    memmove(plain->data, plain->data + taken, plain->len - taken);
    plain->len -= taken;
    if (plain->len == 0)
        cvg_buffer_free(plain);
    if (state == CVG_HTTP_COMPLETE)
        begin_work(connection);
    else if (state == CVG_HTTP_BAD)
        refuse(connection);
    else if (cvg_http_expects(connection->http))
        invite(connection);
    else if (!begun && cvg_http_begun(connection->http))
        set_timer(connection, connection->worker->settings.client_timeout_ms);
}

/* Does what can be done with what has been received. */
static void process(struct cvg_connection *connection)
{
    connection->processing = true;
    if (connection->state != HANDSHAKE || handshake(connection))
        while (connection->state == READING && (connection->plain.len > 0 || decrypt(connection)))
            parse(connection);
    connection->processing = false;
    if (connection->state == WORKING || connection->state == WRITING)
        cvg_tls_stream_pause(connection->stream);
    else if (connection->state != CLOSED && cvg_tls_stream_resume(connection->stream) != CVG_OK)
        close_connection(connection);
}

static void answer(struct cvg_connection *connection, unsigned status, unsigned retry_after_s,
                   const char *content_type, const void *body, size_t body_len)
{
    const struct cvg_http_request *request = cvg_http_request(connection->http);
    struct cvg_buffer octets;
    connection->query = NULL;
    if (!request->keep_alive || connection->worker->draining)
        connection->last = true;
    cvg_buffer_init(&octets, ANSWER_MAX);
    connection->state = WRITING;
    set_timer(connection, connection->worker->settings.client_timeout_ms);
    enum cvg_error err = cvg_http_head(status, request->http_1_0, !connection->last, content_type,
                                       body_len, retry_after_s, &octets);
    if (err == CVG_OK && request->method != CVG_HTTP_HEAD)
        err = cvg_buffer_put(&octets, body, body_len);
    if (err == CVG_OK)
        err = cvg_tls_stream_send(connection->stream, octets.data, octets.len, connection->last);
    cvg_buffer_free(&octets);
    if (err == CVG_OK)
        answer_sent(connection);
    else if (err != CVG_ERR_BUSY)
        close_connection(connection);
    if (connection->state == READING && !connection->processing)
        process(connection);
}

void cvg_connection_answer(struct cvg_connection *connection, unsigned status,
                           const char *content_type, const void *body, size_t body_len)
{
    answer(connection, status, 0, content_type, body, body_len);
}

void cvg_connection_answer_blob(struct cvg_connection *connection, unsigned status,
                                const char *content_type, const struct cvg_blob *body)
{
    answer(connection, status, 0, content_type, body->octets, body->len);
}

void cvg_connection_decline(struct cvg_connection *connection, unsigned status,
                            unsigned retry_after_s)
{
    char body[128];
    int len = snprintf(body, sizeof(body), "<html><body>%u %s</body></html>\n", status,
                       cvg_http_phrase(status));
    answer(connection, status, retry_after_s, "text/html", body, (size_t)len);
}

struct cvg_budget_client *cvg_connection_client(const struct cvg_connection *connection)
{
    return connection->client;
}

static void on_readable(void *user)
{
    process(user);
}

static void on_written(void *user)
{
    struct cvg_connection *connection = user;
    if (connection->state != WRITING)
        return;
    answer_sent(connection);
    if (connection->state == READING)
        process(connection);
}

static void on_ended(void *user)
{
    close_connection(user);
}

static const struct cvg_tls_stream_events events = {
    .readable = on_readable,
    .written = on_written,
    .ended = on_ended,
};

static bool is_idle(const struct cvg_connection *connection)
{
    return connection->state == READING && !cvg_http_begun(connection->http);
}

/* Makes room for a new connection where the least recently active one is idle. */
static bool make_room(struct cvg_worker *worker)
{
    struct cvg_link *link = worker->connections.next;
    if (worker->connection_count < worker->settings.max_connections)
        return true;
    for (; link != &worker->connections; link = link->next) {
        struct cvg_connection *connection = CVG_CONTAINER_OF(link, struct cvg_connection, link);
        if (is_idle(connection)) {
            close_connection(connection);
            return true;
        }
    }
    return false;
}

static enum cvg_error enter(struct cvg_connection *connection)
{
    struct cvg_address peer;
    enum cvg_error err = cvg_tls_stream_peer(connection->stream, &peer);
    if (err == CVG_OK)
        err = cvg_budget_enter(connection->worker->budget, &peer, uv_now(&connection->worker->loop),
                               &connection->client);
    if (err == CVG_OK)
        err = cvg_http_new(&connection->http);
    if (err == CVG_OK)
        err = cvg_tls_stream_resume(connection->stream);
    return err;
}

void cvg_connection_accept(struct cvg_worker *worker, int fd)
{
    struct cvg_connection *connection = calloc(1, sizeof(*connection));
    uv_buf_t scratch = uv_buf_init(worker->received, sizeof(worker->received));
    bool room = make_room(worker);
    if (connection == NULL) {
        close(fd);
        return;
    }
    if (cvg_tls_stream_new(&worker->loop, fd, worker->identity->tls, scratch, &events, connection,
                           &connection->stream) != CVG_OK) {
        free(connection);
        return;
    }
    connection->worker = worker;
    cvg_buffer_init(&connection->plain, PLAIN_MAX);
    uv_timer_init(&worker->loop, &connection->timer);
    cvg_list_push(&worker->connections, &connection->link);
    worker->connection_count++;
    set_timer(connection, worker->settings.client_timeout_ms);
    if (!room || enter(connection) != CVG_OK)
        close_connection(connection);
}

void cvg_connections_drain(struct cvg_worker *worker)
{
    struct cvg_link *link = worker->connections.next;
    while (link != &worker->connections) {
        struct cvg_connection *connection = CVG_CONTAINER_OF(link, struct cvg_connection, link);
        link = link->next;
        if (connection->state == HANDSHAKE || is_idle(connection))
            close_connection(connection);
    }
}

void cvg_connections_close(struct cvg_worker *worker)
{
    while (!cvg_list_empty(&worker->connections))
        close_connection(CVG_CONTAINER_OF(worker->connections.next, struct cvg_connection, link));
}
