/* SPDX-License-Identifier: MIT */
/* The load generator's connections: TLS over non-blocking sockets and epoll. Each asks one request
 * at a time; with a rate, requests fall due whether or not answers have come, and their time counts
 * from that instant, so a server that stalls cannot hide it. */
#include "bench/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>

#define REQUEST_MAX  16384
#define EVENTS       64
#define WAIT_MS      1000
#define HOLD_MS      50
#define HOLD_AT_ONCE 16 /* handshakes while connections are opened to be held */

struct connection {
    int fd; /* -1: closed */
    SSL *ssl;
    SSL_SESSION *session;
    bool busy; /* a request is under way, due since due_ns */
    bool sent;
    bool ready; /* the handshake is done */
    uint64_t due_ns;
    struct load_reader reader;
};

struct load {
    const struct load_plan *plan;
    struct load_result *result;
    SSL_CTX *context;
    int epoll;
    struct connection *connection;
    uint64_t requests; /* to begin; 0: no bound */
    uint64_t at_once;  /* at most so many under way */
    uint64_t begun;
    uint64_t busy;    /* connections */
    uint64_t next_ns; /* when the next request falls due */
    uint64_t end_ns;  /* 0: no bound */
    struct connection *
        *free; /* those without a request, the one that is free longest first: a ring */
    unsigned free_first;
};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    struct connection *connection = SSL_get_app_data(ssl);
    SSL_SESSION_free(connection->session);
    connection->session = session;
    return 1;
}

static SSL_CTX *make_context(const struct load_plan *plan)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    int version = plan->tls == 12 ? TLS1_2_VERSION : plan->tls == 13 ? TLS1_3_VERSION : 0;
    if (context == NULL)
        return NULL;
    if (version != 0 && (SSL_CTX_set_min_proto_version(context, version) != 1 ||
                         SSL_CTX_set_max_proto_version(context, version) != 1)) {
        SSL_CTX_free(context);
        return NULL;
    }
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    if (plan->mode == LOAD_RESUMED) {
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(context, keep_session);
    }
    return context;
}

static void hang_up(struct connection *connection)
{
    if (connection->ssl != NULL && connection->ready)
        (void)SSL_shutdown(connection->ssl);
    SSL_free(connection->ssl);
    if (connection->fd >= 0)
        close(connection->fd);
    connection->ssl = NULL;
    connection->fd = -1;
    connection->ready = false;
}

static bool dial(struct load *load, struct connection *connection)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)load->plan->port)};
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = connection};
    int one = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connection->fd < 0)
        return false;
    (void)setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    connection->ssl = SSL_new(load->context);
    if (connection->ssl == NULL || SSL_set_fd(connection->ssl, connection->fd) != 1)
        return false;
    SSL_set_app_data(connection->ssl, connection);
    SSL_set_connect_state(connection->ssl);
    if (connection->session != NULL)
        SSL_set_session(connection->ssl, connection->session);
    if (connect(connection->fd, (struct sockaddr *)&address, sizeof(address)) != 0 &&
        errno != EINPROGRESS)
        return false;
    return epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->fd, &event) == 0;
}

static void step(struct load *load, struct connection *connection);

static bool is_over(const struct load *load)
{
    return (load->requests > 0 && load->begun >= load->requests) ||
           (load->end_ns > 0 && now_ns() >= load->end_ns);
}

static void begin(struct load *load, struct connection *connection, uint64_t due_ns)
{
    load->begun++;
    load->busy++;
    connection->busy = true;
    connection->sent = false;
    connection->due_ns = due_ns;
    load_reader_begin(&connection->reader);
    if (connection->fd < 0 && !dial(load, connection)) {
        fprintf(stderr, "notary-load: cannot connect: %s\n", strerror(errno));
        exit(1);
    }
    step(load, connection);
}

/* A request has ended. The next one follows at once, unless there is a rate. */
static void ended(struct load *load, struct connection *connection, bool answered)
{
    struct load_result *result = load->result;
    unsigned count = load->plan->connections;
    connection->busy = false;
    load->free[(load->free_first + count - load->busy--) % count] = connection;
    if (answered) {
        result->answers++;
        result->ok += connection->reader.status == 200;
        result->refused += connection->reader.status == 429 || connection->reader.status == 503;
        load_latency_add(&result->latency, now_ns() - connection->due_ns);
    } else {
        result->failed++;
    }
    if (!answered || load->plan->mode != LOAD_KEPT)
        hang_up(connection);
}

static bool wants(SSL *ssl, int result)
{
    int reason = SSL_get_error(ssl, result);
    ERR_clear_error();
    return reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE;
}

static bool send_request(struct load *load, struct connection *connection)
{
    char octets[REQUEST_MAX];
    size_t len = load_request(load->plan, octets, sizeof(octets));
    int written = SSL_write(connection->ssl, octets, (int)len);
    connection->sent = len > 0 && written == (int)len;
    return connection->sent;
}

/* Goes on with one connection as far as it goes. */
static void step(struct load *load, struct connection *connection)
{
    char octets[32768];
    if (!connection->ready) {
        int done = SSL_do_handshake(connection->ssl);
        if (done != 1) {
            if (!wants(connection->ssl, done))
                ended(load, connection, false);
            return;
        }
        connection->ready = true;
        load->result->resumed += (uint64_t)SSL_session_reused(connection->ssl);
    }
    if (!connection->sent && !send_request(load, connection)) {
        ended(load, connection, false);
        return;
    }
    for (;;) {
        int len = SSL_read(connection->ssl, octets, sizeof(octets));
        if (len <= 0) {
            if (!wants(connection->ssl, len))
                ended(load, connection, false);
            return;
        }
        load->result->octets += (uint64_t)len;
        enum load_read state = load_reader_feed(&connection->reader, octets, (size_t)len);
        if (state == LOAD_READ_MORE)
            continue;
        ended(load, connection, state == LOAD_READ_DONE);
        return;
    }
}

/* An idle connection that the server has closed is dialled anew when it is needed. */
static void on_event(struct load *load, struct connection *connection)
{
    char octet;
    if (connection->fd < 0)
        return;
    if (connection->busy) {
        step(load, connection);
        return;
    }
    int len = SSL_read(connection->ssl, &octet, 1);
    if (len > 0 || !wants(connection->ssl, len))
        hang_up(connection);
}

static struct connection *take_free(struct load *load)
{
    struct connection *connection = load->free[load->free_first];
    load->free_first = (load->free_first + 1) % load->plan->connections;
    return connection;
}

/* Begins what is due. Returns for how many milliseconds nothing more will be. */
static int begin_due(struct load *load)
{
    while (!is_over(load) && load->busy < load->at_once) {
        uint64_t now = now_ns();
        if (load->plan->rate > 0 && load->next_ns > now)
            return (int)((load->next_ns - now) / 1000000);
        begin(load, take_free(load), load->plan->rate > 0 ? load->next_ns : now);
        if (load->plan->rate > 0)
            load->next_ns += 1000000000u / load->plan->rate;
    }
    return WAIT_MS;
}

static void serve_events(struct load *load, int wait_ms)
{
    struct epoll_event event[EVENTS];
    int count = epoll_wait(load->epoll, event, EVENTS, wait_ms);
    for (int i = 0; i < count; i++)
        on_event(load, event[i].data.ptr);
}

static void run(struct load *load, struct load_result *result, uint64_t requests, unsigned seconds)
{
    memset(result, 0, sizeof(*result));
    load->result = result;
    load->begun = 0;
    load->requests = requests;
    load->next_ns = now_ns();
    load->end_ns = seconds == 0 ? 0 : load->next_ns + (uint64_t)seconds * 1000000000u;
    while (!is_over(load) || load->busy > 0)
        serve_events(load, begin_due(load));
}

struct load *load_new(const struct load_plan *plan)
{
    struct load *load = calloc(1, sizeof(*load));
    if (load == NULL)
        return NULL;
    load->plan = plan;
    load->context = make_context(plan);
    load->connection = calloc(plan->connections, sizeof(*load->connection));
    load->free = calloc(plan->connections, sizeof(struct connection *));
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (load->context == NULL || load->connection == NULL || load->free == NULL ||
        load->epoll < 0) {
        load_free(load);
        return NULL;
    }
    for (unsigned i = 0; i < plan->connections; i++) {
        load->connection[i].fd = -1;
        load->free[i] = &load->connection[i];
    }
    return load;
}

bool load_hold(struct load *load)
{
    static struct load_result result;
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    char line[16];
    load->at_once = load->plan->connections < HOLD_AT_ONCE ? load->plan->connections : HOLD_AT_ONCE;
    run(load, &result, load->plan->connections, 0);
    puts(result.answers == load->plan->connections ? "holding" : "failed");
    fflush(stdout);
    while (poll(&input, 1, 0) == 0)
        serve_events(load, HOLD_MS);
    return read(STDIN_FILENO, line, sizeof(line)) > 0;
}

void load_run(struct load *load, struct load_result *ret_result)
{
    load->at_once = load->plan->connections;
    run(load, ret_result, load->plan->requests, load->plan->seconds);
}

void load_free(struct load *load)
{
    for (unsigned i = 0; load->connection != NULL && i < load->plan->connections; i++) {
        hang_up(&load->connection[i]);
        SSL_SESSION_free(load->connection[i].session);
    }
    free(load->free);
    free(load->connection);
    if (load->epoll >= 0)
        close(load->epoll);
    SSL_CTX_free(load->context);
    free(load);
}
