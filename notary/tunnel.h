/* SPDX-License-Identifier: MIT */
/* The two sockets of a relayed connection and the octets between them, with back-pressure. Knows
 * nothing of HTTP: the head's octets go to its owner until that is done. One loop. */
#ifndef CVG_NOTARY_TUNNEL_H
#define CVG_NOTARY_TUNNEL_H

#include <uv.h>

#include "common/base/buffer.h"
#include "notary/address.h"

struct cvg_tunnel;

/* In none of these the owner may free what user points to. */
struct cvg_tunnel_events {
    /* Octets of the head: returns how many were taken; all, until cvg_tunnel_head_done. */
    size_t (*head)(struct cvg_tunnel *tunnel, const char *data, size_t len, void *user);
    void (*active)(struct cvg_tunnel *tunnel, size_t octets, void *user); /* these go through */
    void (*end)(struct cvg_tunnel *tunnel, void *user);                   /* over: close it */
};

/* Takes the accepted socket, which is closed on failure, too. */
CVG_MUST_USE enum cvg_error cvg_tunnel_new(uv_loop_t *loop, int fd,
                                           const struct cvg_tunnel_events *events, void *user,
                                           struct cvg_tunnel **ret_tunnel);
CVG_MUST_USE enum cvg_error cvg_tunnel_peer(const struct cvg_tunnel *tunnel,
                                            struct cvg_address *ret_address);
/* Begins to read the head. */
void cvg_tunnel_start(struct cvg_tunnel *tunnel);
/* The head is complete: nothing more is read until join or decline. */
void cvg_tunnel_head_done(struct cvg_tunnel *tunnel);
/* Sends the answer to the client, and from then on octets both ways. Takes tcp over. */
void cvg_tunnel_join(struct cvg_tunnel *tunnel, uv_tcp_t *tcp, const char *answer, size_t len);
/* Sends the answer; end comes once the client has it. */
void cvg_tunnel_decline(struct cvg_tunnel *tunnel, const char *answer, size_t len);
/* Closes both sockets and frees the tunnel when libuv is done with them; no more events. */
void cvg_tunnel_close(struct cvg_tunnel *tunnel);

#endif
