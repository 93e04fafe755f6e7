/* SPDX-License-Identifier: MIT */
/* Scenes about TLS itself: resumption, both sides in one process, renegotiation, and verifications
 * that are none of our business. */
#include "config.h"

#include "tests/provider/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

static SSL_SESSION *session;

static int keep_session(SSL *ssl, SSL_SESSION *fresh)
{
    (void)ssl;
    SSL_SESSION_free(session);
    session = fresh;
    return 1;
}

static bool connect_with(SSL_CTX *ctx, SSL_SESSION *old)
{
    struct connection connection;
    char data[256];
    bool ok;

    if (!connection_open(&connection, ctx, options.port[0]))
        return false;
    if (old)
        SSL_set_session(connection.ssl, old);
    ok = connection_handshake(&connection);
    if (ok && SSL_write(connection.ssl, "GET /\r\n\r\n", 9) == 9)
        ok = SSL_read(connection.ssl, data, sizeof data) > 0;
    SSL_shutdown(connection.ssl);
    connection_report(&connection, ok);
    connection_close(&connection);
    return ok;
}

/* A first connection, and one that resumes its session. */
int scene_resume(void)
{
    SSL_CTX *ctx = host_ctx(NULL);
    SSL_SESSION *old;

    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(ctx, keep_session);
    connect_with(ctx, NULL);
    old = session;
    session = NULL;
    connect_with(ctx, old);
    SSL_SESSION_free(old);
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    return 0;
}

static SSL_CTX *server_ctx(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    char key[512];

    snprintf(key, sizeof key, "%.*s.key", (int)strlen(options.cert) - 4, options.cert);
    if (SSL_CTX_use_certificate_file(ctx, options.cert, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_load_verify_file(ctx, options.ca) != 1)
        exit(3);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_options(ctx, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"host", 4);
    return ctx;
}

static bool alternate(SSL *client, SSL *server)
{
    int c = 0, s = 0;
    char data[16];

    for (int i = 0; i < 50 && (c != 1 || s != 1); i++) {
        c = SSL_do_handshake(client);
        s = SSL_do_handshake(server);
        SSL_read(server, data, sizeof data);
    }
    return c == 1 && s == 1;
}

/* Client and server in one process, without a socket. The server verifies a client certificate.
 * With TLS 1.2 the client renegotiates count - 1 times. */
int scene_pair(void)
{
    SSL_CTX *ctx = host_ctx(NULL), *theirs = server_ctx();
    struct connection connection = {.fd = -1, .ssl = SSL_new(ctx)};
    SSL *server = SSL_new(theirs);
    BIO *near, *far;
    bool ok;

    BIO_new_bio_pair(&near, 65536, &far, 65536);
    SSL_set_bio(connection.ssl, near, near);
    SSL_set_bio(server, far, far);
    if (options.sni)
        SSL_set_tlsext_host_name(connection.ssl, options.sni);
    if (options.param)
        SSL_set1_host(connection.ssl, options.param);
    SSL_set_connect_state(connection.ssl);
    SSL_set_accept_state(server);
    ok = alternate(connection.ssl, server);
    connection_report(&connection, ok);
    for (unsigned i = 1; ok && i < options.count; i++) {
        ok = SSL_renegotiate(connection.ssl) == 1 && alternate(connection.ssl, server);
        connection_report(&connection, ok);
    }
    SSL_free(server);
    connection_close(&connection);
    SSL_CTX_free(theirs);
    SSL_CTX_free(ctx);
    return 0;
}

/* Verifies the certificate as `openssl verify` would. */
int scene_verify(void)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    BIO *file = BIO_new_file(options.cert, "r");
    X509 *cert = PEM_read_bio_X509(file, NULL, NULL, NULL);
    int ok;

    X509_STORE_load_file(store, options.ca);
    X509_STORE_CTX_init(ctx, store, cert, NULL);
    if (options.param)
        X509_VERIFY_PARAM_set1_host(X509_STORE_CTX_get0_param(ctx), options.param, 0);
    ok = X509_verify_cert(ctx);
    printf("ok=%d result=%d\n", ok, X509_STORE_CTX_get_error(ctx));
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    X509_free(cert);
    BIO_free(file);
    return 0;
}
