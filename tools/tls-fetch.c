/* SPDX-License-Identifier: MIT */
/* One handshake that is never aborted for what PKI says: that is reported instead. */
#include "tools/tls-fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static enum cvg_error finish_connect(int fd, unsigned timeout_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
    int fault = 0;
    socklen_t len = sizeof fault;
    int count;

    do
        count = poll(&poll_fd, 1, (int)timeout_ms);
    while (count < 0 && errno == EINTR);
    if (count == 0)
        return CVG_ERR_TIMEOUT;
    if (count < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &fault, &len) != 0)
        return CVG_ERR_UNREACHABLE;
    errno = fault;
    return fault == 0 ? CVG_OK : CVG_ERR_UNREACHABLE;
}

/* A blocking socket with time limits, as SSL_connect likes it. */
static enum cvg_error connect_address(const struct addrinfo *info, unsigned timeout_ms, int *ret_fd)
{
    struct timeval limit = {timeout_ms / 1000, (timeout_ms % 1000) * 1000L};
    int fd = socket(info->ai_family, info->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    enum cvg_error err = CVG_OK;

    if (fd < 0)
        return CVG_ERR_IO;
    if (connect(fd, info->ai_addr, info->ai_addrlen) != 0)
        err = errno == EINPROGRESS ? finish_connect(fd, timeout_ms) : CVG_ERR_UNREACHABLE;
    if (err == CVG_OK && (fcntl(fd, F_SETFL, 0) != 0 ||
                          setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0 ||
                          setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0))
        err = CVG_ERR_IO;
    if (err == CVG_OK)
        *ret_fd = fd;
    else
        close(fd);
    return err;
}

static void keep_peer(const struct sockaddr *address, struct cvg_tls_seen *ret_seen)
{
    if (address->sa_family == AF_INET) {
        ret_seen->peer_family = 4;
        memcpy(ret_seen->peer_address,
               &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
    } else if (address->sa_family == AF_INET6) {
        ret_seen->peer_family = 6;
        memcpy(ret_seen->peer_address,
               &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
    }
}

static enum cvg_error connect_any(const struct cvg_endpoint *endpoint, unsigned timeout_ms,
                                  struct cvg_tls_seen *ret_seen, int *ret_fd,
                                  struct cvg_why *ret_why)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    char port[8], text[CVG_ENDPOINT_TEXT_MAX];
    enum cvg_error err = CVG_ERR_UNREACHABLE;
    int code;

    snprintf(port, sizeof port, "%u", (unsigned)endpoint->port);
    code = getaddrinfo(endpoint->host, port, &hints, &list);
    if (code != 0)
        return cvg_fail(ret_why, CVG_ERR_UNREACHABLE, "cannot resolve %s: %s", endpoint->host,
                        gai_strerror(code));
    for (const struct addrinfo *info = list; info != NULL && err != CVG_OK; info = info->ai_next) {
        err = connect_address(info, timeout_ms, ret_fd);
        if (err == CVG_OK)
            keep_peer(info->ai_addr, ret_seen);
    }
    if (err != CVG_OK)
        cvg_fail(ret_why, err, "cannot connect to %s: %s",
                 cvg_endpoint_format(endpoint, text, sizeof text),
                 err == CVG_ERR_TIMEOUT ? cvg_strerror(err) : strerror(errno));
    freeaddrinfo(list);
    return err;
}

static SSL *make_ssl(SSL_CTX *context, const struct cvg_endpoint *endpoint, int fd)
{
    SSL *ssl = SSL_new(context);
    char host[CVG_HOST_MAX]; /* the macro below casts const away */
    X509_VERIFY_PARAM *param;
    bool fine;

    if (ssl == NULL)
        return NULL;
    memcpy(host, endpoint->host, sizeof host);
    param = SSL_get0_param(ssl);
    if (endpoint->kind == CVG_HOST_NAME)
        fine = SSL_set_tlsext_host_name(ssl, host) == 1 &&
               X509_VERIFY_PARAM_set1_host(param, host, 0) == 1;
    else
        fine = X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
    if (!fine || SSL_set_fd(ssl, fd) != 1) {
        SSL_free(ssl);
        return NULL;
    }
    return ssl;
}

static enum cvg_error keep_leaf(SSL *ssl, struct cvg_tls_seen *ret_seen)
{
    X509 *leaf = SSL_get0_peer_certificate(ssl);
    STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
    unsigned char *der = NULL;
    int len = leaf != NULL ? i2d_X509(leaf, &der) : -1;

    if (len <= 0)
        return CVG_ERR_PROTOCOL;
    ret_seen->leaf = der;
    ret_seen->leaf_len = (size_t)len;
    ret_seen->pki_result = (int)SSL_get_verify_result(ssl);
    if (ret_seen->pki_result == X509_V_OK && sk_X509_num(chain) > 0) {
        X509 *anchor = sk_X509_value(chain, sk_X509_num(chain) - 1);
        unsigned digest_len = 0;

        ret_seen->have_anchor =
            X509_digest(anchor, EVP_sha256(), ret_seen->anchor_sha256, &digest_len) == 1;
    }
    return CVG_OK;
}

/* Mail servers and others greet in plain text first; OpenSSL takes that for a version. */
static bool is_no_tls(unsigned long error)
{
    return ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_WRONG_VERSION_NUMBER;
}

static enum cvg_error shake_hands(const struct cvg_endpoint *endpoint, int fd,
                                  struct cvg_tls_seen *ret_seen, struct cvg_why *ret_why)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = NULL;
    enum cvg_error err = CVG_ERR_CRYPTO;
    char text[CVG_ENDPOINT_TEXT_MAX], reason[256] = "the connection ended";

    if (context != NULL && SSL_CTX_set_default_verify_paths(context) == 1)
        ssl = make_ssl(context, endpoint, fd);
    if (ssl != NULL) {
        SSL_connect(ssl); /* a server that wants a client certificate has shown its own by then */
        err = keep_leaf(ssl, ret_seen);
    }
    if (err != CVG_OK) {
        if (is_no_tls(ERR_peek_error()))
            snprintf(reason, sizeof reason,
                     "what answers does not begin with TLS; if it does later (STARTTLS), take "
                     "--fingerprint and what openssl s_client -starttls PROTOCOL shows");
        else if (ERR_peek_error() != 0)
            ERR_error_string_n(ERR_peek_error(), reason, sizeof reason);
        cvg_fail(ret_why, err, "no certificate from %s: %s",
                 cvg_endpoint_format(endpoint, text, sizeof text), reason);
    }
    SSL_free(ssl);
    SSL_CTX_free(context);
    ERR_clear_error();
    return err;
}

enum cvg_error cvg_tls_fetch(const struct cvg_endpoint *endpoint, unsigned timeout_ms,
                             struct cvg_tls_seen *ret_seen, struct cvg_why *ret_why)
{
    struct cvg_tls_seen seen = {.leaf = NULL};
    int fd = -1;
    enum cvg_error err = connect_any(endpoint, timeout_ms, &seen, &fd, ret_why);

    if (err != CVG_OK)
        return err;
    err = shake_hands(endpoint, fd, &seen, ret_why);
    close(fd);
    if (err == CVG_OK)
        *ret_seen = seen;
    return err;
}

void cvg_tls_seen_free(struct cvg_tls_seen *seen)
{
    OPENSSL_free(seen->leaf);
    seen->leaf = NULL;
}
