/* SPDX-License-Identifier: MIT */
/* One look at one address. The chain is taken from the Certificate message as it passes, and the
 * handshake ends there, before any signature is checked: a notary reports what is shown there,
 * whoever shows it, and the rest would only cost both sides time. */
#include "notary/look.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "notary/leaf-message.h"

#define HTTPS_PORT   443
#define MESSAGES_MAX 16 /* of a handshake that are read; up to the certificate there are few */

struct cvg_looker {
    uv_loop_t *loop;
    SSL_CTX *context[CVG_OFFER_COUNT];
};

struct cvg_look {
    uv_poll_t poll; /* first: closed() casts */
    struct cvg_looker *looker;
    const char *host;
    int fd;
    uint16_t port;
    uint8_t starttls; /* enum cvg_starttls */
    uint8_t offer;    /* enum cvg_offer */
    bool is_name;
    uint8_t messages;                       /* of the handshake that have come */
    uint8_t waiting;                        /* the events that are waited for */
    struct cvg_starttls_dialogue *dialogue; /* before TLS, where it does not begin by itself */
    SSL *ssl;                               /* once it has begun */
    enum cvg_error leaf_error;              /* NOT_FOUND until a Certificate message came */
    struct cvg_leaf leaf;
    struct cvg_blob *chain;
    cvg_look_done *done;
    void *user;
};

/* OpenSSL passes over a HelloRequest wherever one comes, and goes on as long as there is something
 * to read: who sends nothing else, and fast, would have the loop to himself. So there is nothing
 * more to read after a few. */
static void count_message(struct cvg_look *look, SSL *ssl)
{
    if (look->messages == MESSAGES_MAX)
        SSL_set0_rbio(ssl, NULL);
    else
        look->messages++;
}

static void take_certificate(struct cvg_look *look, const uint8_t *message, size_t len, bool tls13)
{
    const uint8_t *der = NULL;
    size_t der_len = 0;
    look->leaf_error = cvg_leaf_of_message(message, len, tls13, &der, &der_len);
    if (look->leaf_error == CVG_OK)
        look->leaf_error = cvg_leaf_of_der(der, der_len, &look->leaf);
    if (look->leaf_error == CVG_OK &&
        cvg_chain_of_message(message, len, tls13, &look->chain) == CVG_ERR_NOMEM)
        look->leaf_error = CVG_ERR_NOMEM;
}

static void on_message(int written, int version, int content_type, const void *data, size_t len,
                       SSL *ssl, void *arg)
{
    struct cvg_look *look = arg;
    const uint8_t *message = data;
    (void)version;
    if (written || content_type != SSL3_RT_HANDSHAKE || len == 0)
        return;
    count_message(look, ssl);
    if (message[0] == CVG_HANDSHAKE_CERTIFICATE && look->leaf_error == CVG_ERR_NOT_FOUND)
        take_certificate(look, message, len, SSL_version(ssl) == TLS1_3_VERSION);
}

enum cvg_error cvg_looker_new(uv_loop_t *loop, struct cvg_looker **ret_looker)
{
    struct cvg_looker *looker = calloc(1, sizeof(*looker));
    if (looker == NULL)
        return CVG_ERR_NOMEM;
    looker->loop = loop;
    for (int i = 0; i < CVG_OFFER_COUNT; i++) {
        looker->context[i] = cvg_hello_context((enum cvg_offer)i);
        if (looker->context[i] == NULL) {
            cvg_looker_free(looker);
            return CVG_ERR_CRYPTO;
        }
        SSL_CTX_set_msg_callback(looker->context[i], on_message);
    }
    *ret_looker = looker;
    return CVG_OK;
}

void cvg_looker_free(struct cvg_looker *looker)
{
    if (looker == NULL)
        return;
    for (int i = 0; i < CVG_OFFER_COUNT; i++)
        SSL_CTX_free(looker->context[i]);
    free(looker);
}

static void closed(uv_handle_t *handle)
{
    free(handle);
}

/* The descriptor goes at once: there may be many looks, and few descriptors. */
void cvg_look_cancel(struct cvg_look *look)
{
    if (look == NULL)
        return;
    uv_close((uv_handle_t *)&look->poll, closed);
    close(look->fd);
    SSL_free(look->ssl);
    free(look->dialogue);
    cvg_blob_unref(look->chain);
}

static void finish(struct cvg_look *look)
{
    enum cvg_error err = look->leaf_error;
    struct cvg_leaf leaf = look->leaf;
    struct cvg_blob *chain = look->chain;
    cvg_look_done *done = look->done;
    void *user = look->user;
    if (err == CVG_ERR_NOT_FOUND)
        err = CVG_ERR_UNREACHABLE;
    else if (err != CVG_OK)
        err = CVG_ERR_PROTOCOL;
    look->chain = NULL;
    cvg_look_cancel(look);
    done(err, &leaf, chain, user);
}

static void on_ready(uv_poll_t *poll, int status, int events);

static void wait_for(struct cvg_look *look, int events)
{
    if (events == look->waiting)
        return;
    look->waiting = (uint8_t)events;
    if (uv_poll_start(&look->poll, events, on_ready) != 0)
        finish(look);
}

/* One step of the handshake. */
static void step(struct cvg_look *look)
{
    ERR_clear_error();
    int result = SSL_connect(look->ssl);
    int reason = SSL_get_error(look->ssl, result);
    ERR_clear_error();
    if (look->leaf_error == CVG_ERR_NOT_FOUND && reason == SSL_ERROR_WANT_READ)
        wait_for(look, UV_READABLE);
    else if (look->leaf_error == CVG_ERR_NOT_FOUND && reason == SSL_ERROR_WANT_WRITE)
        wait_for(look, UV_WRITABLE);
    else
        finish(look);
}

static void begin_tls(struct cvg_look *look)
{
    /* Only where web servers are expected: elsewhere a server may refuse what it does not know. */
    static const uint8_t alpn[] = "\x02h2\x08http/1.1";
    look->ssl = SSL_new(look->looker->context[look->offer]);
    if (look->ssl == NULL || !SSL_set_fd(look->ssl, look->fd) ||
        (look->is_name && !SSL_set_tlsext_host_name(look->ssl, (char *)(uintptr_t)look->host)) ||
        (look->port == HTTPS_PORT && SSL_set_alpn_protos(look->ssl, alpn, sizeof(alpn) - 1) != 0)) {
        finish(look);
        return;
    }
    SSL_set_msg_callback_arg(look->ssl, look);
    step(look);
}

/* Says what is to be said before TLS. It is little, and the socket has taken nothing before, or the
 * server has just answered: a socket that does not take it whole is none to go on with. */
static bool say(struct cvg_look *look)
{
    struct cvg_starttls_dialogue *dialogue = look->dialogue;
    ssize_t len = dialogue->sent_len == 0
                      ? 0
                      : send(look->fd, dialogue->sent, dialogue->sent_len, MSG_NOSIGNAL);
    bool whole = len == (ssize_t)dialogue->sent_len;
    dialogue->sent_len = 0;
    return whole;
}

static void begin_dialogue(struct cvg_look *look)
{
    look->dialogue = malloc(sizeof(*look->dialogue));
    if (look->dialogue == NULL) {
        finish(look);
        return;
    }
    cvg_starttls_begin((enum cvg_starttls)look->starttls, look->host, look->dialogue);
    if (say(look))
        wait_for(look, UV_READABLE);
    else
        finish(look);
}

static void converse(struct cvg_look *look)
{
    uint8_t octets[2048];
    ssize_t len = recv(look->fd, octets, sizeof(octets), 0);
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    enum cvg_starttls_verdict verdict =
        len <= 0 ? CVG_STARTTLS_REFUSED : cvg_starttls_take(look->dialogue, octets, (size_t)len);
    if (verdict == CVG_STARTTLS_REFUSED || !say(look)) {
        finish(look);
    } else if (verdict == CVG_STARTTLS_READY) {
        free(look->dialogue);
        look->dialogue = NULL;
        begin_tls(look);
    }
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct cvg_look *look = (struct cvg_look *)(void *)poll;
    int problem = 0;
    socklen_t len = sizeof(problem);
    (void)events;
    if (status != 0) {
        finish(look);
    } else if (look->ssl != NULL) {
        step(look);
    } else if (look->dialogue != NULL) {
        converse(look);
    } else if (getsockopt(look->fd, SOL_SOCKET, SO_ERROR, &problem, &len) != 0 || problem != 0) {
        finish(look);
    } else if (look->starttls == CVG_STARTTLS_NONE) {
        begin_tls(look);
    } else {
        begin_dialogue(look);
    }
}

/* An unconnected, non-blocking socket on its way to the address; -1 and errno if it cannot even
 * begin. */
static int begin_connect(const union cvg_socket_address *address)
{
    int on = 1;
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(fd, &address->any, cvg_socket_address_len(address)) != 0 && errno != EINPROGRESS) {
        int problem = errno;
        close(fd);
        errno = problem;
        return -1;
    }
    return fd;
}

/* Whether it is this machine that lacks something, and not the way to the target. */
static bool of_ours(int problem)
{
    return problem == EMFILE || problem == ENFILE || problem == ENOBUFS || problem == ENOMEM;
}

static uint16_t port_of(const union cvg_socket_address *address)
{
    return ntohs(address->any.sa_family == AF_INET ? address->v4.sin_port : address->v6.sin6_port);
}

enum cvg_error cvg_look_start(struct cvg_looker *looker, const struct cvg_look_target *target,
                              cvg_look_done *done, void *user, struct cvg_look **ret_look)
{
    struct cvg_look *look = calloc(1, sizeof(*look));
    if (look == NULL)
        return CVG_ERR_NOMEM;
    look->looker = looker;
    look->host = target->host;
    look->is_name = target->is_name;
    look->port = port_of(&target->address);
    look->starttls = (uint8_t)target->starttls;
    look->offer = (uint8_t)target->offer;
    look->leaf_error = CVG_ERR_NOT_FOUND;
    look->waiting = UV_WRITABLE;
    look->done = done;
    look->user = user;
    look->fd = begin_connect(&target->address);
    if (look->fd < 0 || uv_poll_init(looker->loop, &look->poll, look->fd) != 0) {
        enum cvg_error err = of_ours(errno) ? CVG_ERR_BUSY : CVG_ERR_UNREACHABLE;
        if (look->fd >= 0)
            close(look->fd);
        free(look);
        return err;
    }
    if (uv_poll_start(&look->poll, UV_WRITABLE, on_ready) != 0) {
        cvg_look_cancel(look);
        return CVG_ERR_IO;
    }
    *ret_look = look;
    return CVG_OK;
}
