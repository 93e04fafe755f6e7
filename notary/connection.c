/* SPDX-License-Identifier: MIT */
/* One client's connection: requests, answers, and the time each may take. Reading stops while a
 * request is worked on or an answer is not taken, so a client holds at most one request, what one
 * read brought, and one answer. */
#include "notary/connection-parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "notary/query.h"

#define LINGER_MS    2000
#define DRAINING_MS  2000 /* how long who came before the end may take to ask */
#define REQUESTS_MAX 16   /* of one client at a time */
#define NEVER        UINT64_MAX

static void freed(uv_handle_t *handle)
{
    struct cvg_connection *connection = (struct cvg_connection *)(void *)handle;
    cvg_buffer_free(&connection->plain);
    cvg_reply_drop(&connection->reply);
    free(connection);
}

void cvg_connection_close(struct cvg_connection *connection)
{
    struct cvg_worker *worker = connection->worker;
    if (connection->state == CVG_CONNECTION_CLOSED)
        return;
    if (connection->state == CVG_CONNECTION_HANDSHAKE)
        cvg_connection_count(connection, CVG_METRIC_HANDSHAKES_FAILED, 1);
    cvg_connection_count(connection, CVG_METRIC_CONNECTIONS_OPEN, -1);
    connection->state = CVG_CONNECTION_CLOSED;
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
    if (connection->guest != 0)
        cvg_guest_leave(&worker->shared->guests);
    else
        cvg_worker_connection_went(worker);
}

/* Who has begun a request is told; everybody else knows. */
static void give_up(struct cvg_connection *connection)
{
    if (connection->state == CVG_CONNECTION_READING && connection->http != NULL &&
        cvg_http_begun(connection->http) && !cvg_tls_stream_blocked(connection->stream)) {
        connection->last = true;
        cvg_connection_decline(connection, 408, 0);
    } else {
        cvg_connection_close(connection);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct cvg_connection *connection = (struct cvg_connection *)(void *)timer;
    uint64_t now = uv_now(timer->loop);
    if (now >= connection->deadline_ms)
        give_up(connection);
    else if (connection->deadline_ms != NEVER)
        uv_timer_start(timer, on_timer, connection->deadline_ms - now, 0);
}

/* A guest has one deadline for everything. */
static uint64_t guest_ms(const struct cvg_connection *connection, uint64_t ms)
{
    uint64_t spent = uv_now(connection->timer.loop) - connection->begun_ms;
    uint64_t left = spent < CVG_GUEST_MS ? CVG_GUEST_MS - spent : 0;
    return ms < left ? ms : left;
}

/* Moves the deadline. The timer is only touched where it would come too late: most deadlines are
 * moved on before they come. */
void cvg_connection_deadline(struct cvg_connection *connection, uint64_t ms)
{
    uv_timer_t *timer = &connection->timer;
    if (connection->guest != 0)
        ms = guest_ms(connection, ms);
    connection->deadline_ms = uv_now(timer->loop) + ms;
    if (!uv_is_active((uv_handle_t *)timer) || uv_timer_get_due_in(timer) > ms)
        uv_timer_start(timer, on_timer, ms, 0);
}

static void move_to(struct cvg_connection *connection, struct cvg_link *list)
{
    if (connection->guest != 0)
        return;
    cvg_list_remove(&connection->link);
    cvg_list_push(list, &connection->link);
}

/* Between requests. Octets that are no request yet, such as pieces of a TLS record, win no time. */
static void rest(struct cvg_connection *connection)
{
    if (connection->resting)
        return;
    connection->resting = true;
    move_to(connection, &connection->front->idle);
    cvg_connection_deadline(connection, cvg_connection_idle_ms(connection));
}

static uint64_t client_timeout_ms(const struct cvg_connection *connection)
{
    return connection->worker->settings.client_timeout_ms;
}

uint64_t cvg_connection_idle_ms(const struct cvg_connection *connection)
{
    uint64_t ms = connection->worker->settings.idle_timeout_ms;
    if (!connection->worker->draining || ms < DRAINING_MS)
        return ms;
    return DRAINING_MS;
}

static void begin_work(struct cvg_connection *connection)
{
    connection->state = CVG_CONNECTION_WORKING;
    connection->asked = true;
    if (connection->guest != 0) {
        connection->last = true;
        cvg_connection_decline(connection, connection->guest, CVG_GUEST_RETRY_AFTER_S);
        return;
    }
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
    connection->state = CVG_CONNECTION_WORKING;
    connection->last = true;
    if (status == 405)
        cvg_connection_refuse_method(connection, CVG_HTTP_METHODS);
    else
        cvg_connection_answer(connection, status, "text/plain", phrase, strlen(phrase));
}

/* Lets a client send the body that it holds back. */
static void invite(struct cvg_connection *connection)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    if (cvg_tls_stream_write(connection->stream, go_on, sizeof(go_on) - 1) != CVG_OK)
        cvg_connection_close(connection);
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
        cvg_connection_close(connection);
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
        connection->resting = false;
        cvg_connection_deadline(connection, client_timeout_ms(connection));
    }
    enum cvg_http_state state = connection->http == NULL
                                    ? CVG_HTTP_BAD
                                    : cvg_http_feed(connection->http, data, len, &taken);
    if (connection->http == NULL || !keep_rest(connection, data + taken, len - taken)) {
        cvg_connection_close(connection);
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
    connection->state = CVG_CONNECTION_READING;
    cvg_front_give_http(connection->front, connection->http);
    connection->http = NULL;
}

/* Goes on with an answer; true: there may be more to do. */
static bool write_on(struct cvg_connection *connection)
{
    if (!cvg_reply_done(&connection->reply)) {
        if (cvg_reply_go_on(&connection->reply, connection->stream) != CVG_OK)
            cvg_connection_close(connection);
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
    if (connection->state == CVG_CONNECTION_CLOSED || cvg_tls_stream_blocked(connection->stream))
        return false;
    if (connection->state == CVG_CONNECTION_WRITING)
        return write_on(connection);
    if (connection->state != CVG_CONNECTION_READING)
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
    connection->state = CVG_CONNECTION_LINGERING;
    cvg_connection_deadline(connection, LINGER_MS);
    if (cvg_tls_stream_finish(connection->stream) != CVG_OK)
        cvg_connection_close(connection);
}

/* Reads on where there is nothing else to do. */
static void listen_on(struct cvg_connection *connection)
{
    bool wants =
        (connection->state == CVG_CONNECTION_READING && cvg_list_empty(&connection->turn) &&
         !cvg_tls_stream_blocked(connection->stream)) ||
        connection->state == CVG_CONNECTION_LINGERING;
    if (!wants)
        cvg_tls_stream_pause(connection->stream);
    else if (cvg_tls_stream_resume(connection->stream) != CVG_OK)
        cvg_connection_close(connection);
}

void cvg_connection_process(struct cvg_connection *connection)
{
    unsigned requests = 0;
    if (!cvg_list_empty(&connection->turn))
        return;
    connection->processing = true;
    while (advance(connection, &requests))
        ;
    connection->processing = false;
    if (connection->state == CVG_CONNECTION_CLOSED || connection->state == CVG_CONNECTION_LINGERING)
        return;
    enum cvg_error err = cvg_tls_stream_flush(connection->stream);
    if (err == CVG_ERR_IO) {
        cvg_connection_close(connection);
        return;
    }
    if (err == CVG_OK && connection->ended) {
        linger(connection);
    } else if (err == CVG_OK && connection->state == CVG_CONNECTION_READING &&
               connection->http == NULL) {
        rest(connection);
    } else if (!connection->resting) {
        move_to(connection, &connection->front->busy);
    }
    if (connection->state != CVG_CONNECTION_CLOSED)
        listen_on(connection);
}

static void count_answer(struct cvg_connection *connection, unsigned status)
{
    enum cvg_metric metric = status == 409   ? CVG_METRIC_ANSWERS_409
                             : status == 429 ? CVG_METRIC_ANSWERS_429
                             : status < 300  ? CVG_METRIC_ANSWERS_2XX
                             : status < 400  ? CVG_METRIC_ANSWERS_3XX
                             : status < 500  ? CVG_METRIC_ANSWERS_4XX
                                             : CVG_METRIC_ANSWERS_5XX;
    cvg_connection_count(connection, metric, 1);
}

/* said: what is known of the answer; the rest is the request's. blob: the body's, where it has one
 * that may be shared. */
static void answer(struct cvg_connection *connection, struct cvg_http_answer said, const void *body,
                   struct cvg_blob *blob)
{
    const struct cvg_http_request *request = cvg_http_request(connection->http);
    struct cvg_front *front = connection->front;
    size_t body_len = request->method == CVG_HTTP_HEAD ? 0 : said.content_len;
    connection->query = NULL;
    count_answer(connection, said.status);
    if (!request->keep_alive || connection->worker->draining)
        connection->last = true;
    connection->state = CVG_CONNECTION_WRITING;
    cvg_connection_deadline(connection, client_timeout_ms(connection));
    cvg_buffer_clear(&front->text);
    said.http_1_0 = request->http_1_0;
    said.keep_alive = !connection->last;
    said.date = cvg_http_date(&front->date, cvg_clock_wall_s(connection->worker->clock));
    enum cvg_error err = cvg_http_head(&said, &front->text);
    if (err == CVG_OK)
        err = cvg_reply_begin(&connection->reply, connection->stream, &front->text, body, body_len,
                              blob);
    if (err != CVG_OK)
        cvg_connection_close(connection);
    else if (!connection->processing)
        cvg_connection_process(connection);
}

void cvg_connection_answer(struct cvg_connection *connection, unsigned status,
                           const char *content_type, const void *body, size_t body_len)
{
    const struct cvg_http_answer said = {
        .status = status, .content_type = content_type, .content_len = body_len};
    answer(connection, said, body, NULL);
}

void cvg_connection_answer_blob(struct cvg_connection *connection, unsigned status,
                                const char *content_type, struct cvg_blob *body)
{
    const struct cvg_http_answer said = {
        .status = status, .content_type = content_type, .content_len = body->len};
    answer(connection, said, body->octets, body);
}

/* With a page that says no more than the status. */
static void answer_shortly(struct cvg_connection *connection, struct cvg_http_answer said)
{
    char body[128];
    int len = snprintf(body, sizeof(body), "<html><body>%u %s</body></html>\n", said.status,
                       cvg_http_phrase(said.status));
    said.content_type = "text/html";
    said.content_len = (size_t)len;
    answer(connection, said, body, NULL);
}

void cvg_connection_decline(struct cvg_connection *connection, unsigned status,
                            unsigned retry_after_s)
{
    answer_shortly(connection,
                   (struct cvg_http_answer){.status = status, .retry_after_s = retry_after_s});
}

void cvg_connection_refuse_method(struct cvg_connection *connection, const char *allow)
{
    answer_shortly(connection, (struct cvg_http_answer){.status = 405, .allow = allow});
}

struct cvg_budget_client *cvg_connection_client(const struct cvg_connection *connection)
{
    return connection->client;
}
