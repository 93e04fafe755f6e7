/* SPDX-License-Identifier: MIT */
/* Listening sockets that were opened by somebody else: the process before, or the service
 * manager. */
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "notary/sockets-place.h"

const char *cvg_service_name(enum cvg_service service)
{
    static const char *const names[CVG_SERVICES] = {"ssl", "bounce", "relay", "status"};
    return names[service];
}

bool cvg_socket_adopt(int fd)
{
    int type = 0, listening = 0, domain = 0;
    socklen_t len = sizeof(int);
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
           type == SOCK_STREAM && getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
           (domain == AF_INET || domain == AF_INET6) &&
           getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening == 1 &&
           fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

static bool place_of(const struct cvg_socket *socket, struct cvg_socket_place *ret_place)
{
    union cvg_socket_address sa;
    socklen_t len = sizeof(sa);
    *ret_place = (struct cvg_socket_place){.service = socket->service};
    if (getsockname(socket->fd, &sa.any, &len) != 0 ||
        cvg_address_of(&sa.any, &ret_place->address) != CVG_OK)
        return false;
    ret_place->port = ntohs(sa.any.sa_family == AF_INET6 ? sa.v6.sin6_port : sa.v4.sin_port);
    return true;
}

static bool same_place(const struct cvg_socket_place *a, const struct cvg_socket_place *b)
{
    return a->service == b->service && a->port == b->port &&
           cvg_address_equal(&a->address, &b->address);
}

enum cvg_error cvg_sockets_move(const struct cvg_socket_place *place, struct cvg_sockets *from,
                                struct cvg_sockets *to, size_t *ret_moved)
{
    *ret_moved = 0;
    for (size_t i = 0; i < from->count; i++) {
        struct cvg_socket_place here;
        if (from->socket[i].fd < 0 || !place_of(&from->socket[i], &here) ||
            !same_place(&here, place))
            continue;
        enum cvg_error err = cvg_sockets_add(to, from->socket[i].fd, place->service);
        if (err != CVG_OK)
            return err;
        from->socket[i].fd = -1;
        (*ret_moved)++;
    }
    return CVG_OK;
}

enum cvg_error cvg_sockets_move_service(enum cvg_service service, struct cvg_sockets *from,
                                        struct cvg_sockets *to)
{
    enum cvg_error err = CVG_OK;
    for (size_t i = 0; i < from->count && err == CVG_OK; i++) {
        if (from->socket[i].fd < 0 || from->socket[i].service != service)
            continue;
        err = cvg_sockets_add(to, from->socket[i].fd, service);
        if (err == CVG_OK)
            from->socket[i].fd = -1;
    }
    return err;
}

/* One more socket at the place: one of its own where the kernel lets us, and else another name for
 * one that is there. */
static enum cvg_error add_another(const struct cvg_socket_place *place, struct cvg_sockets *sockets)
{
    int fd = cvg_socket_listen(place);
    if (fd < 0)
        fd = fcntl(sockets->socket[sockets->count - 1].fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return CVG_ERR_IO;
    enum cvg_error err = cvg_sockets_add(sockets, fd, place->service);
    if (err != CVG_OK)
        close(fd);
    return err;
}

size_t cvg_sockets_wanted(const struct cvg_socket_place *place, size_t workers)
{
    return place->service == CVG_SERVICE_STATUS ? 1 : workers;
}

enum cvg_error cvg_sockets_share(size_t workers, struct cvg_sockets *sockets)
{
    struct cvg_sockets shared = {.socket = NULL};
    enum cvg_error err = CVG_OK;
    for (size_t i = 0; i < sockets->count && err == CVG_OK; i++) {
        struct cvg_socket_place place;
        size_t count = 0;
        if (sockets->socket[i].fd < 0 || !place_of(&sockets->socket[i], &place))
            continue;
        err = cvg_sockets_move(&place, sockets, &shared, &count);
        for (; err == CVG_OK && count < cvg_sockets_wanted(&place, workers); count++)
            err = add_another(&place, &shared);
    }
    cvg_sockets_close(sockets);
    *sockets = shared;
    if (err != CVG_OK)
        cvg_sockets_close(sockets);
    return err;
}
