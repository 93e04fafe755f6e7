/* SPDX-License-Identifier: MIT */
/* Full handshakes of an ordinary NSS client.
 *
 *   nss-handshakes DATABASE HOST PORT COUNT
 *
 * Makes COUNT of them with 127.0.0.1:PORT one after the other, each with a new connection, and
 * prints a line "WALL_NS CPU_NS SOCKET_NS" for each; the last is the CPU time in the socket's reads
 * and writes alone, without the cryptography that hides it. One that fails ends it with status 1.
 */
#include <stdio.h>
#include <stdlib.h>

#include <ssl.h>

#include "bench/nss-world.h"

static PRDescIdentity identity;
static PRIOMethods methods;
static uint64_t socket_ns;

static PRInt32 timed_recv(PRFileDesc *fd, void *data, PRInt32 amount, PRIntn flags,
                          PRIntervalTime timeout)
{
    uint64_t start = nss_cpu_ns();
    PRInt32 result = PR_Recv(fd->lower, data, amount, flags, timeout);

    socket_ns += nss_cpu_ns() - start;
    return result;
}

static PRInt32 timed_send(PRFileDesc *fd, const void *data, PRInt32 amount, PRIntn flags,
                          PRIntervalTime timeout)
{
    uint64_t start = nss_cpu_ns();
    PRInt32 result = PR_Send(fd->lower, data, amount, flags, timeout);

    socket_ns += nss_cpu_ns() - start;
    return result;
}

/* Puts a clock between TLS and the socket. */
static void time_socket(PRFileDesc *fd)
{
    PRFileDesc *layer = PR_CreateIOLayerStub(identity, &methods);

    nss_must(layer != NULL && PR_PushIOLayer(fd, PR_NSPR_IO_LAYER, layer) == PR_SUCCESS, "layer");
    socket_ns = 0;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: nss-handshakes DATABASE HOST PORT COUNT\n");
        return 2;
    }
    nss_begin(argv[1]);
    identity = PR_GetUniqueIdentity("clock");
    methods = *PR_GetDefaultIOMethods();
    methods.recv = timed_recv;
    methods.send = timed_send;
    for (long i = atol(argv[4]); i > 0; i--) {
        uint64_t wall = nss_wall_ns(), cpu = nss_cpu_ns();
        PRFileDesc *fd = nss_dial(argv[2], atoi(argv[3]));

        time_socket(fd);
        nss_must(SSL_ForceHandshake(fd) == SECSuccess, "handshake");
        PR_Close(fd);
        printf("%llu %llu %llu\n", (unsigned long long)(nss_wall_ns() - wall),
               (unsigned long long)(nss_cpu_ns() - cpu), (unsigned long long)socket_ns);
    }
    nss_end();
    return 0;
}
