/* SPDX-License-Identifier: MIT */
/* One connection of the test host, see host.h. */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <prerror.h>
#include <secerr.h>
#include <sslproto.h>

#include "tests/nss-module/host.h"

#define TIMEOUT PR_SecondsToInterval(30)

static const char request[] = "GET / HTTP/1.0\r\n\r\n";

static PRNetAddr address_of(uint16_t port)
{
    PRNetAddr address;

    memset(&address, 0, sizeof address);
    if (PR_StringToNetAddr(options.address, &address) != PR_SUCCESS)
        exit(2);
    if (address.raw.family == PR_AF_INET)
        address.inet.port = htons(port);
    else
        address.ipv6.port = htons(port);
    return address;
}

/* As a program does that had its socket before it knew of NSPR. */
static PRFileDesc *import(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    inet_pton(AF_INET, options.address, &address.sin_addr);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        return NULL;
    return PR_ImportTCPSocket(fd);
}

static PRFileDesc *dial(uint16_t port)
{
    PRNetAddr address = address_of(port);
    PRFileDesc *fd = options.import ? import(port) : PR_OpenTCPSocket(address.raw.family);

    if (fd && !options.import && PR_Connect(fd, &address, TIMEOUT) != PR_SUCCESS) {
        PR_Close(fd);
        fd = NULL;
    }
    return fd;
}

/* Speaks a line and reads up to `end`. */
static bool say(PRFileDesc *fd, const char *text, const char *end)
{
    char heard[512];
    size_t len = 0;

    if (PR_Write(fd, text, (PRInt32)strlen(text)) != (PRInt32)strlen(text))
        return false;
    while (len < sizeof heard - 1 && PR_Recv(fd, heard + len, 1, 0, TIMEOUT) == 1) {
        heard[++len] = '\0';
        if (strstr(heard, end))
            return true;
    }
    return false;
}

/* A layer that knows better whom the socket is connected to, as SOCKS makes one. */
static PRStatus socks_peer(PRFileDesc *fd, PRNetAddr *ret_address)
{
    PRStatus status = fd->lower->methods->getpeername(fd->lower, ret_address);

    ret_address->inet.port = htons(8443);
    return status;
}

static bool push_socks(PRFileDesc *fd)
{
    static PRIOMethods methods;
    static PRDescIdentity identity;
    PRFileDesc *layer;

    if (!identity) {
        identity = PR_GetUniqueIdentity("test-socks");
        methods = *PR_GetDefaultIOMethods();
        methods.getpeername = socks_peer;
    }
    layer = PR_CreateIOLayerStub(identity, &methods);
    return layer && PR_PushIOLayer(fd, PR_TOP_IO_LAYER, layer) == PR_SUCCESS;
}

static bool speak_before(PRFileDesc *fd, const char *name)
{
    char text[300];

    if (!options.before)
        return true;
    if (strcmp(options.before, "socks") == 0)
        return push_socks(fd);
    if (strcmp(options.before, "starttls") == 0)
        return say(fd, "STARTTLS\r\n", "\n");
    snprintf(text, sizeof text, "CONNECT %s:9443 HTTP/1.1\r\nHost: %s:9443\r\n\r\n", name, name);
    return say(fd, text, "\r\n\r\n");
}

static SECStatus let_pass(void *context, PRFileDesc *fd)
{
    (void)context;
    (void)fd;
    return SECSuccess;
}

static PRFileDesc *add_tls(PRFileDesc *fd, const char *name)
{
    const SSLVersionRange tls12 = {SSL_LIBRARY_VERSION_TLS_1_2, SSL_LIBRARY_VERSION_TLS_1_2};
    PRFileDesc *ssl = SSL_ImportFD(NULL, fd);

    if (!ssl)
        return NULL;
    SSL_OptionSet(ssl, SSL_SECURITY, PR_TRUE);
    SSL_OptionSet(ssl, SSL_ENABLE_RENEGOTIATION, SSL_RENEGOTIATE_REQUIRES_XTN);
    if (options.tls12)
        SSL_VersionRangeSet(ssl, &tls12);
    if (options.overrule)
        SSL_BadCertHook(ssl, let_pass, NULL);
    if (name)
        SSL_SetURL(ssl, name);
    SSL_ResetHandshake(ssl, PR_FALSE);
    return ssl;
}

static void set_nonblocking(PRFileDesc *fd)
{
    PRSocketOptionData option = {.option = PR_SockOpt_Nonblocking};

    option.value.non_blocking = PR_TRUE;
    PR_SetSocketOption(fd, &option);
}

bool connection_open(struct connection *connection, const struct target *target)
{
    PRFileDesc *fd = dial(target->port);

    memset(connection, 0, sizeof *connection);
    connection->port = target->port;
    if (!fd || !speak_before(fd, target->name))
        return false;
    if (options.nonblocking)
        set_nonblocking(fd);
    connection->fd = add_tls(fd, target->name);
    return connection->fd != NULL;
}

PRFileDesc *connection_socket(const struct connection *connection)
{
    return PR_GetIdentitiesLayer(connection->fd, PR_NSPR_IO_LAYER);
}

static PRInt32 probe(const struct connection *connection)
{
    PRFileDesc *tcp = connection_socket(connection);

    return tcp->methods->write(tcp, "x", 1);
}

static PRInt16 failed(struct connection *connection, PRInt16 wanted)
{
    PRErrorCode error = PR_GetError();

    if (error == PR_WOULD_BLOCK_ERROR) {
        connection->waits++;
        return wanted;
    }
    connection->error = error;
    if (error == SEC_ERROR_UNTRUSTED_CERT && probe(connection) < 0)
        connection->later = PR_GetError();
    return 0;
}

static bool was_reused(PRFileDesc *fd)
{
    SSLChannelInfo info;

    return SSL_GetChannelInfo(fd, &info, sizeof info) == SECSuccess && info.resumed;
}

/* The request goes in one piece: `ok` says that it has gone until the answer came. */
PRInt16 connection_step(struct connection *connection)
{
    char answer[256];
    PRInt32 len;

    if (!connection->ok) {
        len = PR_Write(connection->fd, request, sizeof request - 1);
        if (len < 0)
            return failed(connection, PR_POLL_WRITE);
        connection->ok = true;
    }
    len = PR_Read(connection->fd, answer, sizeof answer);
    if (len < 0) {
        PRInt16 next = failed(connection, PR_POLL_READ);

        connection->ok = connection->ok && next != 0;
        return next;
    }
    connection->ok = len > 0;
    connection->reused = was_reused(connection->fd);
    return 0;
}

void connection_exchange(struct connection *connection)
{
    PRPollDesc poll = {.fd = connection->fd};

    while ((poll.in_flags = connection_step(connection)) != 0)
        PR_Poll(&poll, 1, TIMEOUT);
}

static const char *error_name(PRErrorCode error)
{
    const char *name = error ? PR_ErrorToName(error) : "-";

    return name ? name : "?";
}

void connection_report(struct connection *connection)
{
    printf("port=%u ok=%d error=%s later=%s waits=%u reused=%d\n", connection->port, connection->ok,
           error_name(connection->error), error_name(connection->later), connection->waits,
           connection->reused);
}

void connection_close(struct connection *connection)
{
    if (connection->fd)
        PR_Close(connection->fd);
    connection->fd = NULL;
}

void connect_some(const struct target *target)
{
    struct connection connection;

    for (unsigned i = 0; i < options.count; i++) {
        if (options.step && getchar() == EOF)
            return;
        if (connection_open(&connection, target))
            connection_exchange(&connection);
        connection_report(&connection);
        connection_close(&connection);
    }
}
