/* SPDX-License-Identifier: MIT */
/* Inside sockets.h: where a listening socket is, and what is done place by place. */
#ifndef CVG_NOTARY_SOCKETS_PLACE_H
#define CVG_NOTARY_SOCKETS_PLACE_H

#include "notary/sockets.h"

struct cvg_socket_place {
    enum cvg_service service;
    struct cvg_address address;
    unsigned port;
};

/* How many sockets a place wants: one for each worker; what the main thread serves, one. */
size_t cvg_sockets_wanted(const struct cvg_socket_place *place, size_t workers);

/* A new listening socket there that shares the port with others (SO_REUSEPORT); -1: errno tells. */
int cvg_socket_listen(const struct cvg_socket_place *place);

/* Moves those that are at the place from one list to the end of another. */
CVG_MUST_USE enum cvg_error cvg_sockets_move(const struct cvg_socket_place *place,
                                             struct cvg_sockets *from, struct cvg_sockets *to,
                                             size_t *ret_moved);

/* The same for all of a service. */
CVG_MUST_USE enum cvg_error cvg_sockets_move_service(enum cvg_service service,
                                                     struct cvg_sockets *from,
                                                     struct cvg_sockets *to);

/* Adds sockets until there are at least as many as workers in each place; those of one place are
 * neighbours then. On failure all are closed. */
CVG_MUST_USE enum cvg_error cvg_sockets_share(size_t workers, struct cvg_sockets *sockets);

#endif
