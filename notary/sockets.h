/* SPDX-License-Identifier: MIT */
/* The listening sockets of the whole process: one per worker, address and port (SO_REUSEPORT). Made
 * by the main thread before the workers run; which worker accepts from which is server.c's
 * business. */
#ifndef CVG_NOTARY_SOCKETS_H
#define CVG_NOTARY_SOCKETS_H

#include "notary/settings.h"

/* What is served there. */
enum cvg_service { CVG_SERVICE_SSL = 0, CVG_SERVICE_BOUNCE, CVG_SERVICE_RELAY, CVG_SERVICE_STATUS };
#define CVG_SERVICES 4

/* "ssl", "bounce", "relay" or "status". */
const char *cvg_service_name(enum cvg_service service);

struct cvg_socket {
    int fd; /* bound, listening, not blocking */
    enum cvg_service service;
};

struct cvg_sockets {
    struct cvg_socket *socket; /* owned; the descriptors are, too, until they are given away */
    size_t count;
};

/* Listens on all ports of the settings, at all their addresses, workers times each. With the
 * default addresses, a machine that lacks one of the families is fine; ret_why names the address
 * that failed. A port that another process listens at is taken, whoever that is. */
CVG_MUST_USE enum cvg_error cvg_sockets_open(const struct cvg_settings *settings, size_t workers,
                                             struct cvg_sockets *ret_sockets,
                                             struct cvg_why *ret_why);
/* Makes sockets that another process had serve these settings: those that nothing here listens at
 * any more are closed, those that are missing are opened, and of every address and port there are
 * at least as many as workers. */
CVG_MUST_USE enum cvg_error cvg_sockets_complete(const struct cvg_settings *settings,
                                                 size_t workers, struct cvg_sockets *sockets,
                                                 struct cvg_why *ret_why);
/* The same where the settings give way: a service of which there are sockets is served there and
 * nowhere else. On failure both close all. */
CVG_MUST_USE enum cvg_error cvg_sockets_adopt(const struct cvg_settings *settings, size_t workers,
                                              struct cvg_sockets *sockets, struct cvg_why *ret_why);
/* Whether the descriptor is a listening TCP socket; then it no longer blocks, nor outlives an
 * exec. */
bool cvg_socket_adopt(int fd);
/* Takes another listening socket in, one that was opened elsewhere. */
CVG_MUST_USE enum cvg_error cvg_sockets_add(struct cvg_sockets *sockets, int fd,
                                            enum cvg_service service);
/* Closes those that have not been given away (fd -1), frees the list. */
void cvg_sockets_close(struct cvg_sockets *sockets);

#endif
