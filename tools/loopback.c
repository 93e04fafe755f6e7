/* SPDX-License-Identifier: MIT */
/* A certificate and a server that need nothing but this process. */
#include "tools/loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/endpoint.h"

#define VALID_S    3600L
#define PATIENCE_S 3
#define LIFE_S     60
#define BACKLOG    8

static bool fill_certificate(const char *host, X509 *cert, EVP_PKEY *key)
{
    char names[CVG_HOST_MAX + 8];
    X509_NAME *name = X509_get_subject_name(cert);
    X509_EXTENSION *san;
    bool fine;

    snprintf(names, sizeof names, "DNS:%s", host);
    san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
    fine = san != NULL && X509_set_version(cert, 2) == 1 &&
           ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(cert), -VALID_S) != NULL &&
           X509_gmtime_adj(X509_getm_notAfter(cert), VALID_S) != NULL &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)host, -1, -1,
                                      0) == 1 &&
           X509_set_issuer_name(cert, name) == 1 && X509_set_pubkey(cert, key) == 1 &&
           X509_add_ext(cert, san, -1) == 1 && X509_sign(cert, key, EVP_sha256()) > 0;
    X509_EXTENSION_free(san);
    return fine;
}

bool cvg_loopback_certificate(const char *host, EVP_PKEY **ret_key, X509 **ret_cert)
{
    *ret_key = EVP_EC_gen("P-256");
    *ret_cert = X509_new();
    return *ret_key != NULL && *ret_cert != NULL && fill_certificate(host, *ret_cert, *ret_key);
}

static int open_listener(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
        listen(fd, BACKLOG) == 0 && getsockname(fd, (struct sockaddr *)&address, &len) == 0) {
        *ret_port = ntohs(address.sin_port);
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

static SSL_CTX *make_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = NULL;
    X509 *cert = NULL;
    bool fine = context != NULL && cvg_loopback_certificate("localhost", &key, &cert) &&
                SSL_CTX_use_certificate(context, cert) == 1 &&
                SSL_CTX_use_PrivateKey(context, key) == 1;

    EVP_PKEY_free(key);
    X509_free(cert);
    if (fine)
        return context;
    SSL_CTX_free(context);
    return NULL;
}

/* One visitor: shake hands, read a little, say something that ends most protocols. */
static void serve(SSL_CTX *context, int fd)
{
    static const char answer[] = "HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    struct timeval patience = {PATIENCE_S, 0};
    SSL *ssl = SSL_new(context);
    char chunk[2048];

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (ssl != NULL && SSL_set_fd(ssl, fd) == 1 && SSL_accept(ssl) == 1 &&
        SSL_read(ssl, chunk, sizeof chunk) > 0 && SSL_write(ssl, answer, sizeof answer - 1) > 0)
        SSL_shutdown(ssl);
    SSL_free(ssl);
}

static void run_server(int listener, int visits)
{
    SSL_CTX *context = make_context();

    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(LIFE_S);
    while (context != NULL) {
        int fd = accept(listener, NULL, NULL);

        if (fd < 0 && errno != EINTR)
            break;
        if (fd < 0)
            continue;
        if (write(visits, "v", 1) == 1)
            serve(context, fd);
        close(fd);
    }
    _exit(1);
}

enum cvg_error cvg_loopback_start(struct cvg_loopback *ret_server, struct cvg_why *ret_why)
{
    int visits[2];
    int listener = open_listener(&ret_server->port);

    if (listener < 0)
        return cvg_fail(ret_why, CVG_ERR_IO, "cannot listen on the loopback: %s", strerror(errno));
    if (pipe2(visits, O_CLOEXEC) != 0) {
        close(listener);
        return cvg_fail(ret_why, CVG_ERR_IO, "cannot make a pipe: %s", strerror(errno));
    }
    ret_server->pid = fork();
    if (ret_server->pid == 0)
        run_server(listener, visits[1]);
    close(listener);
    close(visits[1]);
    ret_server->visits = visits[0];
    if (ret_server->pid > 0)
        return CVG_OK;
    close(visits[0]);
    return cvg_fail(ret_why, CVG_ERR_IO, "cannot fork: %s", strerror(errno));
}

void cvg_loopback_end(struct cvg_loopback *server)
{
    close(server->visits);
    kill(server->pid, SIGKILL);
    while (waitpid(server->pid, NULL, 0) < 0 && errno == EINTR)
        ;
}
