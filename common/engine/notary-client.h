/* SPDX-License-Identifier: MIT */
/* The transport over the network: kept-alive HTTPS to pinned notaries, directly or through another
 * notary's CONNECT tunnel. The only user of libcurl. */
#ifndef CVG_ENGINE_NOTARY_CLIENT_H
#define CVG_ENGINE_NOTARY_CLIENT_H

#include <uv.h>

#include "common/base/clock.h"
#include "common/engine/transport.h"

/* Once per process, before any other use of OpenSSL or libcurl: no configuration file of OpenSSL is
 * read, now or later, so that no provider (converge.so above all) is ever loaded here. */
CVG_MUST_USE enum cvg_error cvg_notary_client_init(void);

/* The clock must be one whose milliseconds pass as the loop's do. The loop must run once more after
 * free, for handles to close. */
CVG_MUST_USE enum cvg_error cvg_notary_client_new(uv_loop_t *loop, const struct cvg_clock *clock,
                                                  struct cvg_transport **ret_transport);

/* Connects ahead, so that the first question costs one round trip: to the notary, through the relay
 * if there is one, unless a connection is kept already. Failures are silent. */
void cvg_notary_client_warm(struct cvg_transport *transport, const struct cvg_bundle *notary,
                            const struct cvg_bundle *relay);

#endif
