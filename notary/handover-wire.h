/* SPDX-License-Identifier: MIT */
/* What two notaries say to each other at a hand-over: messages of a SOCK_SEQPACKET socket, of which
 * the first octet tells the kind.
 *
 *   'T' version          new to old: give me the sockets
 *   'S' service ...      old to new: some of them, one descriptor for each service octet
 *   'E' version          old to new: these were all
 *   'R'                  new to old: I am ready */
#ifndef CVG_NOTARY_HANDOVER_WIRE_H
#define CVG_NOTARY_HANDOVER_WIRE_H

#include "notary/sockets.h"

#define CVG_HANDOVER_VERSION 1
#define CVG_HANDOVER_FDS     64 /* in one message; the kernel's own limit is 253 */

/* Sends up to CVG_HANDOVER_FDS sockets from the first on; how many it were in *ret_sent. BUSY: the
 * peer has not read enough. */
CVG_MUST_USE enum cvg_error cvg_handover_send_sockets(int connection,
                                                      const struct cvg_sockets *sockets,
                                                      size_t first, size_t *ret_sent);
/* Sends a kind, and the version if it has one. */
CVG_MUST_USE enum cvg_error cvg_handover_send(int connection, char kind);

/* Receives one message; descriptors that come with it are added to sockets, or closed if that is
 * NULL. BUSY: nothing is there. UNREACHABLE: the peer has hung up. PROTOCOL, VERSION: not as above;
 * CONFIG: a descriptor is no listening TCP socket. */
CVG_MUST_USE enum cvg_error cvg_handover_receive(int connection, struct cvg_sockets *sockets,
                                                 char *ret_kind);

/* Whether the peer is root or our own user. */
bool cvg_handover_peer_is_ours(int connection);

#endif
