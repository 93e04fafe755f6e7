/* SPDX-License-Identifier: MIT */
/* Scenes of single connections, and of a server, see host.h. */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <prerror.h>

#include "tests/nss-module/host.h"

int scene_connect(void)
{
    host_begin();
    for (unsigned i = 0; i < options.targets; i++)
        connect_some(&options.target[i]);
    host_end();
    return 0;
}

/* Errors that the program had before a write that passes are there after it. */
int scene_errors(void)
{
    struct connection connection;
    PRFileDesc *tcp;
    PRInt32 sent;

    host_begin();
    if (connection_open(&connection, &options.target[0]))
        connection_exchange(&connection);
    tcp = connection_socket(&connection);
    PR_SetError(PR_FILE_NOT_FOUND_ERROR, 77);
    errno = 78;
    sent = tcp->methods->send(tcp, "x", 1, 0, PR_INTERVAL_NO_TIMEOUT);
    printf("sent=%d error=%s os=%d errno=%d\n", sent, PR_ErrorToName(PR_GetError()),
           PR_GetOSError(), errno);
    connection_close(&connection);
    host_end();
    return 0;
}

static PRInt32 write_one(PRFileDesc *tcp, const char *octet)
{
    return tcp->methods->write(tcp, octet, 1);
}

static PRInt32 send_one(PRFileDesc *tcp, const char *octet)
{
    return tcp->methods->send(tcp, octet, 1, 0, PR_INTERVAL_NO_TIMEOUT);
}

static PRInt32 writev_one(PRFileDesc *tcp, const char *octet)
{
    const PRIOVec iov = {(char *)(uintptr_t)octet, 1};

    return tcp->methods->writev(tcp, &iov, 1, PR_INTERVAL_NO_TIMEOUT);
}

static PRInt32 sendto_one(PRFileDesc *tcp, const char *octet)
{
    PRNetAddr peer;

    PR_GetPeerName(tcp, &peer);
    return tcp->methods->sendto(tcp, octet, 1, 0, &peer, PR_INTERVAL_NO_TIMEOUT);
}

/* Every way in which octets can leave. These are the beginning of a record, so that the server goes
 * on listening. */
int scene_ways(void)
{
    static PRInt32 (*const ways[])(PRFileDesc *, const char *) = {write_one, send_one, writev_one,
                                                                  sendto_one};
    static const char octets[] = {0x17, 3, 3, 1};
    struct connection connection;
    PRInt32 sent;

    host_begin();
    if (connection_open(&connection, &options.target[0]))
        connection_exchange(&connection);
    for (unsigned i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        PR_SetError(0, 0);
        sent = ways[i](connection_socket(&connection), &octets[i]);
        printf("%d/%s ", sent, sent < 0 ? PR_ErrorToName(PR_GetError()) : "-");
    }
    printf("\n");
    connection_close(&connection);
    host_end();
    return 0;
}

static void hear(const struct connection *connection, const char *when)
{
    PRFileDesc *tcp = connection_socket(connection);
    char octet;
    PRInt32 len = tcp->methods->recv(tcp, &octet, 1, 0, PR_INTERVAL_NO_WAIT);

    printf("%s=%d/%s ", when, len, len < 0 ? PR_ErrorToName(PR_GetError()) : "-");
}

static bool is_shown(PRFileDesc *fd)
{
    CERTCertificate *cert = SSL_PeerCertificate(fd);

    CERT_DestroyCertificate(cert);
    return cert != NULL;
}

/* What the server says before it has been judged, and after. Once its certificate is there, a few
 * steps more bring the end of its flight, and the handshake to where it is held. */
int scene_listen(void)
{
    struct connection connection;
    PRPollDesc poll = {.fd = NULL};

    host_begin();
    options.nonblocking = true;
    if (!connection_open(&connection, &options.target[0]))
        return 1;
    poll.fd = connection.fd;
    for (unsigned held = 0; held < 4 && (poll.in_flags = connection_step(&connection)) != 0;
         held += is_shown(connection.fd))
        PR_Poll(&poll, 1, PR_MillisecondsToInterval(10));
    hear(&connection, "before");
    while ((poll.in_flags = connection_step(&connection)) != 0)
        PR_Poll(&poll, 1, PR_MillisecondsToInterval(10));
    hear(&connection, "after");
    printf("\n");
    connection_close(&connection);
    host_end();
    return 0;
}

/* A second handshake on the connection of the first. */
int scene_renegotiate(void)
{
    struct connection connection;
    SECStatus status;

    host_begin();
    if (connection_open(&connection, &options.target[0]))
        connection_exchange(&connection);
    connection_report(&connection);
    status = SSL_ReHandshake(connection.fd, PR_TRUE);
    if (status == SECSuccess)
        status = SSL_ForceHandshake(connection.fd);
    printf("again=%d\n", status == SECSuccess);
    connection.ok = false;
    connection_exchange(&connection);
    connection_report(&connection);
    connection_close(&connection);
    host_end();
    return 0;
}

/* The question is asked in the parent; the child goes on with the connection. */
int scene_fork(void)
{
    struct connection connection;
    PRPollDesc poll = {.fd = NULL};
    int status = 1;
    pid_t child;

    host_begin();
    options.nonblocking = true;
    if (!connection_open(&connection, &options.target[0]))
        return 1;
    poll.fd = connection.fd;
    while (connection.waits < 20 && (poll.in_flags = connection_step(&connection)) != 0)
        PR_Poll(&poll, 1, PR_MillisecondsToInterval(10));
    child = fork();
    if (child == 0) {
        connection_exchange(&connection);
        connection_report(&connection);
        _exit(0);
    }
    waitpid(child, &status, 0);
    connection_close(&connection);
    host_end();
    return status;
}
