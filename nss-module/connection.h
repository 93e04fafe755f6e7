/* SPDX-License-Identifier: MIT */
/* What is known of each TCP connection that carries, or may carry, TLS. Kept by fd->secret, which
 * stays when layers are pushed and popped and descriptors swap their contents. Entries end at
 * close. Any thread, also after fork; no call into NSS or the agent is made while the table is
 * locked. */
#ifndef CVG_NSS_MODULE_CONNECTION_H
#define CVG_NSS_MODULE_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nspr.h>

#include "common/base/endpoint.h"

/* What went through this connection before our eyes. */
struct cvg_spoken {
    uint64_t sent, received;         /* octets, all of them */
    char connect_host[CVG_HOST_MAX]; /* of the CONNECT request that was sent; empty if none */
    uint16_t connect_port;
};

/* Whether TLS's first handshake message went out or came in as a client's. */
enum cvg_role { CVG_ROLE_UNKNOWN = 0, CVG_ROLE_CLIENT, CVG_ROLE_SERVER };

#endif
