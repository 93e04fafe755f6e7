/* SPDX-License-Identifier: MIT */
/* NSS's side of the connections in endure.h. */
#include "config.h"

#include "tests/nss-module/endure.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <nss.h>
#include <ssl.h>
#include <sslproto.h>

#define DESCRIPTORS_MAX 1024

static const char request[] = "GET / HTTP/1.0\r\n\r\n";

void nss_start(void)
{
    PR_Init(PR_USER_THREAD, PR_PRIORITY_NORMAL, 0);
    if (NSS_Init(options.database) == SECSuccess && NSS_SetDomesticPolicy() == SECSuccess)
        return;
    fprintf(stderr, "NSS_Init: %d\n", PR_GetError());
    exit(3);
}

bool nss_stop(void)
{
    SSL_ClearSessionCache();
    return NSS_Shutdown() == SECSuccess;
}

int nss_stop_and_tell(int left)
{
    int agents = agent_descriptors();

    printf("left=%d agents=%d stopped=%d\n", left, agents, nss_stop());
    return 0;
}

static bool connect_socket(PRFileDesc *tcp, bool nonblocking)
{
    PRSocketOptionData no_delay = {.option = PR_SockOpt_NoDelay};
    PRSocketOptionData option = {.option = PR_SockOpt_Nonblocking};
    PRNetAddr address;

    no_delay.value.no_delay = PR_TRUE;
    option.value.non_blocking = nonblocking;
    return PR_SetSocketOption(tcp, &no_delay) == PR_SUCCESS &&
           PR_InitializeNetAddr(PR_IpAddrLoopback, options.port, &address) == PR_SUCCESS &&
           PR_Connect(tcp, &address, PR_INTERVAL_NO_TIMEOUT) == PR_SUCCESS &&
           PR_SetSocketOption(tcp, &option) == PR_SUCCESS;
}

static bool start_tls(PRFileDesc *fd, const char *host)
{
    const SSLVersionRange range = {SSL_LIBRARY_VERSION_TLS_1_2, options.tls12
                                                                    ? SSL_LIBRARY_VERSION_TLS_1_2
                                                                    : SSL_LIBRARY_VERSION_TLS_1_3};

    return SSL_VersionRangeSet(fd, &range) == SECSuccess &&
           SSL_OptionSet(fd, SSL_NO_CACHE, !options.resume) == SECSuccess &&
           SSL_OptionSet(fd, SSL_ENABLE_SESSION_TICKETS, PR_TRUE) == SECSuccess &&
           SSL_SetURL(fd, host) == SECSuccess && SSL_ResetHandshake(fd, PR_FALSE) == SECSuccess;
}

bool talk_open_to(struct talk *talk, const char *host, bool nonblocking)
{
    PRFileDesc *tcp = PR_OpenTCPSocket(PR_AF_INET);

    memset(talk, 0, sizeof *talk);
    if (!tcp)
        return false;
    if (connect_socket(tcp, nonblocking)) {
        talk->fd = SSL_ImportFD(NULL, tcp);
        if (talk->fd && start_tls(talk->fd, host))
            return true;
    }
    talk->error = PR_GetError();
    PR_Close(talk->fd ? talk->fd : tcp);
    talk->fd = NULL;
    return false;
}

bool talk_open(struct talk *talk)
{
    return talk_open_to(talk, options.host, options.nonblocking);
}

static enum step stopped(struct talk *talk)
{
    talk->error = PR_GetError();
    return talk->error == PR_WOULD_BLOCK_ERROR ? STEP_AGAIN : STEP_FAILED;
}

enum step talk_handshake(struct talk *talk)
{
    if (!talk->shaken && SSL_ForceHandshake(talk->fd) != SECSuccess)
        return stopped(talk);
    talk->shaken = true;
    return STEP_DONE;
}

enum step talk_step(struct talk *talk)
{
    enum step step = talk_handshake(talk);
    char answer[512];

    if (step != STEP_DONE)
        return step;
    while (talk->sent < sizeof request - 1) {
        PRInt32 n =
            PR_Write(talk->fd, request + talk->sent, (PRInt32)(sizeof request - 1 - talk->sent));

        if (n < 0)
            return stopped(talk);
        talk->sent += (unsigned)n;
    }
    for (;;) {
        PRInt32 n = PR_Read(talk->fd, answer, sizeof answer);

        if (n < 0)
            return stopped(talk);
        if (n == 0)
            return talk->got > 0 ? STEP_DONE : STEP_FAILED;
        talk->got += (unsigned)n;
    }
}

bool talk_finish(struct talk *talk)
{
    return talk->fd && talk_many(talk, 1) == 1;
}

/* What NSS wants to wait for, it says itself while it shakes hands. */
static void wait_for(struct talk *talk, unsigned count)
{
    PRPollDesc *poll = calloc(count, sizeof *poll);

    if (!poll)
        abort();
    for (unsigned i = 0; i < count; i++) {
        bool reads = talk[i].shaken && talk[i].sent == sizeof request - 1;

        poll[i].fd = talk[i].fd; /* NULL is passed over */
        poll[i].in_flags = reads ? PR_POLL_READ : PR_POLL_READ | PR_POLL_WRITE;
    }
    PR_Poll(poll, (PRIntn)count, PR_MillisecondsToInterval(100));
    free(poll);
}

unsigned talk_many(struct talk *talk, unsigned count)
{
    unsigned left = 0, good = 0;

    for (unsigned i = 0; i < count; i++)
        left += talk[i].fd != NULL;
    while (left > 0) {
        for (unsigned i = 0; i < count; i++) {
            enum step step = talk[i].fd ? talk_step(&talk[i]) : STEP_AGAIN;

            if (step == STEP_AGAIN)
                continue;
            talk_report(&talk[i], step == STEP_DONE);
            talk_close(&talk[i]);
            good += step == STEP_DONE;
            left--;
        }
        if (left > 0)
            wait_for(talk, count);
    }
    return good;
}

void open_many(struct talk *talk, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (!talk_open(&talk[i]))
            talk_report(&talk[i], false);
}

void talk_report(const struct talk *talk, bool ok)
{
    SSLChannelInfo info;
    bool known = ok && SSL_GetChannelInfo(talk->fd, &info, sizeof info) == SECSuccess;

    printf("ok=%d error=%d resumed=%d\n", ok, ok ? 0 : (int)talk->error, known && info.resumed);
}

void talk_close(struct talk *talk)
{
    if (talk->fd)
        PR_Close(talk->fd);
    talk->fd = NULL;
}

bool talk_once(void)
{
    struct talk talk;

    if (talk_open(&talk))
        return talk_finish(&talk);
    talk_report(&talk, false);
    return false;
}

int open_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < DESCRIPTORS_MAX; fd++)
        count += fcntl(fd, F_GETFD) != -1;
    return count;
}

int agent_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < DESCRIPTORS_MAX; fd++) {
        int domain = 0;
        socklen_t len = sizeof domain;

        count += getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX;
    }
    return count;
}
