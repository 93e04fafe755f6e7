/* SPDX-License-Identifier: MIT */
/* The one endpoint normaliser: every host that enters the tree passes here, and only here.
 *
 * A normal host is a lower-case name of LDH-and-underscore labels (A-labels; RFC 1123, 5890), or
 * the canonical text of an IPv4 address (dotted quad, no leading zeros) or IPv6 address (RFC 5952 in
 * hexadecimal throughout, without brackets or zone). A v4-mapped IPv6 address becomes the IPv4
 * address that it means, or it would be a way around what is decided about that. */
#ifndef CVG_BASE_ENDPOINT_H
#define CVG_BASE_ENDPOINT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

#define CVG_HOST_MAX 254 /* 253 octets of name (RFC 1035) and a NUL */

enum cvg_host_kind { CVG_HOST_NAME = 1, CVG_HOST_IPV4, CVG_HOST_IPV6 };

struct cvg_endpoint {
    char host[CVG_HOST_MAX]; /* normal form, NUL-terminated */
    uint16_t port;           /* 1..65535, host byte order */
    enum cvg_host_kind kind;
    uint8_t address[16];     /* network order; 4 bytes for IPv4; undefined for a name */
};

/* Normalises len bytes of host (not NUL-terminated; a NUL inside is refused) into ret_endpoint.
 * Takes upper case, one trailing dot after a name, an IPv6 literal with or without brackets.
 * Refuses (SYNTAX or RANGE, with the offending place in ret_why): empty, over 253 octets, labels
 * over 63, empty labels, labels that begin or end with '-', any byte but letters, digits, '-', '_'
 * and '.', names whose last label is all digits or 0x... (they would be read as addresses by some),
 * zone ids, port 0. */
CVG_MUST_USE enum cvg_error cvg_endpoint_set(const char *host, size_t len, unsigned port,
                                             struct cvg_endpoint *ret_endpoint,
                                             struct cvg_why *ret_why);

/* Parses "HOST", "HOST:PORT", "[V6]:PORT" or a bare IPv6 literal; without a port, default_port. */
CVG_MUST_USE enum cvg_error cvg_endpoint_parse(const char *text, unsigned default_port,
                                               struct cvg_endpoint *ret_endpoint,
                                               struct cvg_why *ret_why);

/* Writes "host:port", "[v6]:port"; CVG_ENDPOINT_TEXT_MAX always suffices. Returns buf. */
#define CVG_ENDPOINT_TEXT_MAX (CVG_HOST_MAX + 8)
char *cvg_endpoint_format(const struct cvg_endpoint *endpoint, char *buf, size_t size);

/* 0 if equal, else an order usable for sorting. */
int cvg_endpoint_cmp(const struct cvg_endpoint *a, const struct cvg_endpoint *b);

#endif
