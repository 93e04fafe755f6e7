/* SPDX-License-Identifier: MIT */
/* Begins and ends NSS, and connects as its programs do, see nss-world.h. */
#include "bench/nss-world.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <nss.h>
#include <prerror.h>
#include <ssl.h>

void nss_must(int good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "bench: %s: %s\n", what, PR_ErrorToName(PR_GetError()));
    exit(1);
}

void nss_begin(const char *database)
{
    nss_must(NSS_Init(database) == SECSuccess, database);
    nss_must(NSS_SetDomesticPolicy() == SECSuccess, "policy");
}

void nss_end(void)
{
    nss_must(NSS_Shutdown() == SECSuccess, "shutdown");
}

PRFileDesc *nss_dial(const char *host, int port)
{
    PRFileDesc *fd = PR_OpenTCPSocket(PR_AF_INET);
    PRSocketOptionData option = {.option = PR_SockOpt_NoDelay, .value.no_delay = PR_TRUE};
    PRNetAddr address;

    nss_must(fd != NULL, "socket");
    PR_InitializeNetAddr(PR_IpAddrLoopback, (PRUint16)port, &address);
    nss_must(PR_Connect(fd, &address, PR_INTERVAL_NO_TIMEOUT) == PR_SUCCESS, "connect");
    nss_must(PR_SetSocketOption(fd, &option) == PR_SUCCESS, "option");
    fd = SSL_ImportFD(NULL, fd);
    nss_must(fd != NULL, "import");
    nss_must(SSL_OptionSet(fd, SSL_NO_CACHE, PR_TRUE) == SECSuccess &&
                 SSL_SetURL(fd, host) == SECSuccess &&
                 SSL_ResetHandshake(fd, PR_FALSE) == SECSuccess,
             "TLS");
    return fd;
}

static uint64_t now_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t nss_wall_ns(void)
{
    return now_ns(CLOCK_MONOTONIC);
}

uint64_t nss_cpu_ns(void)
{
    return now_ns(CLOCK_PROCESS_CPUTIME_ID);
}
