/* SPDX-License-Identifier: MIT */
/* A TLS client that behaves like many programs at once: the provider's tests run it with the module
 * loaded. It prints a line for each handshake, "port=P ok=0|1 result=X509_V_* queue=0|1
 * reused=0|1"; queue: OpenSSL's error queue is not empty. */
#ifndef CVG_TESTS_PROVIDER_HOST_H
#define CVG_TESTS_PROVIDER_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#define HOST_PORTS_MAX 128

enum transport {
    TRANSPORT_FD,     /* SSL_set_fd */
    TRANSPORT_MEMORY, /* two memory BIOs, the program moves the octets */
    TRANSPORT_CUSTOM, /* a BIO of the program's own that does not tell its descriptor */
    TRANSPORT_CONNECT /* BIO_s_connect */
};

struct options {
    uint16_t port[HOST_PORTS_MAX];
    size_t ports;
    const char *param; /* name for OpenSSL's own check */
    const char *ip;
    char *sni;
    const char *ca;
    enum transport transport;
    bool verify_none;
    const char *callback; /* pass, strict, later, jump: see callbacks in connection.c */
    const char *own;      /* a cert_verify_callback of the program's own: plain, blind */
    const char *preamble; /* psql, connect */
    const char *address;  /* where servers are: 127.0.0.1 */
    bool spread;          /* an event loop's odd connections go to 127.0.0.2 */
    const char *cert;     /* a client certificate, PEM; its key beside it */
    unsigned count;
    bool tls12;
};

extern struct options options;

struct connection {
    SSL *ssl;
    int fd;
    uint16_t port;
    BIO *in, *out; /* TRANSPORT_MEMORY: what TLS reads and writes */
};

/* A client's SSL_CTX as the options say, in this library context (NULL: the default one). */
SSL_CTX *host_ctx(OSSL_LIB_CTX *libctx);

/* Connects, speaks the preamble, and makes an SSL that is ready for its handshake. */
bool connection_open(struct connection *connection, SSL_CTX *ctx, uint16_t port);
/* Runs the handshake to its end. */
bool connection_handshake(struct connection *connection);
/* TRANSPORT_MEMORY: one step; 1 done, 0 goes on, -1 failed. */
int connection_step(struct connection *connection);
void connection_send(struct connection *connection);    /* what TLS has written */
bool connection_receive(struct connection *connection); /* blocks for what TLS may read */
void connection_report(struct connection *connection, bool ok);
void connection_close(struct connection *connection);

/* Opens, handshakes, reports, closes. */
bool connect_once(SSL_CTX *ctx, uint16_t port);

/* The scenes: each returns the program's exit status. */
int scene_connect(void);
int scene_threads(void);
int scene_interleave(void);
int scene_gather(void);
int scene_fork(void);
int scene_close_fds(void);
int scene_exit(void);
int scene_contexts(void);
int scene_default_context(void);
int scene_reload(void);
int scene_unload(void);
int scene_late(void);
int scene_second(void);
int scene_resume(void);
int scene_pair(void);
int scene_verify(void);
int scene_sockets(void);
int scene_trickle(void);
int scene_growth(void);
int scene_no_proc(void);
int scene_allocations(void);
int scene_time(void);

#endif
