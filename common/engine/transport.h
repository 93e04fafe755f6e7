/* SPDX-License-Identifier: MIT */
/* How the engine reaches notaries: a small interface, implemented over libcurl's multi interface on
 * a libuv loop (notary-client.c), and by tests and simulations without a network.
 *
 * The transport authenticates: it compares the TLS leaf with the bundle's pin before it sends
 * anything. What the octets mean is the caller's business (answer.h). One thread. */
#ifndef CVG_ENGINE_TRANSPORT_H
#define CVG_ENGINE_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/engine/bundle.h"

struct cvg_exchange; /* one query under way, owned by the transport */

/* How long each phase of the exchange with the host that answered took. Without a connection of
 * its own (kept) the first three are 0. */
struct cvg_timing {
    int64_t name_us;    /* the resolver, if it was asked */
    int64_t connect_us; /* TCP; through a relay also the tunnel */
    int64_t tls_us;
    int64_t answer_us; /* from the request to the answer's last octet */
    bool kept;
};

struct cvg_request {
    const struct cvg_bundle *notary;
    const struct cvg_bundle *relay; /* bounce through this one; NULL: direct */
    const char *path;               /* "/target/host+port" or "/v2/query" */
    const char *content_type;
    const void *body;
    size_t body_len;
    size_t answer_max; /* octets; more is RANGE */
    uint64_t deadline_ms; /* on the engine's monotonic clock */
    int64_t *ret_date_s;  /* where the answer's Date is written to before done (seconds since the
                             epoch), if it has one; NULL: nobody wants it */
    struct cvg_timing *ret_timing; /* written to before done when there is an answer; or NULL */
    bool fresh; /* on a connection of its own, which is not kept */
};

/* Exactly one call per exchange that was not cancelled. err is CVG_OK when an HTTP answer came from
 * the pinned peer: status and body are then valid for the call's duration. Otherwise UNREACHABLE,
 * TIMEOUT, PIN, RANGE, PROTOCOL, NOMEM. relay_failed: the fault was on the way through the relay. */
typedef void cvg_transport_done(enum cvg_error err, bool relay_failed, unsigned status,
                                const void *body, size_t body_len, void *user);

struct cvg_transport {
    /* Starts a query; done may be called before start returns only with an error. The request's
     * pointers must stay valid until done or cancel, except path and body, which are copied. */
    enum cvg_error (*start)(struct cvg_transport *transport, const struct cvg_request *request,
                            cvg_transport_done *done, void *user,
                            struct cvg_exchange **ret_exchange);
    /* Forgets the exchange; done is not called. */
    void (*cancel)(struct cvg_transport *transport, struct cvg_exchange *exchange);
    /* Bundles changed: connections to hosts that are gone are closed. */
    void (*reset)(struct cvg_transport *transport);
    void (*free)(struct cvg_transport *transport);
};

#endif
