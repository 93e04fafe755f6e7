/* SPDX-License-Identifier: MIT */
/* One client's connection: its states, and the time each may take. Reading stops while a request is
 * worked on or an answer is not taken, so a client holds at most one request, what one read
 * brought, and one answer. */
#include "notary/connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "notary/front.h"
#include "notary/query.h"
#include "notary/reply.h"

#define LINGER_MS    2000
#define SHAKING_MS   1000 /* so long a handshake is left alone when there is no room */
#define REQUESTS_MAX 16   /* of one client at a time */
#define NEVER        UINT64_MAX

enum state { HANDSHAKE = 0, READING, WORKING, WRITING, LINGERING, CLOSED };

struct cvg_connection {
    uv_timer_t timer;     /* first: casts. Wakes at or before the deadline */
    struct cvg_link link; /* among the front's */
    struct cvg_link turn; /* in one of the front's queues, or alone */
    struct cvg_worker *worker;
    struct cvg_front *front;
    struct cvg_budget_client *client;
    struct cvg_tls_stream *stream;
    enum state state;
    bool processing; /* on the stack: answers must not recurse into it */
    bool last;       /* close after this answer */
    bool ended;      /* TLS has said that nothing more comes */
    uint64_t begun_ms;
    uint64_t deadline_ms;
    struct cvg_http *http; /* NULL between requests */
    struct cvg_query *query;
    struct cvg_buffer plain; /* decrypted octets that belong to the next request */
    struct cvg_reply reply;
};

static void freed(uv_handle_t *handle)
{
    struct cvg_connection *connection = (struct cvg_connection *)(void *)handle;
    cvg_buffer_free(&connection->plain);
    cvg_reply_drop(&connection->reply);
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
    cvg_front_give_http(connection->front, connection->http);
    connection->http = NULL;
    cvg_tls_stream_close(connection->stream);
    connection->stream = NULL;
    cvg_list_remove(&connection->link);
    cvg_list_remove(&connection->turn);
    if (connection->client != NULL)
        cvg_budget_leave(worker->budget, connection->client);
    uv_close((uv_handle_t *)&connection->timer, freed);
    cvg_worker_connection_went(worker);
}

static void on_timer(uv_timer_t *timer)
{
    struct cvg_connection *connection = (struct cvg_connection *)(void *)timer;
    uint64_t now = uv_now(timer->loop);
    if (now >= connection->deadline_ms)
        close_connection(connection);
    else if (connection->deadline_ms != NEVER)
        uv_timer_start(timer, on_timer, connection->deadline_ms - now, 0);
}

/* Moves the deadline. The timer is only touched where it would come too late: most deadlines are
 * moved on before they come. */
static void set_deadline(struct cvg_connection *connection, uint64_t ms)
{
    uv_timer_t *timer = &connection->timer;
    connection->deadline_ms = uv_now(timer->loop) + ms;
    if (!uv_is_active((uv_handle_t *)timer) || uv_timer_get_due_in(timer) > ms)
        uv_timer_start(timer, on_timer, ms, 0);
}

static void move_to(struct cvg_connection *connection, struct cvg_link *list)
{
    cvg_list_remove(&connection->link);
    cvg_list_push(list, &connection->link);
}

static uint64_t client_timeout_ms(const struct cvg_connection *connection)
{
    return connection->worker->settings.client_timeout_ms;
}

static void begin_work(struct cvg_connection *connection)
{
    connection->state = WORKING;
    connection->deadline_ms = NEVER;
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
    if (cvg_tls_stream_write(connection->stream, go_on, sizeof(go_on) - 1) != CVG_OK)
        close_connection(connection);
}

/* The next decrypted octets; false: there are none now. */
static bool next_octets(struct cvg_connection *connection, const uint8_t **ret_data,
                        size_t *ret_len)
{
    if (connection->plain.len > 0) {
        *ret_data = connection->plain.data;
        *ret_len = connection->plain.len;
        return true;
    }
    enum cvg_tls_state state = cvg_tls_stream_read(connection->stream, ret_data, ret_len);
    if (state == CVG_TLS_ENDED)
        close_connection(connection);
    return state == CVG_TLS_DONE;
}

/* Keeps octets that belong to the next request. */
static bool keep_rest(struct cvg_connection *connection, const uint8_t *data, size_t len)
{
    struct cvg_buffer *plain = &connection->plain;
    if (plain->len > 0) {
        memmove(plain->data, data, len);
        plain->len = len;
    } else if (cvg_buffer_put(plain, data, len) != CVG_OK) {
        return false;
    }
    if (len == 0)
        cvg_buffer_free(plain);
    return true;
}

/* Feeds decrypted octets to the HTTP parser; true: there may be more to do. */
static bool parse(struct cvg_connection *connection)
{
    const uint8_t *data = NULL;
    size_t len = 0, taken = 0;
    if (!next_octets(connection, &data, &len))
        return false;
    if (connection->http == NULL) {
        connection->http = cvg_front_take_http(connection->front);
        set_deadline(connection, client_timeout_ms(connection));
    }
    enum cvg_http_state state = connection->http == NULL
                                    ? CVG_HTTP_BAD
                                    : cvg_http_feed(connection->http, data, len, &taken);
    if (connection->http == NULL || !keep_rest(connection, data + taken, len - taken)) {
        close_connection(connection);
        return false;
    }
    if (state == CVG_HTTP_COMPLETE)
        begin_work(connection);
    else if (state == CVG_HTTP_BAD)
        refuse(connection);
    else if (cvg_http_expects(connection->http))
        invite(connection);
    return true;
}

static void next_request(struct cvg_connection *connection)
{
    connection->state = READING;
    cvg_front_give_http(connection->front, connection->http);
    connection->http = NULL;
}

/* Goes on with an answer; true: there may be more to do. */
static bool write_on(struct cvg_connection *connection)
{
    if (!cvg_reply_done(&connection->reply)) {
        if (cvg_reply_go_on(&connection->reply, connection->stream) != CVG_OK)
            close_connection(connection);
    } else if (!connection->last) {
        next_request(connection);
    } else if (!connection->ended) {
        connection->ended = true;
        cvg_tls_stream_write_end(connection->stream);
    } else {
        return false;
    }
    return true;
}

/* One step; false: nothing can be done now. */
static bool advance(struct cvg_connection *connection, unsigned *requests)
{
    if (connection->state == CLOSED || cvg_tls_stream_blocked(connection->stream))
        return false;
    if (connection->state == WRITING)
        return write_on(connection);
    if (connection->state != READING)
        return false;
    if (connection->http == NULL && ++*requests > REQUESTS_MAX) {
        cvg_turns_wait(connection->front->requests, &connection->turn);
        return false;
    }
    return parse(connection);
}

/* After the last answer the peer closes first, so that what it still sends does not reset the
 * connection before it has read the answer. */
static void linger(struct cvg_connection *connection)
{
    connection->state = LINGERING;
    set_deadline(connection, LINGER_MS);
    if (cvg_tls_stream_finish(connection->stream) != CVG_OK)
        close_connection(connection);
}

/* Reads on where there is nothing else to do. */
static void listen_on(struct cvg_connection *connection)
{
    bool wants = (connection->state == READING && cvg_list_empty(&connection->turn) &&
                  !cvg_tls_stream_blocked(connection->stream)) ||
                 connection->state == LINGERING;
    if (!wants)
        cvg_tls_stream_pause(connection->stream);
    else if (cvg_tls_stream_resume(connection->stream) != CVG_OK)
        close_connection(connection);
}

/* Does what can be done with what has been received and what the peer takes. */
static void process(struct cvg_connection *connection)
{
    unsigned requests = 0;
    if (!cvg_list_empty(&connection->turn))
        return;
    connection->processing = true;
    while (advance(connection, &requests))
        ;
    connection->processing = false;
    if (connection->state == CLOSED || connection->state == LINGERING)
        return;
    enum cvg_error err = cvg_tls_stream_flush(connection->stream);
    if (err == CVG_ERR_IO) {
        close_connection(connection);
        return;
    }
    if (err == CVG_OK && connection->ended) {
        linger(connection);
    } else if (err == CVG_OK && connection->state == READING && connection->http == NULL) {
        move_to(connection, &connection->front->idle);
        set_deadline(connection, connection->worker->settings.idle_timeout_ms);
    } else {
        move_to(connection, &connection->front->busy);
    }
    if (connection->state != CLOSED)
        listen_on(connection);
}

/* blob: the body's, where it has one that may be shared. */
static void answer(struct cvg_connection *connection, unsigned status, unsigned retry_after_s,
                   const char *content_type, const void *body, size_t body_len,
                   struct cvg_blob *blob)
{
    const struct cvg_http_request *request = cvg_http_request(connection->http);
    struct cvg_buffer *text = &connection->front->text;
    connection->query = NULL;
    if (!request->keep_alive || connection->worker->draining)
        connection->last = true;
    connection->state = WRITING;
    set_deadline(connection, client_timeout_ms(connection));
    cvg_buffer_clear(text);
    enum cvg_error err = cvg_http_head(status, request->http_1_0, !connection->last, content_type,
                                       body_len, retry_after_s, text);
    if (request->method == CVG_HTTP_HEAD)
        body_len = 0;
    if (err == CVG_OK)
        err = cvg_reply_begin(&connection->reply, connection->stream, text, body, body_len, blob);
    if (err != CVG_OK)
        close_connection(connection);
    else if (!connection->processing)
        process(connection);
}

void cvg_connection_answer(struct cvg_connection *connection, unsigned status,
                           const char *content_type, const void *body, size_t body_len)
{
    answer(connection, status, 0, content_type, body, body_len, NULL);
}

void cvg_connection_answer_blob(struct cvg_connection *connection, unsigned status,
                                const char *content_type, struct cvg_blob *body)
{
    answer(connection, status, 0, content_type, body->octets, body->len, body);
}

void cvg_connection_decline(struct cvg_connection *connection, unsigned status,
                            unsigned retry_after_s)
{
    char body[128];
    int len = snprintf(body, sizeof(body), "<html><body>%u %s</body></html>\n", status,
                       cvg_http_phrase(status));
    answer(connection, status, retry_after_s, "text/html", body, (size_t)len, NULL);
}

struct cvg_budget_client *cvg_connection_client(const struct cvg_connection *connection)
{
    return connection->client;
}

static void on_handshake(struct cvg_link *link)
{
    struct cvg_connection *connection = CVG_CONTAINER_OF(link, struct cvg_connection, turn);
    enum cvg_tls_state state = cvg_tls_stream_handshake(connection->stream);
    if (state == CVG_TLS_DONE) {
        connection->state = READING;
        process(connection);
        return;
    }
    enum cvg_error err = cvg_tls_stream_flush(connection->stream);
    if (state == CVG_TLS_ENDED || err == CVG_ERR_IO ||
        cvg_tls_stream_resume(connection->stream) != CVG_OK)
        close_connection(connection);
}

static void on_request(struct cvg_link *link)
{
    process(CVG_CONTAINER_OF(link, struct cvg_connection, turn));
}

static void on_readable(void *user)
{
    struct cvg_connection *connection = user;
    if (connection->state != HANDSHAKE) {
        process(connection);
        return;
    }
    cvg_tls_stream_pause(connection->stream);
    cvg_turns_wait(connection->front->handshakes, &connection->turn);
}

static void on_written(void *user)
{
    struct cvg_connection *connection = user;
    if (connection->state != HANDSHAKE)
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

/* Makes room for a new connection where another has been idle for long, or is slow to begin. */
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
        close_connection(oldest);
    return oldest != NULL;
}

/* What a connection needs before its first octet is read. */
static enum cvg_error enter(struct cvg_connection *connection)
{
    struct cvg_worker *worker = connection->worker;
    struct cvg_address peer;
    enum cvg_error err = cvg_tls_stream_peer(connection->stream, &peer);
    if (err == CVG_OK)
        err = cvg_budget_enter(worker->budget, &peer, uv_now(&worker->loop), &connection->client);
    if (err == CVG_OK)
        err = cvg_tls_stream_resume(connection->stream);
    return err;
}

void cvg_connection_accept(struct cvg_worker *worker, int fd)
{
    bool room = make_room(worker);
    struct cvg_connection *connection = room ? calloc(1, sizeof(*connection)) : NULL;
    if (connection == NULL) {
        close(fd);
        return;
    }
    if (cvg_tls_stream_new(&worker->loop, fd, worker->identity->tls, worker->front->tls, &events,
                           connection, &connection->stream) != CVG_OK) {
        free(connection);
        return;
    }
    connection->worker = worker;
    connection->front = worker->front;
    connection->begun_ms = uv_now(&worker->loop);
    cvg_buffer_init(&connection->plain, CVG_TLS_RECORD_MAX);
    cvg_list_init(&connection->turn);
    cvg_list_push(&worker->front->shaking, &connection->link);
    cvg_worker_connection_came(worker);
    uv_timer_init(&worker->loop, &connection->timer);
    set_deadline(connection, worker->settings.client_timeout_ms);
    if (enter(connection) != CVG_OK)
        close_connection(connection);
}

static void close_all(struct cvg_link *list)
{
    while (!cvg_list_empty(list))
        close_connection(CVG_CONTAINER_OF(list->next, struct cvg_connection, link));
}

enum cvg_error cvg_connections_init(struct cvg_worker *worker)
{
    return cvg_front_new(&worker->loop, on_handshake, on_request, &worker->front);
}

void cvg_connections_drain(struct cvg_worker *worker)
{
    close_all(&worker->front->shaking);
    close_all(&worker->front->idle);
}

void cvg_connections_close(struct cvg_worker *worker)
{
    if (worker->front == NULL)
        return;
    cvg_connections_drain(worker);
    close_all(&worker->front->busy);
}
