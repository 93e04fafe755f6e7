/* SPDX-License-Identifier: MIT */
/* One question about one target: answered from memory while that is fresh enough, else by a probe
 * that everybody who asks meanwhile shares. One loop.
 *
 * At most one probe per target is under way, and after one that looked as hard as it can (both
 * rounds, or a failure) the next begins only probe_interval later, whoever asks for what. */
#ifndef CVG_NOTARY_INQUIRY_H
#define CVG_NOTARY_INQUIRY_H

#include "common/base/clock.h"
#include "notary/budget.h"
#include "notary/memory.h"
#include "notary/probe.h"

/* What is looked for: a leaf by either digest, or (len 0) whatever is known. */
struct cvg_wanted {
    uint8_t digest[CVG_SHA256_LEN];
    uint8_t len; /* 0, CVG_SHA1_LEN or CVG_SHA256_LEN */
};

struct cvg_finding {
    enum cvg_v2_status status;
    bool found; /* status is SEEN, and what was wanted is current (or known, for 0) */
    struct cvg_target *target; /* valid during the call that hands it over */
};

struct cvg_inquirer;
struct cvg_inquiry;

typedef void cvg_inquiry_done(const struct cvg_finding *finding, void *user);

struct cvg_inquiry_limits {
    uint64_t max_age_s;
    uint64_t interval_ms;
    uint64_t max_flights;
};

/* All of it is borrowed. prober may be changed through the pointer between events. */
CVG_MUST_USE enum cvg_error cvg_inquirer_new(const struct cvg_prober *prober,
                                             struct cvg_memory *memory, struct cvg_budget *budget,
                                             const struct cvg_clock *clock,
                                             struct cvg_inquirer **ret_inquirer);
/* Cancels the probes under way; done of waiting inquiries is not called. */
void cvg_inquirer_free(struct cvg_inquirer *inquirer);
void cvg_inquirer_set(struct cvg_inquirer *inquirer, const struct cvg_inquiry_limits *limits);

/* Either the finding is known at once (*ret_inquiry is NULL and *ret_finding is filled), or done is
 * called later, once, unless the inquiry is cancelled. BUSY: it needs a probe, and the client's
 * budget, or the notary's, is used up. */
CVG_MUST_USE enum cvg_error
cvg_inquiry_start(struct cvg_inquirer *inquirer, const struct cvg_endpoint *endpoint, uint8_t hint,
                  const struct cvg_wanted *wanted, struct cvg_budget_client *client,
                  cvg_inquiry_done *done, void *user, struct cvg_finding *ret_finding,
                  struct cvg_inquiry **ret_inquiry);
void cvg_inquiry_cancel(struct cvg_inquiry *inquiry); /* NULL is allowed */

/* How many probes are under way. */
size_t cvg_inquirer_flights(const struct cvg_inquirer *inquirer);

#endif
