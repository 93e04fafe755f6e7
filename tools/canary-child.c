/* SPDX-License-Identifier: MIT */
/* The canary's own process: loads the configuration like any program, and shakes hands with itself
 * twice. It only reports; its parent judges. */
#include "tools/canary.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/config.h"
#include "common/protocol/digest.h"
#include "tools/canary-report.h"
#include "tools/loopback.h"
#include "tools/openssl-conf.h"

#define STEPS_MAX  200
#define STEP_MS    50
#define VALID_S    3600L
#define HANDSHAKES 2

struct ends {
    int client, server;
    uint16_t port;
};

static void report_provider(void)
{
    const char *state = "";
    OSSL_PARAM params[2];
    OSSL_PROVIDER *provider;

    if (OSSL_PROVIDER_available(NULL, CVG_PROVIDER_NAME) != 1)
        return;
    puts(CVG_CANARY_LOADED);
    provider = OSSL_PROVIDER_load(NULL, CVG_PROVIDER_NAME);
    if (provider == NULL)
        return;
    params[0] =
        OSSL_PARAM_construct_utf8_ptr(OSSL_PROV_PARAM_BUILDINFO, (char **)(void *)&state, 0);
    params[1] = OSSL_PARAM_construct_end();
    if (OSSL_PROVIDER_get_params(provider, params) == 1 && strcmp(state, "watching") == 0)
        puts(CVG_CANARY_WATCHING);
    OSSL_PROVIDER_unload(provider);
}

void cvg_canary_report_private(void)
{
    struct cvg_config config;
    struct cvg_paths paths;
    const char *wish = getenv("CONVERGE_CONFIG_DIR");

    if (wish != NULL && cvg_config_load(&config, &paths, NULL) == CVG_OK &&
        strcmp(paths.config_dir, wish) == 0)
        puts(CVG_CANARY_PRIVATE);
}

static bool report_certificate(X509 *cert)
{
    uint8_t digest[CVG_SHA256_LEN];
    char text[CVG_FINGERPRINT_TEXT_MAX];
    unsigned len = 0;

    if (X509_digest(cert, EVP_sha256(), digest, &len) != 1)
        return false;
    printf(CVG_CANARY_LEAF " %s\n",
           cvg_fingerprint_format(digest, sizeof digest, text, sizeof text));
    return true;
}

/* A loopback TCP connection with both ends here. */
static bool connect_ends(struct ends *ret_ends)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ret_ends->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ret_ends->server = -1;
    if (listener >= 0 && ret_ends->client >= 0 &&
        bind(listener, (struct sockaddr *)&address, sizeof address) == 0 &&
        listen(listener, 1) == 0 && getsockname(listener, (struct sockaddr *)&address, &len) == 0 &&
        connect(ret_ends->client, (struct sockaddr *)&address, sizeof address) == 0)
        ret_ends->server = accept(listener, NULL, NULL);
    if (listener >= 0)
        close(listener);
    ret_ends->port = ntohs(address.sin_port);
    return ret_ends->server >= 0 && fcntl(ret_ends->client, F_SETFL, O_NONBLOCK) == 0 &&
           fcntl(ret_ends->server, F_SETFL, O_NONBLOCK) == 0;
}

static bool wants_more(const SSL *ssl, int result)
{
    int error = SSL_get_error(ssl, result);

    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

/* Both sides in turn, until the client has come through or failed. */
static void shake_hands(SSL *client, SSL *server, const struct ends *ends)
{
    struct pollfd polls[2] = {{.fd = ends->client, .events = POLLIN},
                              {.fd = ends->server, .events = POLLIN}};

    for (int step = 0; step < STEPS_MAX; step++) {
        int result = SSL_connect(client);

        if (result == 1) {
            puts(CVG_CANARY_PASSED);
            return;
        }
        if (!wants_more(client, result)) {
            puts(SSL_get_verify_result(client) != X509_V_OK ? CVG_CANARY_REFUSED
                                                            : CVG_CANARY_FAILED);
            return;
        }
        result = SSL_accept(server);
        if (result != 1 && !wants_more(server, result))
            break;
        poll(polls, 2, result == 1 ? 0 : STEP_MS);
    }
    puts(CVG_CANARY_FAILED);
}

static bool try_once(SSL_CTX *client_context, SSL_CTX *server_context)
{
    char host[] = CVG_CANARY_HOST; /* the macro below casts const away */
    struct ends ends;
    SSL *client = SSL_new(client_context), *server = SSL_new(server_context);
    bool fine = connect_ends(&ends) && client != NULL && server != NULL &&
                SSL_set_fd(client, ends.client) == 1 && SSL_set_fd(server, ends.server) == 1 &&
                SSL_set1_host(client, host) == 1 && SSL_set_tlsext_host_name(client, host) == 1;

    if (fine) {
        printf(CVG_CANARY_PORT " %u\n", (unsigned)ends.port);
        fflush(stdout);
        shake_hands(client, server, &ends);
    }
    SSL_free(client);
    SSL_free(server);
    if (ends.client >= 0)
        close(ends.client);
    if (ends.server >= 0)
        close(ends.server);
    return fine;
}

int cvg_canary_main(void)
{
    SSL_CTX *client = SSL_CTX_new(TLS_client_method()), *server = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = NULL;
    X509 *cert = NULL;
    bool fine =
        client != NULL && server != NULL && cvg_loopback_certificate(CVG_CANARY_HOST, &key, &cert);

    cvg_canary_report_private();
    report_provider();
    fine = fine && report_certificate(cert) && SSL_CTX_use_certificate(server, cert) == 1 &&
           SSL_CTX_use_PrivateKey(server, key) == 1 &&
           X509_STORE_add_cert(SSL_CTX_get_cert_store(client), cert) == 1;
    if (fine)
        SSL_CTX_set_verify(client, SSL_VERIFY_PEER, NULL);
    for (int i = 0; fine && i < HANDSHAKES; i++)
        fine = try_once(client, server);
    X509_free(cert);
    EVP_PKEY_free(key);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    return fine ? 0 : 1;
}
