/* SPDX-License-Identifier: MIT */
/* Where records are kept for good: what a backend of the keeper must be able to do. Everything here
 * happens in the keeper's thread and loop.
 *
 * A record's key is a target's (target.h), its value what observations.h writes. Backends hand out
 * only what they can vouch for: a checksum of our own, or, where others could have written it, a
 * signature of our own. */
#ifndef CVG_NOTARY_BACKEND_H
#define CVG_NOTARY_BACKEND_H

#include <stdint.h>

#include "common/base/buffer.h"
#include "notary/segment.h"

/* OK: the value, valid during the call. NOT_FOUND: there is none. CORRUPT, SIGNATURE: there is one
 * that nobody may believe; it counts as none. IO: the store is away. */
typedef void cvg_backend_got(enum cvg_error err, const void *value, size_t len, void *user);

/* OK: every record of the segment is in the store for good, and the segment may go. IO: the store
 * is away; the segment is offered again later. */
typedef void cvg_backend_absorbed(enum cvg_error err, void *user);

struct cvg_backend {
    const char *name; /* "gdbm", "redis" */

    /* done is called once, now or later. At most CVG_KEEPER_GETS are under way. */
    void (*get)(struct cvg_backend *backend, const void *key, size_t key_len, cvg_backend_got *done,
                void *user);

    /* Takes all records of a sealed segment, the newest of a key winning over older ones, and over
     * nothing of what is in the store already: what both know is merged (cvg_observations_merge).
     * One at a time; the segment stays open and unchanged until done, which is called once. */
    void (*absorb)(struct cvg_backend *backend, const struct cvg_segment *segment,
                   cvg_backend_absorbed *done, void *user);

    /* How many octets, or else how old, a segment should be before it is worth absorbing: where
     * absorbing costs the whole store, much; where it costs each record, little. */
    void (*portion)(const struct cvg_backend *backend, uint64_t *ret_octets, uint64_t *ret_age_ms);

    /* Whether it answers now; for the metrics. */
    bool (*is_up)(const struct cvg_backend *backend);
    /* Records in it, or 0 where nobody has counted. */
    uint64_t (*count)(const struct cvg_backend *backend);

    /* Ends it; done of what is under way is not called. The loop runs once more before it stops. */
    void (*free)(struct cvg_backend *backend);
};

#endif
