/* SPDX-License-Identifier: MIT */
/* Exchanges with notaries. Each logical notary has a libcurl multi handle of its own, so that a
 * connection that one bundle's pin let through is never used for another's. */
#include "common/engine/notary-client.h"

#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/engine/curl-loop.h"
#include "common/engine/curl-told.h"
#include "common/engine/notary-easy.h"

#define WARM_MS         10000 /* for connecting ahead nobody waits */
#define WARM_ANSWER_MAX 65536
#define SOCKETS_MAX     64
#define NAME_OCTETS_MAX 32768

struct client {
    struct cvg_transport transport; /* first: the one is cast to the other */
    uv_loop_t *loop;
    const struct cvg_clock *clock;
    struct node *nodes;
    struct cvg_buffer name; /* of the bundle that is looked for */
};

/* A logical notary as this module knows it: by what its bundle says, not by where the bundle is in
 * memory, so that connections outlive a reading of the same configuration. */
struct node {
    struct node *next;
    struct client *client;
    struct cvg_buffer name; /* who and where, see put_name() */
    struct cvg_pins *pins;
    bool stale; /* not asked for since the bundles were replaced */
    int socket[SOCKETS_MAX];
    size_t sockets;
    struct cvg_curl_loop *loop;
    struct cvg_exchange *exchanges;
    size_t preferred; /* the host that answered last */
};

struct cvg_exchange {
    struct cvg_exchange *next, **link; /* in node->exchanges */
    struct node *node;
    struct cvg_easy easy;
    struct cvg_request request; /* its pointers count only while done is not NULL */
    char *path;
    cvg_transport_done *done; /* NULL: nobody waits any more */
    void *user;
    size_t host, hosts_left;
    size_t relay_host;
};

enum cvg_error cvg_notary_client_init(void)
{
    if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1 ||
        OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
        return CVG_ERR_CRYPTO;
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? CVG_OK : CVG_ERR_CRYPTO;
}

static struct cvg_exchange *new_exchange(struct node *node)
{
    struct cvg_exchange *exchange = calloc(1, sizeof *exchange);

    if (exchange == NULL)
        return NULL;
    exchange->node = node;
    exchange->next = node->exchanges;
    exchange->link = &node->exchanges;
    if (exchange->next != NULL)
        exchange->next->link = &exchange->next;
    node->exchanges = exchange;
    return exchange;
}

static void free_exchange(struct cvg_exchange *exchange)
{
    *exchange->link = exchange->next;
    if (exchange->next != NULL)
        exchange->next->link = exchange->link;
    cvg_easy_free(&exchange->easy);
    free(exchange->path);
    free(exchange);
}

/* Aims the exchange at its current host and lets it go. While other hosts are left this one gets
 * half of the time. */
static enum cvg_error launch(struct cvg_exchange *exchange)
{
    struct client *client = exchange->node->client;
    uint64_t now = cvg_clock_ms(client->clock);
    uint64_t left;
    enum cvg_error err;

    if (now >= exchange->request.deadline_ms)
        return CVG_ERR_TIMEOUT;
    left = exchange->request.deadline_ms - now;
    if (exchange->hosts_left > 1 && left > 1)
        left /= 2;
    err = cvg_easy_aim(&exchange->easy, &exchange->request, exchange->host, exchange->relay_host,
                       left);
    if (err != CVG_OK)
        return err;
    return cvg_curl_loop_add(exchange->node->loop, exchange->easy.curl);
}

/* High availability: the next host of the same logical notary. */
static bool try_next_host(struct cvg_exchange *exchange)
{
    if (exchange->done == NULL || exchange->hosts_left <= 1)
        return false;
    exchange->hosts_left--;
    exchange->host = (exchange->host + 1) % exchange->request.notary->host_count;
    return launch(exchange) == CVG_OK;
}

static void on_done(CURL *curl, CURLcode code, void *user)
{
    struct cvg_exchange *exchange = NULL;
    struct node *node = user;
    enum cvg_error err;
    bool relay_failed;
    long status = 0;

    curl_easy_getinfo(curl, CURLINFO_PRIVATE, &exchange);
    err = cvg_easy_result(&exchange->easy, code, exchange->request.relay != NULL, &relay_failed);
    if (err != CVG_OK && !relay_failed && try_next_host(exchange))
        return;
    if (err == CVG_OK)
        node->preferred = exchange->host;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (err == CVG_OK && (status < 100 || status > 999))
        err = CVG_ERR_PROTOCOL;
    if (exchange->done != NULL && err == CVG_OK && exchange->request.ret_date_s != NULL)
        cvg_curl_date(curl, exchange->request.ret_date_s);
    if (exchange->done != NULL && err == CVG_OK && exchange->request.ret_timing != NULL)
        cvg_curl_timing(curl, exchange->request.ret_timing);
    if (exchange->done != NULL)
        exchange->done(err, relay_failed, err == CVG_OK ? (unsigned)status : 0,
                       exchange->easy.answer.data, exchange->easy.answer.len, exchange->user);
    free_exchange(exchange);
}

static void free_node(struct node *node)
{
    while (node->exchanges != NULL) {
        cvg_curl_loop_remove(node->loop, node->exchanges->easy.curl);
        free_exchange(node->exchanges);
    }
    cvg_curl_loop_free(node->loop);
    cvg_pins_free(node->pins);
    cvg_buffer_free(&node->name);
    free(node);
}

/* Frees the nodes of bundles that are gone, once nothing of theirs is under way. */
static void reap(struct client *client)
{
    struct node **link = &client->nodes;

    while (*link != NULL) {
        struct node *node = *link;

        if (!node->stale || node->exchanges != NULL || cvg_curl_loop_busy(node->loop)) {
            link = &node->next;
            continue;
        }
        *link = node->next;
        free_node(node);
    }
}

/* Everything of the bundle that decides where connections lead. */
static enum cvg_error put_name(const struct cvg_bundle *bundle, struct cvg_buffer *name)
{
    cvg_buffer_clear(name);
    cvg_buffer_put_text(name, bundle->name);
    for (size_t i = 0; i < bundle->host_count; i++) {
        const struct cvg_bundle_host *host = &bundle->host[i];

        cvg_buffer_printf(name, "\n%s %u %u", host->host, host->ssl_port, host->bounce_port);
        for (size_t j = 0; j < host->address_count; j++)
            cvg_buffer_printf(name, " %s", host->address[j]);
    }
    return cvg_buffer_error(name);
}

static enum cvg_error node_new(struct client *client, const struct cvg_bundle *bundle,
                               struct node **ret_node)
{
    struct node *node = calloc(1, sizeof *node);
    enum cvg_error err;

    if (node == NULL)
        return CVG_ERR_NOMEM;
    cvg_buffer_init(&node->name, NAME_OCTETS_MAX);
    err = put_name(bundle, &node->name);
    if (err == CVG_OK)
        err = cvg_pins_new(bundle, &node->pins);
    if (err == CVG_OK)
        err = cvg_curl_loop_new(client->loop, on_done, node, &node->loop);
    if (err != CVG_OK) {
        cvg_pins_free(node->pins);
        cvg_buffer_free(&node->name);
        free(node);
        return err;
    }
    node->client = client;
    node->next = client->nodes;
    client->nodes = node;
    *ret_node = node;
    return CVG_OK;
}

static enum cvg_error find_node(struct client *client, const struct cvg_bundle *bundle,
                                struct node **ret_node)
{
    enum cvg_error err = put_name(bundle, &client->name);

    if (err != CVG_OK)
        return err;
    for (struct node *node = client->nodes; node != NULL; node = node->next) {
        if (node->name.len == client->name.len &&
            memcmp(node->name.data, client->name.data, node->name.len) == 0 &&
            cvg_pins_are_of(node->pins, bundle)) {
            node->stale = false;
            *ret_node = node;
            return CVG_OK;
        }
    }
    return node_new(client, bundle, ret_node);
}

static bool find_relay_host(const struct cvg_bundle *relay, size_t *ret_host)
{
    for (size_t i = 0; i < relay->host_count; i++) {
        if (relay->host[i].relay_port != 0) {
            *ret_host = i;
            return true;
        }
    }
    return false;
}

/* The node's sockets are known here only to see whether a connection is still kept. */
static curl_socket_t open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct node *node = user;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

    (void)purpose;
    if (fd >= 0 && node->sockets < SOCKETS_MAX)
        node->socket[node->sockets++] = fd;
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int close_socket(void *user, curl_socket_t fd)
{
    struct node *node = user;

    for (size_t i = 0; i < node->sockets; i++)
        if (node->socket[i] == fd)
            node->socket[i] = node->socket[--node->sockets];
    return close(fd);
}

/* Between exchanges nothing comes from a notary but the end of the connection. */
static bool has_live_socket(const struct node *node)
{
    for (size_t i = 0; i < node->sockets; i++) {
        struct pollfd poll_fd = {.fd = node->socket[i], .events = POLLIN};

        if (poll(&poll_fd, 1, 0) == 0)
            return true;
    }
    return false;
}

/* Fills in a new exchange and lets it go. */
static enum cvg_error begin(struct cvg_exchange *exchange, const struct cvg_request *request)
{
    enum cvg_error err;

    exchange->request = *request;
    exchange->host = exchange->node->preferred;
    exchange->hosts_left = request->relay != NULL ? 1 : request->notary->host_count;
    exchange->path = strdup(request->path);
    if (exchange->path == NULL)
        return CVG_ERR_NOMEM;
    exchange->request.path = exchange->path;
    if (request->relay != NULL && !find_relay_host(request->relay, &exchange->relay_host))
        return CVG_ERR_ARGUMENT;
    err = cvg_easy_init(&exchange->easy, request, exchange->node->pins, exchange);
    if (err != CVG_OK)
        return err;
    curl_easy_setopt(exchange->easy.curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(exchange->easy.curl, CURLOPT_OPENSOCKETDATA, exchange->node);
    curl_easy_setopt(exchange->easy.curl, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    curl_easy_setopt(exchange->easy.curl, CURLOPT_CLOSESOCKETDATA, exchange->node);
    return launch(exchange);
}

static enum cvg_error start(struct cvg_transport *transport, const struct cvg_request *request,
                            cvg_transport_done *done, void *user,
                            struct cvg_exchange **ret_exchange)
{
    struct client *client = (struct client *)transport;
    struct cvg_exchange *exchange;
    struct node *node = NULL;
    enum cvg_error err;

    reap(client);
    err = find_node(client, request->notary, &node);
    if (err != CVG_OK)
        return err;
    exchange = new_exchange(node);
    if (exchange == NULL)
        return CVG_ERR_NOMEM;
    exchange->done = done;
    exchange->user = user;
    err = begin(exchange, request);
    if (err != CVG_OK) {
        free_exchange(exchange);
        return err;
    }
    *ret_exchange = exchange;
    return CVG_OK;
}

/* The answer is still read: dropping it would cost the connection. */
static void cancel(struct cvg_transport *transport, struct cvg_exchange *exchange)
{
    (void)transport;
    exchange->done = NULL;
}

static void reset(struct cvg_transport *transport)
{
    struct client *client = (struct client *)transport;

    for (struct node *node = client->nodes; node != NULL; node = node->next)
        node->stale = true;
}

static void client_free(struct cvg_transport *transport)
{
    struct client *client = (struct client *)transport;

    while (client->nodes != NULL) {
        struct node *node = client->nodes;

        client->nodes = node->next;
        free_node(node);
    }
    cvg_buffer_free(&client->name);
    free(client);
}

enum cvg_error cvg_notary_client_new(uv_loop_t *loop, const struct cvg_clock *clock,
                                     struct cvg_transport **ret_transport)
{
    struct client *client = calloc(1, sizeof *client);

    if (client == NULL)
        return CVG_ERR_NOMEM;
    client->transport = (struct cvg_transport){
        .start = start, .cancel = cancel, .reset = reset, .free = client_free};
    client->loop = loop;
    client->clock = clock;
    cvg_buffer_init(&client->name, NAME_OCTETS_MAX);
    *ret_transport = &client->transport;
    return CVG_OK;
}

void cvg_notary_client_warm(struct cvg_transport *transport, const struct cvg_bundle *notary,
                            const struct cvg_bundle *relay)
{
    struct client *client = (struct client *)transport;
    struct cvg_request request = {.notary = notary,
                                  .relay = relay,
                                  .path = "/",
                                  .answer_max = WARM_ANSWER_MAX,
                                  .deadline_ms = cvg_clock_ms(client->clock) + WARM_MS};
    struct cvg_exchange *exchange;
    struct node *node = NULL;

    if (find_node(client, notary, &node) == CVG_OK &&
        (node->exchanges != NULL || has_live_socket(node)))
        return;
    if (start(transport, &request, NULL, NULL, &exchange) != CVG_OK)
        cvg_log(CVG_LOG_DEBUG, "cannot connect ahead to notary %s", notary->name);
}
