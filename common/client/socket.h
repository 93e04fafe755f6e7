/* SPDX-License-Identifier: MIT */
/* A connected TCP socket, and what it carried before TLS began: a proxy's CONNECT, or STARTTLS.
 * libc and Linux only; keeps nothing; any thread. */
#ifndef CVG_CLIENT_SOCKET_H
#define CVG_CLIENT_SOCKET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* What the TLS connection has sent and received. Octets that wait in a memory BIO may or may not
 * have been counted by the BIO when the socket moved them: both readings are tried. */
struct cvg_counters {
    uint64_t sent;
    uint64_t sent_waiting; /* written by TLS, not yet taken by the program */
    uint64_t received;
    uint64_t received_waiting; /* given by the program, not yet read by TLS */
};

struct cvg_socket {
    struct sockaddr_storage peer;
    uint16_t local_port;  /* filled in by a scan */
    uint64_t sent_before; /* octets before TLS began */
    uint64_t received_before;
};

/* Looks at one descriptor. false: not a connected TCP socket, or (with counters) one that cannot
 * carry this connection. counters may be NULL. */
bool cvg_socket_look(int fd, const struct cvg_counters *counters, struct cvg_socket *ret_socket);

/* Asks getsockname or getpeername; false for anything but an internet address. */
typedef int cvg_socket_address_of(int fd, struct sockaddr *address, socklen_t *len);
bool cvg_socket_address(cvg_socket_address_of *ask, int fd, struct sockaddr_storage *ret_address);

/* The port of an AF_INET or AF_INET6 address, host byte order; 0 for others. */
uint16_t cvg_socket_port(const struct sockaddr_storage *address);

#endif
