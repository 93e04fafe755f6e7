/* SPDX-License-Identifier: MIT */
/* A program over NSS that behaves like many: the module's tests run it with libconverge-nss.so
 * loaded. It prints a line for each connection:
 *
 *   port=P ok=0|1 error=NAME later=NAME waits=N reused=0|1
 *
 * ok: a request was sent and answered. error: NSPR's of what failed first; later: after our
 * refusal, that of one more octet, written to the TCP socket itself. waits: how often it would have
 * blocked. */
#ifndef CVG_TESTS_NSS_MODULE_HOST_H
#define CVG_TESTS_NSS_MODULE_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include <nspr.h>
#include <cert.h>
#include <keyhi.h>
#include <nss.h>
#include <private/pprio.h>
#include <ssl.h>

#define HOST_TARGETS_MAX 128

struct target {
    uint16_t port;
    const char *name; /* for SSL_SetURL; NULL: none */
};

struct options {
    struct target target[HOST_TARGETS_MAX]; /* each --port, with the --name before it */
    unsigned targets;
    const char *module; /* that the program loads by itself */
    const char *db;
    const char *cert; /* PEM, its key beside it: what the server shows */
    const char *name;
    const char *address; /* where servers are: 127.0.0.1 */
    const char *before;  /* what is spoken before TLS: connect, starttls, socks */
    unsigned count;
    bool nonblocking;
    bool tls12;
    bool import;   /* sockets are not NSPR's from the beginning */
    bool overrule; /* the program lets bad certificates pass */
    bool step;     /* a line of input before each connection */
};

extern struct options options;

struct connection {
    PRFileDesc *fd; /* the top layer */
    uint16_t port;
    unsigned waits;
    PRErrorCode error, later;
    bool ok, reused;
};

/* NSS in the options' database, with the module; ends the program where that fails. */
void host_begin(void);
void host_end(void);
void host_load(void);
void host_unload(void);

/* Connects and speaks what comes before TLS. */
bool connection_open(struct connection *connection, const struct target *target);
/* Sends the request and reads the answer, waiting for what would block. */
void connection_exchange(struct connection *connection);
/* One step for a loop: PR_POLL_READ or PR_POLL_WRITE, what to wait for; 0 once it is over. */
PRInt16 connection_step(struct connection *connection);
/* The descriptor of NSPR's own layer. */
PRFileDesc *connection_socket(const struct connection *connection);
void connection_report(struct connection *connection);
void connection_close(struct connection *connection);
/* All of it, for options.count connections. */
void connect_some(const struct target *target);

/* The scenes: each returns the program's exit status. */
int scene_connect(void);
int scene_loop(void);
int scene_threads(void);
int scene_serve(void);
int scene_hook_before(void);
int scene_hook_after(void);
int scene_bury(void);
int scene_restart(void);
int scene_errors(void);
int scene_listen(void);
int scene_fork(void);
int scene_renegotiate(void);
int scene_copy(void);
int scene_ways(void);

#endif
