/* SPDX-License-Identifier: MIT */
/* The port candidates of a TLS connection, and the peer's address. */
#ifndef CVG_PROVIDER_PORT_H
#define CVG_PROVIDER_PORT_H

#include "common/base/config.h"
#include "common/protocol/message.h"
#include "provider/ossl.h"
#include "provider/sockmatch.h"

/* Fills port, port_count, port_found, peer_family and peer_address of *ret_question from the SSL's
 * descriptor, its connect BIO, or the process's sockets. host: the name that is meant, or NULL.
 * With a host and no socket it falls back on the configured tunnel_ports. No port and no peer:
 * there is neither host nor TCP socket. No port but a peer: there is no host, and the peer is a
 * proxy or one of several it may be. */
void cvg_port_find(const struct cvg_ossl *ossl, const struct cvg_ssl_functions *functions,
                   const SSL *ssl, const struct cvg_config *config, const char *host,
                   struct cvg_question *ret_question);

#endif
