/* SPDX-License-Identifier: MIT */
/* One TLS connection of the test host, over each kind of BIO that programs use. */
#include "config.h"

#include "tests/provider/host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

static _Thread_local jmp_buf escape;

/* Lets everything pass, as "insecure" programs do. */
static int callback_pass(int ok, X509_STORE_CTX *ctx)
{
    (void)ok, (void)ctx;
    return 1;
}

/* Adds nothing. */
static int callback_strict(int ok, X509_STORE_CTX *ctx)
{
    (void)ctx;
    return ok;
}

/* Lets everything pass and forgets why. */
static int callback_forget(int ok, X509_STORE_CTX *ctx)
{
    (void)ok;
    X509_STORE_CTX_set_error(ctx, X509_V_OK);
    return 1;
}

/* Leaves OpenSSL by longjmp, as an exception in an interpreter's callback does. */
static int callback_jump(int ok, X509_STORE_CTX *ctx)
{
    (void)ok, (void)ctx;
    longjmp(escape, 1);
}

static SSL_verify_cb callback(void)
{
    if (!options.callback)
        return NULL;
    if (strcmp(options.callback, "pass") == 0)
        return callback_pass;
    if (strcmp(options.callback, "forget") == 0)
        return callback_forget;
    if (strcmp(options.callback, "jump") == 0)
        return callback_jump;
    return callback_strict;
}

static int own_plain(X509_STORE_CTX *ctx, void *user)
{
    (void)user;
    return X509_verify_cert(ctx);
}

static int own_blind(X509_STORE_CTX *ctx, void *user)
{
    (void)ctx, (void)user;
    return 1;
}

SSL_CTX *host_ctx(OSSL_LIB_CTX *libctx)
{
    SSL_CTX *ctx = SSL_CTX_new_ex(libctx, NULL, TLS_client_method());
    char key[512];

    if (!ctx)
        return NULL;
    if (options.ca && SSL_CTX_load_verify_file(ctx, options.ca) != 1)
        exit(3);
    SSL_CTX_set_verify(ctx, options.verify_none ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, callback());
    if (options.own)
        SSL_CTX_set_cert_verify_callback(
            ctx, strcmp(options.own, "blind") == 0 ? own_blind : own_plain, NULL);
    if (options.tls12)
        SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
    if (options.cert) {
        snprintf(key, sizeof key, "%.*s.key", (int)strlen(options.cert) - 4, options.cert);
        if (SSL_CTX_use_certificate_file(ctx, options.cert, SSL_FILETYPE_PEM) != 1 ||
            SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
            exit(3);
    }
    return ctx;
}

static int connect_tcp(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    inet_pton(AF_INET, options.address, &address.sin_addr);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

/* What is said before TLS begins: PostgreSQL's SSLRequest, or a proxy's CONNECT. */
static bool speak_first(int fd)
{
    static const char psql[8] = {0, 0, 0, 8, 4, (char)210, 22, 47};
    static const char proxy[] =
        "CONNECT site.example:443 HTTP/1.1\r\nHost: site.example:443\r\n\r\n";
    char answer[256];

    if (!options.preamble)
        return true;
    if (strcmp(options.preamble, "psql") == 0)
        return send(fd, psql, sizeof psql, MSG_NOSIGNAL) == (ssize_t)sizeof psql &&
               recv(fd, answer, 1, 0) == 1;
    return send(fd, proxy, sizeof proxy - 1, MSG_NOSIGNAL) == (ssize_t)sizeof proxy - 1 &&
           recv(fd, answer, sizeof answer, 0) > 0;
}

static int custom_write(BIO *bio, const char *data, int len)
{
    return (int)send((int)(intptr_t)BIO_get_data(bio), data, (size_t)len, MSG_NOSIGNAL);
}

static int custom_read(BIO *bio, char *data, int len)
{
    return (int)recv((int)(intptr_t)BIO_get_data(bio), data, (size_t)len, 0);
}

static long custom_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static int custom_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static BIO_METHOD *custom;

/* Before main, so that threads find it made. */
__attribute__((constructor)) static void make_custom(void)
{
    custom = BIO_meth_new(BIO_TYPE_SOURCE_SINK | 0x7a, "test host");
    BIO_meth_set_write(custom, custom_write);
    BIO_meth_set_read(custom, custom_read);
    BIO_meth_set_ctrl(custom, custom_ctrl);
    BIO_meth_set_create(custom, custom_create);
}

static bool attach(struct connection *connection)
{
    BIO *bio;

    if (options.transport == TRANSPORT_MEMORY) {
        connection->in = BIO_new(BIO_s_mem());
        connection->out = BIO_new(BIO_s_mem());
        SSL_set_bio(connection->ssl, connection->in, connection->out);
        return connection->in && connection->out;
    }
    if (options.transport == TRANSPORT_CUSTOM) {
        bio = BIO_new(custom);
        BIO_set_data(bio, (void *)(intptr_t)connection->fd);
        SSL_set_bio(connection->ssl, bio, bio);
        return true;
    }
    return SSL_set_fd(connection->ssl, connection->fd) == 1;
}

/* A connect BIO makes its socket itself. */
static bool attach_connect(struct connection *connection)
{
    char where[300];
    BIO *bio;

    snprintf(where, sizeof where, "%s:%u", options.address, connection->port);
    bio = BIO_new_connect(where);
    if (!bio)
        return false;
    SSL_set_bio(connection->ssl, bio, bio);
    return BIO_do_connect(bio) == 1;
}

bool connection_open(struct connection *connection, SSL_CTX *ctx, uint16_t port)
{
    memset(connection, 0, sizeof *connection);
    connection->fd = -1;
    connection->port = port;
    connection->ssl = SSL_new(ctx);
    if (!connection->ssl)
        return false;
    if (options.sni)
        SSL_set_tlsext_host_name(connection->ssl, options.sni);
    if (options.param)
        SSL_set1_host(connection->ssl, options.param);
    if (options.ip)
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection->ssl), options.ip);
    SSL_set_connect_state(connection->ssl);
    if (options.transport == TRANSPORT_CONNECT)
        return attach_connect(connection);
    connection->fd = connect_tcp(port);
    return connection->fd >= 0 && speak_first(connection->fd) && attach(connection);
}

void connection_send(struct connection *connection)
{
    char data[16384];
    int len;

    while ((len = BIO_read(connection->out, data, sizeof data)) > 0)
        if (send(connection->fd, data, (size_t)len, MSG_NOSIGNAL) != len)
            return;
}

bool connection_receive(struct connection *connection)
{
    char data[16384];
    ssize_t len = recv(connection->fd, data, sizeof data, 0);

    return len > 0 && BIO_write(connection->in, data, (int)len) == (int)len;
}

int connection_step(struct connection *connection)
{
    int result = SSL_do_handshake(connection->ssl);

    connection_send(connection);
    if (result == 1)
        return 1;
    return SSL_get_error(connection->ssl, result) == SSL_ERROR_WANT_READ ? 0 : -1;
}

static bool handshake_in_memory(struct connection *connection)
{
    int result;

    while ((result = connection_step(connection)) == 0)
        if (!connection_receive(connection))
            return false;
    return result == 1;
}

bool connection_handshake(struct connection *connection)
{
    bool ok;

    if (setjmp(escape) != 0)
        return false;
    if (options.transport == TRANSPORT_MEMORY)
        ok = handshake_in_memory(connection);
    else
        ok = SSL_do_handshake(connection->ssl) == 1;
    return ok;
}

void connection_report(struct connection *connection, bool ok)
{
    long result = SSL_get_verify_result(connection->ssl);
    char line[128];
    int len = snprintf(line, sizeof line, "port=%u ok=%d result=%ld queue=%d reused=%d\n",
                       connection->port, ok, result, ERR_peek_error() != 0,
                       SSL_session_reused(connection->ssl));

    if (write(STDOUT_FILENO, line, (size_t)len) != len)
        abort();
}

void connection_close(struct connection *connection)
{
    SSL_free(connection->ssl);
    if (connection->fd >= 0)
        close(connection->fd);
    connection->ssl = NULL;
    connection->fd = -1;
}

bool connect_once(SSL_CTX *ctx, uint16_t port)
{
    struct connection connection;
    bool ok = connection_open(&connection, ctx, port) && connection_handshake(&connection);

    connection_report(&connection, ok);
    connection_close(&connection);
    return ok;
}
