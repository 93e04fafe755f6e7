/* SPDX-License-Identifier: MIT */
/* Makes the listening sockets of the process. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "notary/sockets-place.h"

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

/* The addresses of the defaults: where a machine lacks the family, the others do. */
static bool may_be_missing(const struct cvg_address *address)
{
    static const uint8_t zero[16], loopback_v6[16] = {[15] = 1};
    return memcmp(address->bytes, zero, sizeof(zero)) == 0 ||
           (address->family == 6 && memcmp(address->bytes, loopback_v6, sizeof(loopback_v6)) == 0);
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

int cvg_socket_listen(const struct cvg_socket_place *place)
{
    int fd = bind_one(&place->address, place->port, true);
    if (fd < 0 || listen(fd, BACKLOG) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static enum cvg_error cannot(const struct cvg_socket_place *place, struct cvg_why *why)
{
    char text[CVG_ADDRESS_TEXT_MAX];
    int error = errno;
    cvg_address_format(&place->address, text, sizeof(text));
    return cvg_fail(why, CVG_ERR_IO, "cannot listen at %s port %u: %s%s", text, place->port,
                    strerror(error),
                    error == EACCES ? "; low ports want to be started by root" : "");
}

/* NOT_FOUND: the machine lacks the family. */
static enum cvg_error open_new(const struct cvg_socket_place *place, size_t workers,
                               struct cvg_sockets *sockets, struct cvg_why *why)
{
    if (!is_free(&place->address, place->port)) {
        if (may_be_missing(&place->address) && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
            return CVG_ERR_NOT_FOUND;
        return cannot(place, why);
    }
    for (size_t i = 0; i < cvg_sockets_wanted(place, workers); i++) {
        int fd = cvg_socket_listen(place);
        if (fd < 0)
            return cannot(place, why);
        enum cvg_error err = cvg_sockets_add(sockets, fd, place->service);
        if (err != CVG_OK) {
            close(fd);
            return err;
        }
    }
    return CVG_OK;
}

/* What is listened at, and with what. */
struct opening {
    size_t workers;
    bool as_given; /* where sockets of a service are inherited, there is it served */
    struct cvg_sockets *inherited; /* what is there already */
    struct cvg_sockets sockets;
};

/* One service at all addresses; port 0: nowhere. */
static enum cvg_error open_service(struct opening *opening, enum cvg_service service, unsigned port,
                                   const struct cvg_addresses *listen, struct cvg_why *why)
{
    size_t before = opening->sockets.count;
    enum cvg_error err = CVG_OK;
    if (opening->as_given)
        err = cvg_sockets_move_service(service, opening->inherited, &opening->sockets);
    if (err != CVG_OK || opening->sockets.count > before || port == 0)
        return err;
    for (size_t i = 0; i < listen->count && err == CVG_OK; i++) {
        const struct cvg_socket_place place = {
            .service = service, .address = listen->address[i], .port = port};
        size_t moved = 0;
        err = cvg_sockets_move(&place, opening->inherited, &opening->sockets, &moved);
        if (err == CVG_OK && moved == 0)
            err = open_new(&place, opening->workers, &opening->sockets, why);
        if (err == CVG_ERR_NOT_FOUND)
            err = CVG_OK;
    }
    if (err == CVG_OK && opening->sockets.count == before)
        return cvg_fail(why, CVG_ERR_IO, "cannot listen at port %u: no address family works", port);
    return err;
}

static enum cvg_error complete(const struct cvg_settings *settings, size_t workers, bool as_given,
                               struct cvg_sockets *sockets, struct cvg_why *ret_why)
{
    struct opening opening = {.workers = workers, .as_given = as_given, .inherited = sockets};
    const struct cvg_addresses *listen = &settings->listen;
    enum cvg_error err =
        open_service(&opening, CVG_SERVICE_SSL, settings->ssl_port, listen, ret_why);
    if (err == CVG_OK)
        err = open_service(&opening, CVG_SERVICE_BOUNCE, settings->bounce_port, listen, ret_why);
    if (err == CVG_OK)
        err = open_service(&opening, CVG_SERVICE_RELAY, settings->relay_port, listen, ret_why);
    if (err == CVG_OK)
        err = open_service(&opening, CVG_SERVICE_STATUS, settings->status_port,
                           &settings->status_listen, ret_why);
    cvg_sockets_close(sockets);
    *sockets = opening.sockets;
    if (err == CVG_OK)
        err = cvg_sockets_share(workers, sockets);
    if (err != CVG_OK)
        cvg_sockets_close(sockets);
    return err;
}

enum cvg_error cvg_sockets_complete(const struct cvg_settings *settings, size_t workers,
                                    struct cvg_sockets *sockets, struct cvg_why *ret_why)
{
    return complete(settings, workers, false, sockets, ret_why);
}

enum cvg_error cvg_sockets_adopt(const struct cvg_settings *settings, size_t workers,
                                 struct cvg_sockets *sockets, struct cvg_why *ret_why)
{
    return complete(settings, workers, true, sockets, ret_why);
}

enum cvg_error cvg_sockets_open(const struct cvg_settings *settings, size_t workers,
                                struct cvg_sockets *ret_sockets, struct cvg_why *ret_why)
{
    struct cvg_sockets sockets = {.socket = NULL};
    enum cvg_error err = cvg_sockets_complete(settings, workers, &sockets, ret_why);
    if (err == CVG_OK)
        *ret_sockets = sockets;
    return err;
}
