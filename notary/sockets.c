/* SPDX-License-Identifier: MIT */
/* Makes the listening sockets of the process. */
#include "notary/sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/log.h"

#define BACKLOG 1024

enum cvg_error cvg_sockets_add(struct cvg_sockets *sockets, int fd, enum cvg_service service)
{
    struct cvg_socket *grown =
        realloc(sockets->socket, (sockets->count + 1) * sizeof(*sockets->socket));
    if (grown == NULL)
        return CVG_ERR_NOMEM;
    sockets->socket = grown;
    sockets->socket[sockets->count++] = (struct cvg_socket){.fd = fd, .service = service};
    return CVG_OK;
}

void cvg_sockets_close(struct cvg_sockets *sockets)
{
    for (size_t i = 0; i < sockets->count; i++)
        if (sockets->socket[i].fd >= 0)
            close(sockets->socket[i].fd);
    free(sockets->socket);
    *sockets = (struct cvg_sockets){.socket = NULL};
}

static bool is_any(const struct cvg_address *address)
{
    static const uint8_t zero[16];
    return memcmp(address->bytes, zero, sizeof(zero)) == 0;
}

/* A socket bound to the address, or the reason why not in errno. */
static int bind_one(const struct cvg_address *address, unsigned port, bool shared)
{
    union cvg_socket_address sa;
    const int on = 1;
    cvg_address_socket(address, (uint16_t)port, &sa);
    socklen_t len = address->family == 6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    int fd = socket(sa.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        (!shared || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0) &&
        (address->family != 6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0) &&
        bind(fd, &sa.any, len) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* Whether the port is nobody else's: with SO_REUSEPORT a second notary of the same user would
 * silently take half of the first one's connections. */
static bool is_free(const struct cvg_address *address, unsigned port)
{
    int fd = bind_one(address, port, false);
    int result = fd < 0 ? -1 : listen(fd, 1);
    int error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
    return result == 0;
}

static enum cvg_error cannot(const struct cvg_address *address, unsigned port, struct cvg_why *why)
{
    char text[CVG_ADDRESS_TEXT_MAX];
    int error = errno;
    cvg_address_format(address, text, sizeof(text));
    return cvg_fail(why, CVG_ERR_IO, "cannot listen at %s port %u: %s%s", text, port,
                    strerror(error),
                    error == EACCES ? "; low ports want to be started by root" : "");
}

/* One address and port, for all workers. NOT_FOUND: the machine lacks the family. */
static enum cvg_error open_address(const struct cvg_address *address, unsigned port,
                                   enum cvg_service service, size_t workers,
                                   struct cvg_sockets *sockets, struct cvg_why *why)
{
    if (!is_free(address, port)) {
        if (is_any(address) && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
            return CVG_ERR_NOT_FOUND;
        return cannot(address, port, why);
    }
    for (size_t i = 0; i < workers; i++) {
        int fd = bind_one(address, port, true);
        if (fd < 0)
            return cannot(address, port, why);
        enum cvg_error err = cvg_sockets_add(sockets, fd, service);
        if (err != CVG_OK) {
            close(fd);
            return err;
        }
        if (listen(fd, BACKLOG) != 0)
            return cannot(address, port, why);
    }
    return CVG_OK;
}

/* One port at all addresses. */
static enum cvg_error open_port(const struct cvg_settings *settings, unsigned port,
                                enum cvg_service service, size_t workers,
                                struct cvg_sockets *sockets, struct cvg_why *why)
{
    const struct cvg_addresses *listen = &settings->listen;
    size_t before = sockets->count;
    for (size_t i = 0; i < listen->count; i++) {
        enum cvg_error err =
            open_address(&listen->address[i], port, service, workers, sockets, why);
        if (err != CVG_OK && err != CVG_ERR_NOT_FOUND)
            return err;
    }
    if (sockets->count == before)
        return cvg_fail(why, CVG_ERR_IO, "cannot listen at port %u: no address family works", port);
    return CVG_OK;
}

enum cvg_error cvg_sockets_open(const struct cvg_settings *settings, size_t workers,
                                struct cvg_sockets *ret_sockets, struct cvg_why *ret_why)
{
    struct cvg_sockets sockets = {.socket = NULL};
    enum cvg_error err =
        open_port(settings, settings->ssl_port, CVG_SERVICE_SSL, workers, &sockets, ret_why);
    if (err == CVG_OK)
        err = open_port(settings, settings->bounce_port, CVG_SERVICE_BOUNCE, workers, &sockets,
                        ret_why);
    if (err == CVG_OK && settings->relay_port != 0)
        err = open_port(settings, settings->relay_port, CVG_SERVICE_RELAY, workers, &sockets,
                        ret_why);
    if (err != CVG_OK) {
        cvg_sockets_close(&sockets);
        return err;
    }
    *ret_sockets = sockets;
    return CVG_OK;
}
