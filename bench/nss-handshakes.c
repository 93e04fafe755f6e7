/* SPDX-License-Identifier: MIT */
/* Full handshakes of an ordinary NSS client.
 *
 *   nss-handshakes DATABASE HOST PORT COUNT
 *
 * Makes COUNT of them with 127.0.0.1:PORT one after the other, each with a new connection, and
 * prints a line "WALL_NS CPU_NS" for each. One that fails ends it with status 1. */
#include <stdio.h>
#include <stdlib.h>

#include <ssl.h>

#include "bench/nss-world.h"

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: nss-handshakes DATABASE HOST PORT COUNT\n");
        return 2;
    }
    nss_begin(argv[1]);
    for (long i = atol(argv[4]); i > 0; i--) {
        uint64_t wall = nss_wall_ns(), cpu = nss_cpu_ns();
        PRFileDesc *fd = nss_dial(argv[2], atoi(argv[3]));

        nss_must(SSL_ForceHandshake(fd) == SECSuccess, "handshake");
        PR_Close(fd);
        printf("%llu %llu\n", (unsigned long long)(nss_wall_ns() - wall),
               (unsigned long long)(nss_cpu_ns() - cpu));
    }
    nss_end();
    return 0;
}
