/* SPDX-License-Identifier: MIT */
/* IP addresses and networks as values, without ports. Pure; any thread. */
#ifndef CVG_NOTARY_ADDRESS_H
#define CVG_NOTARY_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/base/endpoint.h"
#include "common/base/error.h"

struct cvg_address {
    uint8_t family;    /* 4 or 6 */
    uint8_t bytes[16]; /* network order; the rest is zero */
};

struct cvg_network {
    struct cvg_address address;
    uint8_t bits;
};

/* Big enough for either family, and no bigger: many are kept. */
union cvg_socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

#define CVG_ADDRESS_TEXT_MAX 46

/* ARGUMENT for families other than IPv4 and IPv6. */
CVG_MUST_USE enum cvg_error cvg_address_of(const struct sockaddr *sa,
                                           struct cvg_address *ret_address);
void cvg_address_socket(const struct cvg_address *address, uint16_t port,
                        union cvg_socket_address *ret_sa);
socklen_t cvg_socket_address_len(const union cvg_socket_address *sa);

bool cvg_address_equal(const struct cvg_address *a, const struct cvg_address *b);

/* "192.0.2.1" or "2001:db8::1". */
CVG_MUST_USE enum cvg_error cvg_address_parse(const char *text, struct cvg_address *ret_address);
char *cvg_address_format(const struct cvg_address *address, char *buf, size_t size);

/* "192.0.2.0/24", or an address alone. */
CVG_MUST_USE enum cvg_error cvg_network_parse(const char *text, struct cvg_network *ret_network);
bool cvg_network_contains(const struct cvg_network *network, const struct cvg_address *address);

/* The network that clients and targets are counted by: an IPv4 /24, an IPv6 /56. */
void cvg_address_client(const struct cvg_address *address, struct cvg_address *ret_network);

#endif
