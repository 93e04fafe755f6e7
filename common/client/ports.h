/* SPDX-License-Identifier: MIT */
/* Which ports a question asks about, from what a socket tells. Pure; any thread. */
#ifndef CVG_CLIENT_PORTS_H
#define CVG_CLIENT_PORTS_H

#include "common/base/config.h"
#include "common/client/socket.h"
#include "common/protocol/message.h"

/* Adds the candidates that a socket with this preamble gives for host: its own port, the tunnel's,
 * or both. Nothing, if there is no host and the peer is a proxy: then nobody knows who is meant.
 * Returns whether a tunnel is possible. Pure. */
bool cvg_ports_of_socket(const struct cvg_socket *found, const struct cvg_config *config,
                         const char *host, struct cvg_question *ret_question);

/* Adds one candidate, unless it is 0, there already, or there is no room. */
void cvg_ports_add(struct cvg_question *question, uint16_t port);

/* Adds the configured tunnel_ports. */
void cvg_ports_tunnel(struct cvg_question *question, const struct cvg_config *config);

/* Fills peer_family and peer_address from an internet address; a v4-mapped one is the IPv4 address
 * that it means. */
void cvg_ports_peer(struct cvg_question *question, const struct sockaddr_storage *peer);

#endif
