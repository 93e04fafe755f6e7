/* SPDX-License-Identifier: MIT */
/* Which of the process's TCP sockets carries a TLS connection whose BIOs do not tell.
 *
 * OpenSSL counts the octets that went through a BIO, the kernel those that went through a socket.
 * Where both counts are equal, the BIO's octets went through that socket; where the kernel counts a
 * little more, something was said before TLS began: a proxy's CONNECT, or STARTTLS.
 * libc and Linux only; keeps nothing; any thread. */
#ifndef CVG_PROVIDER_SOCKMATCH_H
#define CVG_PROVIDER_SOCKMATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "common/client/socket.h"

#define CVG_SOCKETS_MAX   4096 /* descriptors looked at, at most */
#define CVG_SOCKMATCH_MAX 16   /* candidates kept, as many as a question carries */
#define CVG_PREAMBLE_MAX  8192 /* octets either way before TLS began, at most */

struct cvg_sockmatch {
    struct cvg_socket socket[CVG_SOCKMATCH_MAX]; /* best first */
    size_t count;
    bool exact; /* nothing was said before TLS on any of them */
};

/* Looks at all descriptors for those that carry the connection: all exact matches, or else all with
 * a preamble. Sockets this process accepted are never among them. ports_only: two peers with one
 * port are one candidate. */
void cvg_sockmatch_scan(const struct cvg_counters *counters, bool ports_only,
                        struct cvg_sockmatch *ret_match);

#endif
