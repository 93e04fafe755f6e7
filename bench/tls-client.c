/* SPDX-License-Identifier: MIT */
/* An ordinary OpenSSL client for the bench: it knows nothing of Converge, and verifies as programs
 * do (CA file, host name, SNI).
 *
 *   tls-client CA.pem HOST PORT COUNT
 *
 * Makes COUNT full handshakes with 127.0.0.1:PORT one after the other, each with a new connection,
 * and prints a line "WALL_NS CPU_NS" for each. A handshake that fails ends it with status 1. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

static uint64_t now_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int dial(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int one = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("tls-client: connect");
        exit(1);
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static int handshake(SSL_CTX *context, const char *host, int port)
{
    SSL *ssl = SSL_new(context);
    int fd = dial(port);
    int ok = ssl != NULL && SSL_set_tlsext_host_name(ssl, host) == 1 &&
             SSL_set1_host(ssl, host) == 1 && SSL_set_fd(ssl, fd) == 1 && SSL_connect(ssl) == 1;

    SSL_free(ssl);
    close(fd);
    return ok;
}

int main(int argc, char **argv)
{
    SSL_CTX *context;

    if (argc != 5) {
        fprintf(stderr, "usage: tls-client CA.pem HOST PORT COUNT\n");
        return 2;
    }
    context = SSL_CTX_new(TLS_client_method());
    if (context == NULL || SSL_CTX_load_verify_file(context, argv[1]) != 1) {
        fprintf(stderr, "tls-client: cannot use %s\n", argv[1]);
        return 1;
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    for (long i = atol(argv[4]); i > 0; i--) {
        uint64_t wall = now_ns(CLOCK_MONOTONIC);
        uint64_t cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);

        if (!handshake(context, argv[2], atoi(argv[3]))) {
            ERR_print_errors_fp(stderr);
            return 1;
        }
        printf("%llu %llu\n", (unsigned long long)(now_ns(CLOCK_MONOTONIC) - wall),
               (unsigned long long)(now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu));
    }
    SSL_CTX_free(context);
    return 0;
}
