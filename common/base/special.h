/* SPDX-License-Identifier: MIT */
/* Special-purpose addresses and special-use names, from IANA's registries
 * (RFC 6890 and its registry for IPv4 and IPv6; RFC 6761 and its registry for names). */
#ifndef CVG_BASE_SPECIAL_H
#define CVG_BASE_SPECIAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/base/endpoint.h"

/* Whether the address is anything but a globally reachable unicast one. IPv6 forms that embed an
 * IPv4 address (v4-mapped, NAT64 64:ff9b::/96, 6to4, Teredo) are special as such. */
bool cvg_special_ipv4(const uint8_t address[static 4]);
bool cvg_special_ipv6(const uint8_t address[static 16]);

/* The same for a socket address; families other than AF_INET and AF_INET6 are special. */
bool cvg_special_sockaddr(const struct sockaddr *sa);

/* Whether a normal name has a single label or ends in a special-use domain (.local .internal
 * .home.arpa .test .onion .invalid .localhost .example ... see special.c): such names never leave
 * the machine. */
bool cvg_special_name(const char *host);

#endif
