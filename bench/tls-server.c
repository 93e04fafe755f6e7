/* SPDX-License-Identifier: MIT */
/* A TLS server for the bench: one handshake per connection, then it waits for the client to hang up.
 * A thread per connection, because the notaries look while the client's handshake waits for them.
 *
 *   tls-server CERTIFICATE.pem KEY.pem
 *
 * Listens on 127.0.0.1, prints "listening PORT", ends on SIGTERM. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

static SSL_CTX *make_context(const char *certificate, const char *key)
{
    SSL_CTX *made = SSL_CTX_new(TLS_server_method());

    if (made == NULL)
        return NULL;
    SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(made, 0);
    if (SSL_CTX_use_certificate_chain_file(made, certificate) == 1 &&
        SSL_CTX_use_PrivateKey_file(made, key, SSL_FILETYPE_PEM) == 1)
        return made;
    SSL_CTX_free(made);
    return NULL;
}

static int listen_on_loopback(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, 1024) != 0 || getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return -1;
    printf("listening %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static SSL_CTX *context;

static void *serve(void *argument)
{
    int fd = (int)(intptr_t)argument;
    SSL *ssl = SSL_new(context);
    char octet;
    int one = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (ssl != NULL && SSL_set_fd(ssl, fd) == 1 && SSL_accept(ssl) == 1)
        (void)SSL_read(ssl, &octet, 1); /* until the client is done with us */
    SSL_free(ssl);
    close(fd);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_attr_t detached;
    pthread_t thread;
    int listener;

    if (argc != 3) {
        fprintf(stderr, "usage: tls-server CERTIFICATE.pem KEY.pem\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    context = make_context(argv[1], argv[2]);
    if (context == NULL || (listener = listen_on_loopback()) < 0) {
        fprintf(stderr, "tls-server: cannot serve %s\n", argv[1]);
        return 1;
    }
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd >= 0 && pthread_create(&thread, &detached, serve, (void *)(intptr_t)fd) != 0)
            close(fd);
    }
}
