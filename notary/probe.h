/* SPDX-License-Identifier: MIT */
/* A probe of one target: look its name up, refuse what may not be probed, look at it, and, if the
 * caller wants it after that, look again with RSA only, ECDSA only and at other addresses. One
 * deadline over everything. One loop. */
#ifndef CVG_NOTARY_PROBE_H
#define CVG_NOTARY_PROBE_H

#include "notary/blob.h"
#include "notary/budget.h"
#include "notary/filter.h"
#include "notary/look.h"
#include "notary/metrics.h"
#include "notary/resolver.h"

#define CVG_SIGHTINGS_MAX 8

/* A leaf, and where it was shown. chain: the certificates as they came, DER, leaf first, each after
 * its length in three octets; NULL if they were not as they should be. In a probe's result it is
 * the probe's, valid during done: who keeps it takes a reference. */
struct cvg_sighting {
    struct cvg_leaf leaf;
    struct cvg_address address;
    struct cvg_blob *chain;
};

struct cvg_probe_result {
    enum cvg_error error; /* OK: sightings follow; REFUSED: only special-purpose or own addresses;
                             TIMEOUT, UNREACHABLE, PROTOCOL, BUSY (this notary lacked
                             something, so nothing is known), ...: nothing was seen */
    struct cvg_sighting sighting[CVG_SIGHTINGS_MAX]; /* of this round */
    size_t count;
};

/* What all probes share; borrowed. */
struct cvg_prober {
    uv_loop_t *loop;
    struct cvg_looker *looker;
    struct cvg_resolver *resolver;
    struct cvg_filter *filter;
    struct cvg_budget *budget;   /* of target networks; NULL: none is bounded */
    struct cvg_metrics *metrics; /* NULL: nothing is counted */
    uint64_t timeout_ms;
};

struct cvg_probe;

/* Called once per round, from the loop, never inside cvg_probe_start. */
typedef void cvg_probe_done(struct cvg_probe *probe, const struct cvg_probe_result *result,
                            void *user);

/* hint: how TLS begins there (enum cvg_starttls); ARGUMENT for one that is not known. */
CVG_MUST_USE enum cvg_error cvg_probe_start(const struct cvg_prober *prober,
                                            const struct cvg_endpoint *endpoint, uint8_t hint,
                                            cvg_probe_done *done, void *user,
                                            struct cvg_probe **ret_probe);
/* The second round, in done of the first: what was left out. It reports to another done; what has
 * not come at the deadline is left out of its result. thorough: nobody waits, so it looks at more
 * addresses and has the whole probe_timeout once more; otherwise half of it at most, and never more
 * than is left. BUSY: there is nothing more to look at. */
CVG_MUST_USE enum cvg_error cvg_probe_again(struct cvg_probe *probe, bool thorough,
                                            cvg_probe_done *done);
/* Cancels what is under way. */
void cvg_probe_free(struct cvg_probe *probe);

#endif
