/* SPDX-License-Identifier: MIT */
/* Fetches https://HOST:PORT/ and prints it: fetch HOST [PORT [CAFILE]]. OpenSSL checks chain and
 * name as ever; then the notaries are asked about the certificate, and only if they agree the
 * request is sent. Exit status: 0 fetched, 1 refused or failed, 2 wrong usage.
 *
 *     cc fetch.c -o fetch $(pkg-config --cflags --libs libconverge openssl) */
#include <converge.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Not const: OpenSSL's macros for the first two would cast that away. */
struct site {
    char *host;
    char *port;
    const char *ca_file; /* NULL: the system's authorities */
};

/* A context that refuses what PKI does not accept; NULL on failure. */
static SSL_CTX *make_context(const struct site *site)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    if (context == NULL)
        return NULL;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    if (site->ca_file != NULL ? SSL_CTX_load_verify_locations(context, site->ca_file, NULL) == 1
                              : SSL_CTX_set_default_verify_paths(context) == 1)
        return context;
    SSL_CTX_free(context);
    return NULL;
}

/* The name, or address, that the certificate must be for. */
static bool expect_host(SSL *ssl, char *host)
{
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1)
        return true;
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

/* A BIO with a finished handshake; NULL on failure. */
static BIO *connect_to(const struct site *site, SSL_CTX *context, SSL **ret_ssl)
{
    BIO *bio = BIO_new_ssl_connect(context);

    if (bio == NULL)
        return NULL;
    BIO_get_ssl(bio, ret_ssl);
    SSL_set_mode(*ret_ssl, SSL_MODE_AUTO_RETRY);
    BIO_set_conn_hostname(bio, site->host);
    BIO_set_conn_port(bio, site->port);
    if (expect_host(*ret_ssl, site->host) && BIO_do_handshake(bio) == 1)
        return bio;
    BIO_free_all(bio);
    return NULL;
}

static void tell(int code, const converge_result *result)
{
    if (result == NULL)
        return;
    fprintf(stderr, "%s: %s; %s\n", converge_result_verdict(result), converge_strerror(code),
            converge_result_text(result));
    for (size_t i = 0; i < converge_result_vote_count(result); i++)
        fprintf(stderr, "  %s says %s (%u ms) %s\n", converge_result_vote_notary(result, i),
                converge_result_vote_answer(result, i), converge_result_vote_elapsed_ms(result, i),
                converge_result_vote_error(result, i));
}

/* What the notaries make of it: X509_V_OK or an X509_V_ERR_* value. */
static int ask(const struct site *site, SSL *ssl)
{
    converge_options *options = converge_options_new();
    converge_result *result = NULL;
    X509 *leaf = SSL_get1_peer_certificate(ssl);
    unsigned char *der = NULL;
    int len = leaf != NULL ? i2d_X509(leaf, &der) : -1;
    int code = X509_V_ERR_APPLICATION_VERIFICATION;

    if (options != NULL && len > 0 &&
        converge_options_set_certificate(options, der, (size_t)len) == 0 &&
        converge_options_set_pki_result(options, (int)SSL_get_verify_result(ssl)) == 0) {
        code = converge_check(site->host, atoi(site->port), NULL, options, &result);
        tell(code, result);
    }
    converge_result_free(result);
    converge_options_free(options);
    OPENSSL_free(der);
    X509_free(leaf);
    return code;
}

static bool fetch(const struct site *site, BIO *bio)
{
    char buffer[4096];
    int got;

    if (BIO_printf(bio, "GET / HTTP/1.0\r\nHost: %s\r\n\r\n", site->host) <= 0)
        return false;
    while ((got = BIO_read(bio, buffer, sizeof buffer)) > 0)
        fwrite(buffer, 1, (size_t)got, stdout);
    return true;
}

int main(int argc, char **argv)
{
    char default_port[] = "443";
    struct site site;
    SSL_CTX *context;
    BIO *bio = NULL;
    SSL *ssl = NULL;
    int status = EXIT_FAILURE;

    if (argc < 2 || argc > 4) {
        fprintf(stderr, "usage: fetch HOST [PORT [CAFILE]]\n");
        return 2;
    }
    site.host = argv[1];
    site.port = argc > 2 ? argv[2] : default_port;
    site.ca_file = argc > 3 ? argv[3] : NULL;
    context = make_context(&site);
    if (context != NULL)
        bio = connect_to(&site, context, &ssl);
    if (bio == NULL)
        ERR_print_errors_fp(stderr);
    else if (ask(&site, ssl) == X509_V_OK && fetch(&site, bio))
        status = EXIT_SUCCESS;
    BIO_free_all(bio);
    SSL_CTX_free(context);
    return status;
}
