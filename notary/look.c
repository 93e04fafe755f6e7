/* SPDX-License-Identifier: MIT */
/* One look at one address. The leaf is taken from the Certificate message as it passes, and the
 * handshake ends in the verify callback, before any signature is checked: a notary reports what is
 * shown there, whoever shows it, and the rest would only cost both sides time. */
#include "notary/look.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "notary/leaf-message.h"

struct cvg_looker {
    uv_loop_t *loop;
    SSL_CTX *context[CVG_OFFER_COUNT];
};

struct cvg_look {
    uv_poll_t poll; /* first: closed() casts */
    int fd;
    SSL *ssl;
    bool connected;
    enum cvg_error leaf_error; /* NOT_FOUND until a Certificate message came */
    struct cvg_leaf leaf;
    cvg_look_done *done;
    void *user;
};

/* The order and the choice are a browser's; the RSA and ECDSA forms offer one kind alone, so that a
 * server with several certificates shows the one it would show to such a client. */
static const struct {
    const char *ciphers; /* TLS 1.2 */
    const char *signatures;
} offers[CVG_OFFER_COUNT] = {
    [CVG_OFFER_ALL] = {"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                       "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
                       "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                       "ECDHE-ECDSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:"
                       "ECDHE-RSA-AES256-SHA:DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:"
                       "AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA:AES256-SHA",
                       "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512:"
                       "ed25519:ed448:rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:"
                       "rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512:"
                       "rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512:"
                       "ECDSA+SHA1:RSA+SHA1"},
    [CVG_OFFER_RSA] = {"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305:"
                       "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA:"
                       "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:"
                       "AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA:AES256-SHA",
                       "rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:"
                       "rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512:"
                       "rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512:RSA+SHA1"},
    [CVG_OFFER_EC] = {"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:"
                      "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-SHA:"
                      "ECDHE-ECDSA-AES128-SHA",
                      "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512:"
                      "ed25519:ed448:ECDSA+SHA1"},
};

static void on_message(int written, int version, int content_type, const void *data, size_t len,
                       SSL *ssl, void *arg)
{
    struct cvg_look *look = arg;
    const uint8_t *message = data;
    const uint8_t *der = NULL;
    size_t der_len = 0;
    (void)version;
    if (written || content_type != SSL3_RT_HANDSHAKE || len == 0 ||
        message[0] != CVG_HANDSHAKE_CERTIFICATE || look->leaf_error != CVG_ERR_NOT_FOUND)
        return;
    look->leaf_error =
        cvg_leaf_of_message(message, len, SSL_version(ssl) == TLS1_3_VERSION, &der, &der_len);
    if (look->leaf_error == CVG_OK)
        look->leaf_error = cvg_leaf_of_der(der, der_len, &look->leaf);
}

static int on_verify(X509_STORE_CTX *store, void *arg)
{
    (void)arg;
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
}

static SSL_CTX *make_context(enum cvg_offer offer)
{
    /* OpenSSL's macros cast const away, which it does not need. */
    char groups[] = "X25519:P-256:P-384:P-521";
    char *signatures = (char *)(uintptr_t)offers[offer].signatures;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL)
        return NULL;
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(context, on_verify, NULL);
    SSL_CTX_set_msg_callback(context, on_message);
    SSL_CTX_set_tlsext_status_type(context, TLSEXT_STATUSTYPE_ocsp);
    if (!SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) ||
        !SSL_CTX_set_cipher_list(context, offers[offer].ciphers) ||
        !SSL_CTX_set1_sigalgs_list(context, signatures) ||
        !SSL_CTX_set1_groups_list(context, groups)) {
        SSL_CTX_free(context);
        return NULL;
    }
    return context;
}

enum cvg_error cvg_looker_new(uv_loop_t *loop, struct cvg_looker **ret_looker)
{
    struct cvg_looker *looker = calloc(1, sizeof(*looker));
    if (looker == NULL)
        return CVG_ERR_NOMEM;
    looker->loop = loop;
    for (int i = 0; i < CVG_OFFER_COUNT; i++) {
        looker->context[i] = make_context((enum cvg_offer)i);
        if (looker->context[i] == NULL) {
            cvg_looker_free(looker);
            return CVG_ERR_CRYPTO;
        }
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
    struct cvg_look *look = (struct cvg_look *)(void *)handle;
    close(look->fd);
    SSL_free(look->ssl);
    free(look);
}

void cvg_look_cancel(struct cvg_look *look)
{
    if (look != NULL)
        uv_close((uv_handle_t *)&look->poll, closed);
}

static void finish(struct cvg_look *look)
{
    enum cvg_error err = look->leaf_error;
    if (err == CVG_ERR_NOT_FOUND)
        err = CVG_ERR_UNREACHABLE;
    else if (err != CVG_OK)
        err = CVG_ERR_PROTOCOL;
    cvg_look_cancel(look);
    look->done(err, &look->leaf, look->user);
}

static void on_ready(uv_poll_t *poll, int status, int events);

/* One step of the handshake. */
static void step(struct cvg_look *look)
{
    ERR_clear_error();
    int result = SSL_connect(look->ssl);
    int reason = SSL_get_error(look->ssl, result);
    ERR_clear_error();
    bool more = look->leaf_error == CVG_ERR_NOT_FOUND &&
                (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE);
    int events = reason == SSL_ERROR_WANT_WRITE ? UV_WRITABLE : UV_READABLE;
    if (!more || uv_poll_start(&look->poll, events, on_ready) != 0)
        finish(look);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct cvg_look *look = (struct cvg_look *)(void *)poll;
    int problem = 0;
    socklen_t len = sizeof(problem);
    (void)events;
    if (!look->connected) {
        if (status != 0 || getsockopt(look->fd, SOL_SOCKET, SO_ERROR, &problem, &len) != 0 ||
            problem != 0) {
            finish(look);
            return;
        }
        look->connected = true;
    }
    step(look);
}

/* An unconnected, non-blocking socket on its way to the address; -1 if it cannot even begin. */
static int begin_connect(const union cvg_socket_address *address)
{
    int on = 1;
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(fd, &address->any, cvg_socket_address_len(address)) != 0 && errno != EINPROGRESS) {
        close(fd);
        return -1;
    }
    return fd;
}

static SSL *make_ssl(struct cvg_looker *looker, struct cvg_look *look, uint16_t port,
                     const char *server_name, enum cvg_offer offer)
{
    /* Only where web servers are expected: elsewhere a server may refuse what it does not know. */
    static const uint8_t alpn[] = "\x02h2\x08http/1.1";
    SSL *ssl = SSL_new(looker->context[offer]);
    if (ssl == NULL)
        return NULL;
    SSL_set_msg_callback_arg(ssl, look);
    if ((server_name != NULL && !SSL_set_tlsext_host_name(ssl, (char *)(uintptr_t)server_name)) ||
        (port == 443 && SSL_set_alpn_protos(ssl, alpn, sizeof(alpn) - 1) != 0) ||
        !SSL_set_fd(ssl, look->fd)) {
        SSL_free(ssl);
        return NULL;
    }
    return ssl;
}

enum cvg_error cvg_look_start(struct cvg_looker *looker, const union cvg_socket_address *address,
                              const char *server_name, enum cvg_offer offer, cvg_look_done *done,
                              void *user, struct cvg_look **ret_look)
{
    struct cvg_look *look = calloc(1, sizeof(*look));
    if (look == NULL)
        return CVG_ERR_NOMEM;
    uint16_t port =
        ntohs(address->any.sa_family == AF_INET ? address->v4.sin_port : address->v6.sin6_port);
    look->leaf_error = CVG_ERR_NOT_FOUND;
    look->done = done;
    look->user = user;
    look->fd = begin_connect(address);
    enum cvg_error err = look->fd < 0 ? CVG_ERR_UNREACHABLE : CVG_OK;
    if (err == CVG_OK) {
        look->ssl = make_ssl(looker, look, port, server_name, offer);
        if (look->ssl == NULL)
            err = CVG_ERR_CRYPTO;
        else if (uv_poll_init(looker->loop, &look->poll, look->fd) != 0)
            err = CVG_ERR_IO;
    }
    if (err != CVG_OK) {
        if (look->fd >= 0)
            close(look->fd);
        SSL_free(look->ssl);
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
