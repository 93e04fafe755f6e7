/* SPDX-License-Identifier: MIT */
/* One look at one address: connect, ask for TLS if it does not begin by itself, say hello as a
 * browser does, take the chain, hang up. Whether the address may be connected to is the caller's
 * business, and so is the deadline. Until it is connected a look is a socket and little else. One
 * loop. */
#ifndef CVG_NOTARY_LOOK_H
#define CVG_NOTARY_LOOK_H

#include <uv.h>

#include "common/protocol/digest.h"
#include "notary/address.h"
#include "notary/blob.h"
#include "notary/hello.h"
#include "notary/starttls.h"

struct cvg_looker; /* what all looks share: the TLS client's settings */
struct cvg_look;

/* What is looked at; host is borrowed for as long as the look lasts. */
struct cvg_look_target {
    union cvg_socket_address address;
    const char *host;           /* as the target is called */
    bool is_name;               /* host is no address: it is sent as the server's name */
    enum cvg_starttls starttls; /* never AUTO */
    enum cvg_offer offer;
};

/* Called once, from the loop, unless the look is cancelled; the look is gone afterwards.
 * err: UNREACHABLE (no connection, or no TLS there), PROTOCOL (a certificate that is none).
 * chain (cvg_chain_of_message) is the callee's; NULL where it is not as it should be. */
typedef void cvg_look_done(enum cvg_error err, const struct cvg_leaf *leaf, struct cvg_blob *chain,
                           void *user);

CVG_MUST_USE enum cvg_error cvg_looker_new(uv_loop_t *loop, struct cvg_looker **ret_looker);
void cvg_looker_free(struct cvg_looker *looker);

/* On failure done is not called. UNREACHABLE: there is no way there; BUSY: this machine has no
 * descriptor or no memory for it. */
CVG_MUST_USE enum cvg_error cvg_look_start(struct cvg_looker *looker,
                                           const struct cvg_look_target *target,
                                           cvg_look_done *done, void *user,
                                           struct cvg_look **ret_look);
void cvg_look_cancel(struct cvg_look *look); /* NULL is allowed */

#endif
