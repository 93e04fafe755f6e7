/* SPDX-License-Identifier: MIT */
/* One look at one address: connect, say hello as a browser does, take the leaf, hang up. Whether
 * the address may be connected to is the caller's business, and so is the deadline. One loop. */
#ifndef CVG_NOTARY_LOOK_H
#define CVG_NOTARY_LOOK_H

#include <uv.h>

#include "common/protocol/digest.h"
#include "notary/address.h"

/* Which kinds of signature, and thereby of certificate, the hello offers. */
enum cvg_offer { CVG_OFFER_ALL = 0, CVG_OFFER_RSA, CVG_OFFER_EC, CVG_OFFER_COUNT };

struct cvg_looker; /* what all looks share: the TLS client's settings */
struct cvg_look;

/* Called once, from the loop, unless the look is cancelled; the look is gone afterwards.
 * err: UNREACHABLE (no connection, or no TLS there), PROTOCOL (a certificate that is none). */
typedef void cvg_look_done(enum cvg_error err, const struct cvg_leaf *leaf, void *user);

CVG_MUST_USE enum cvg_error cvg_looker_new(uv_loop_t *loop, struct cvg_looker **ret_looker);
void cvg_looker_free(struct cvg_looker *looker);

/* server_name: for SNI, NULL for targets that are addresses. On failure done is not called. */
CVG_MUST_USE enum cvg_error cvg_look_start(struct cvg_looker *looker,
                                           const union cvg_socket_address *address,
                                           const char *server_name, enum cvg_offer offer,
                                           cvg_look_done *done, void *user,
                                           struct cvg_look **ret_look);
void cvg_look_cancel(struct cvg_look *look); /* NULL is allowed */

#endif
