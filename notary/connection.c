/* SPDX-License-Identifier: MIT */
/* One client's TLS connection, on memory BIOs between libuv and OpenSSL. Reading stops while a
 * request is worked on, so a client holds at most one request and what one read brought. */
#include "notary/connection.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "notary/query.h"

#define LINGER_MS  2000
#define PLAIN_MAX  16384
#define ANSWER_MAX (CVG_V2_ANSWER_MAX + 4096)

enum state { HANDSHAKE = 0, READING, WORKING, WRITING, LINGERING, CLOSED };

struct cvg_connection {
    uv_tcp_t tcp; /* first: casts */
    uv_timer_t timer;
    struct cvg_link link; /* among the server's */
    struct cvg_server *server;
    struct cvg_budget_client *client;
    enum state state;
    bool reading;    /* the socket is being read */
    bool processing; /* on the stack: answers must not recurse into it */
    bool last;       /* close after this answer */
    unsigned open_handles;
    SSL *ssl;
    BIO *in, *out;
    struct cvg_http *http;
    struct cvg_query *query;
    struct cvg_buffer plain; /* decrypted octets that belong to the next request */
};

struct write {
    uv_write_t request;
    struct cvg_connection *connection;
    char data[];
};

static struct cvg_connection *connection_of(uv_stream_t *stream)
{
    return (struct cvg_connection *)(void *)stream;
}

static void handle_closed(uv_handle_t *handle)
{
    struct cvg_connection *connection = handle->data;
    if (--connection->open_handles > 0)
        return;
    SSL_free(connection->ssl);
    cvg_http_free(connection->http);
    cvg_buffer_free(&connection->plain);
    free(connection);
}

static void close_connection(struct cvg_connection *connection)
{
    struct cvg_server *server = connection->server;
    if (connection->state == CLOSED)
        return;
    connection->state = CLOSED;
    cvg_query_cancel(connection->query);
    connection->query = NULL;
    cvg_list_remove(&connection->link);
    server->connection_count--;
    if (connection->client != NULL)
        cvg_budget_leave(server->budget, connection->client);
    uv_close((uv_handle_t *)&connection->tcp, handle_closed);
    uv_close((uv_handle_t *)&connection->timer, handle_closed);
    cvg_server_left(server);
}

static void timed_out(uv_timer_t *timer)
{
    close_connection(timer->data);
}

static void set_timer(struct cvg_connection *connection, uint64_t ms)
{
    uv_timer_start(&connection->timer, timed_out, ms, 0);
}

static void process(struct cvg_connection *connection);
static void start_reading(struct cvg_connection *connection);

/* Our side is said; wait for the peer to close, so that what it still sends does not reset the
 * connection before it has read the answer. */
static void linger(struct cvg_connection *connection)
{
    connection->state = LINGERING;
    set_timer(connection, LINGER_MS);
    int fd = -1;
    if (uv_fileno((uv_handle_t *)&connection->tcp, &fd) == 0)
        (void)shutdown(fd, SHUT_WR);
    start_reading(connection);
}

/* All octets of an answer, or of the handshake's flight, are out. */
static void written(struct cvg_connection *connection)
{
    if (connection->state != WRITING)
        return;
    if (connection->last) {
        linger(connection);
        return;
    }
    connection->state = READING;
    set_timer(connection, connection->server->settings.idle_timeout_ms);
    cvg_http_next(connection->http);
    if (!connection->processing)
        process(connection);
}

static void wrote(uv_write_t *request, int status)
{
    struct write *write = request->data;
    struct cvg_connection *connection = write->connection;
    free(write);
    if (status < 0)
        close_connection(connection);
    else if (uv_stream_get_write_queue_size((uv_stream_t *)&connection->tcp) == 0)
        written(connection);
}

/* Hands the rest of what TLS produced to libuv. */
static bool queue(struct cvg_connection *connection, const char *data, size_t len)
{
    struct write *write = malloc(sizeof(*write) + len);
    if (write == NULL)
        return false;
    memcpy(write->data, data, len);
    write->connection = connection;
    write->request.data = write;
    uv_buf_t buf = uv_buf_init(write->data, (unsigned)len);
    if (uv_write(&write->request, (uv_stream_t *)&connection->tcp, &buf, 1, wrote) == 0)
        return true;
    free(write);
    return false;
}

/* Sends what TLS has produced. */
static void flush(struct cvg_connection *connection)
{
    char *data = NULL;
    long len = BIO_get_mem_data(connection->out, &data);
    if (connection->state == CLOSED)
        return;
    if (len > 0) {
        uv_buf_t buf = uv_buf_init(data, (unsigned)len);
        int sent = uv_try_write((uv_stream_t *)&connection->tcp, &buf, 1);
        if (sent < 0 && sent != UV_EAGAIN) {
            close_connection(connection);
            return;
        }
        size_t done = sent < 0 ? 0 : (size_t)sent;
        bool queued = done < (size_t)len;
        if (queued && !queue(connection, data + done, (size_t)len - done)) {
            close_connection(connection);
            return;
        }
        (void)BIO_reset(connection->out);
        if (queued)
            return;
    }
    written(connection);
}

static void allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct cvg_connection *connection = handle->data;
    (void)suggested;
    *buf = uv_buf_init(connection->server->received, sizeof(connection->server->received));
}

static void received(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct cvg_connection *connection = connection_of(stream);
    if (len < 0) {
        close_connection(connection);
        return;
    }
    if (len == 0 || connection->state == LINGERING)
        return;
    if (BIO_write(connection->in, buf->base, (int)len) != (int)len) {
        close_connection(connection);
        return;
    }
    process(connection);
}

static void start_reading(struct cvg_connection *connection)
{
    if (connection->reading)
        return;
    connection->reading = true;
    if (uv_read_start((uv_stream_t *)&connection->tcp, allocate, received) != 0)
        close_connection(connection);
}

static void stop_reading(struct cvg_connection *connection)
{
    if (connection->reading && connection->state != CLOSED)
        uv_read_stop((uv_stream_t *)&connection->tcp);
    connection->reading = false;
}

/* One step of the handshake: true once it is complete. */
static bool handshake(struct cvg_connection *connection)
{
    ERR_clear_error();
    int result = SSL_accept(connection->ssl);
    int reason = SSL_get_error(connection->ssl, result);
    ERR_clear_error();
    flush(connection);
    if (connection->state == CLOSED)
        return false;
    if (result == 1) {
        connection->state = READING;
        set_timer(connection, connection->server->settings.idle_timeout_ms);
        return true;
    }
    if (reason != SSL_ERROR_WANT_READ)
        close_connection(connection);
    return false;
}

/* The next decrypted octets; false: there are none now. */
static bool decrypt(struct cvg_connection *connection)
{
    uint8_t data[PLAIN_MAX];
    ERR_clear_error();
    int len = SSL_read(connection->ssl, data, sizeof(data));
    int reason = SSL_get_error(connection->ssl, len);
    ERR_clear_error();
    if (len > 0 && cvg_buffer_put(&connection->plain, data, (size_t)len) == CVG_OK)
        return true;
    if (len > 0 || reason != SSL_ERROR_WANT_READ)
        close_connection(connection);
    return false;
}

static void begin_work(struct cvg_connection *connection)
{
    connection->state = WORKING;
    uv_timer_stop(&connection->timer);
    cvg_list_remove(&connection->link);
    cvg_list_push(&connection->server->connections, &connection->link);
    struct cvg_query *query =
        cvg_query_start(connection->server, connection, cvg_http_request(connection->http));
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
    else if (!begun && cvg_http_begun(connection->http))
        set_timer(connection, connection->server->settings.client_timeout_ms);
}

/* Does what can be done with what has been received. */
static void process(struct cvg_connection *connection)
{
    connection->processing = true;
    if (connection->state == HANDSHAKE && !handshake(connection))
        goto out;
    while (connection->state == READING && (connection->plain.len > 0 || decrypt(connection)))
        parse(connection);
out:
    connection->processing = false;
    if (connection->state == READING || connection->state == HANDSHAKE)
        start_reading(connection);
    else if (connection->state == WORKING || connection->state == WRITING)
        stop_reading(connection);
}

void cvg_connection_answer(struct cvg_connection *connection, unsigned status,
                           const char *content_type, const void *body, size_t body_len)
{
    const struct cvg_http_request *request = cvg_http_request(connection->http);
    struct cvg_buffer answer;
    connection->query = NULL;
    if (!request->keep_alive || connection->server->draining)
        connection->last = true;
    cvg_buffer_init(&answer, ANSWER_MAX);
    connection->state = WRITING;
    set_timer(connection, connection->server->settings.client_timeout_ms);
    if (cvg_http_head(status, request->http_1_0, !connection->last, content_type, body_len,
                      &answer) != CVG_OK ||
        cvg_buffer_put(&answer, body, body_len) != CVG_OK ||
        SSL_write(connection->ssl, answer.data, (int)answer.len) != (int)answer.len) {
        ERR_clear_error();
        close_connection(connection);
    } else {
        if (connection->last)
            (void)SSL_shutdown(connection->ssl);
        flush(connection);
    }
    cvg_buffer_free(&answer);
}

struct cvg_budget_client *cvg_connection_client(const struct cvg_connection *connection)
{
    return connection->client;
}

/* Makes room for a new connection where the least recently active one is idle. */
static bool make_room(struct cvg_server *server)
{
    struct cvg_link *link = server->connections.next;
    if (server->connection_count < server->settings.max_connections)
        return true;
    for (; link != &server->connections; link = link->next) {
        struct cvg_connection *connection = CVG_CONTAINER_OF(link, struct cvg_connection, link);
        if (connection->state == READING && !cvg_http_begun(connection->http)) {
            close_connection(connection);
            return true;
        }
    }
    return false;
}

static enum cvg_error make_tls(struct cvg_connection *connection)
{
    connection->ssl = SSL_new(connection->server->identity->tls);
    connection->in = BIO_new(BIO_s_mem());
    connection->out = BIO_new(BIO_s_mem());
    if (connection->ssl == NULL || connection->in == NULL || connection->out == NULL) {
        BIO_free(connection->in);
        BIO_free(connection->out);
        return CVG_ERR_NOMEM;
    }
    BIO_set_mem_eof_return(connection->in, -1);
    SSL_set_bio(connection->ssl, connection->in, connection->out);
    SSL_set_accept_state(connection->ssl);
    return cvg_http_new(&connection->http);
}

static enum cvg_error enter(struct cvg_connection *connection)
{
    struct sockaddr_storage peer;
    struct cvg_address address;
    int len = sizeof(peer);
    if (uv_tcp_getpeername(&connection->tcp, (struct sockaddr *)&peer, &len) != 0)
        return CVG_ERR_IO;
    enum cvg_error err = cvg_address_of((struct sockaddr *)&peer, &address);
    if (err == CVG_OK)
        err = cvg_budget_enter(connection->server->budget, &address,
                               uv_now(&connection->server->loop), &connection->client);
    return err;
}

void cvg_connection_accept(struct cvg_server *server, uv_stream_t *listener)
{
    struct cvg_connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL)
        return;
    bool room = make_room(server);
    connection->server = server;
    connection->open_handles = 2;
    uv_tcp_init(&server->loop, &connection->tcp);
    uv_timer_init(&server->loop, &connection->timer);
    connection->tcp.data = connection->timer.data = connection;
    cvg_buffer_init(&connection->plain, 2 * PLAIN_MAX);
    cvg_list_push(&server->connections, &connection->link);
    server->connection_count++;
    if (uv_accept(listener, (uv_stream_t *)&connection->tcp) != 0 || !room ||
        enter(connection) != CVG_OK || make_tls(connection) != CVG_OK) {
        close_connection(connection);
        return;
    }
    uv_tcp_nodelay(&connection->tcp, 1);
    set_timer(connection, server->settings.client_timeout_ms);
    start_reading(connection);
}

void cvg_connections_drain(struct cvg_server *server)
{
    struct cvg_link *link = server->connections.next;
    while (link != &server->connections) {
        struct cvg_connection *connection = CVG_CONTAINER_OF(link, struct cvg_connection, link);
        link = link->next;
        if (connection->state == HANDSHAKE ||
            (connection->state == READING && !cvg_http_begun(connection->http)))
            close_connection(connection);
    }
}

void cvg_connections_close(struct cvg_server *server)
{
    while (!cvg_list_empty(&server->connections))
        close_connection(CVG_CONTAINER_OF(server->connections.next, struct cvg_connection, link));
}
