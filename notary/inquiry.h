/* SPDX-License-Identifier: MIT */
/* One question about one target: answered from memory while that is fresh enough, else by what the
 * store knows, else by a probe that everybody who asks meanwhile shares, whichever loop they are
 * in.
 *
 * At most one flight (a look into the store, then a probe) per target is under way in the process,
 * and after a probe that looked as hard as it can (both rounds, or a failure) the next begins only
 * probe_interval later, whoever asks for what. Each loop has an inquirer of its own. */
#ifndef CVG_NOTARY_INQUIRY_H
#define CVG_NOTARY_INQUIRY_H

#include "notary/answer.h"
#include "notary/budget.h"
#include "notary/keeper.h"
#include "notary/memory.h"
#include "notary/probe.h"
#include "notary/verifiers.h"

/* What is looked for: a leaf by either digest, or (len 0) whatever is known. */
struct cvg_wanted {
    uint8_t digest[CVG_SHA256_LEN];
    uint8_t len; /* 0, CVG_SHA1_LEN or CVG_SHA256_LEN */
};

struct cvg_asked {
    const struct cvg_endpoint *endpoint; /* during the call */
    uint8_t hint;
    bool v1; /* which form the answer has */
    struct cvg_wanted wanted;
    struct cvg_budget_client *client; /* pays for a probe; stays until done or cancel */
};

enum cvg_source { CVG_FROM_MEMORY = 0, CVG_FROM_STORE, CVG_FROM_PROBE };

struct cvg_finding {
    enum cvg_error error;   /* OK; BUSY: it needs a probe, and there is none to be had; else it
                               cannot be told. Nothing below holds unless OK */
    unsigned retry_after_s; /* BUSY: when there may be one */
    bool over_budget;       /* BUSY: the client's budget is used up, not the notary's */
    enum cvg_v2_status status;
    bool found; /* status is SEEN, and what was wanted is current (or known, for 0) */
    uint8_t opinion[CVG_OPINIONS]; /* of what was found, by cvg_opinion_index */
    enum cvg_source source;
    struct cvg_blob *body; /* a reference for the receiver (answer.h); NULL: version 1 has none */
};

struct cvg_inquirer;
struct cvg_inquiry;

/* In the loop of whoever asked; finding->body is the callee's. */
typedef void cvg_inquiry_done(const struct cvg_finding *finding, void *user);

struct cvg_inquiry_limits {
    uint64_t max_age_s;
    uint64_t interval_ms;
    uint64_t max_flights; /* in the process */
};

/* All of it is borrowed, and may be changed through the pointers between events. */
struct cvg_inquirer_parts {
    const struct cvg_prober *prober;
    const struct cvg_answerer *answerer;
    const struct cvg_clock *clock;
    struct cvg_mailbox *mailbox; /* this loop's */
    struct cvg_metrics *metrics; /* this loop's */
    struct cvg_memory *memory;   /* this and the following are all loops' */
    struct cvg_budget *budget;
    struct cvg_keeper **keeper;       /* NULL in it: nothing is kept */
    struct cvg_verifiers **verifiers; /* this loop's; NULL in it: there are none to be heard */
    atomic_size_t *flights;
};

CVG_MUST_USE enum cvg_error cvg_inquirer_new(const struct cvg_inquirer_parts *parts,
                                             struct cvg_inquirer **ret_inquirer);
void cvg_inquirer_set(struct cvg_inquirer *inquirer, const struct cvg_inquiry_limits *limits);
/* Ends the flights of this loop; who waits for them in other loops is told that there is no answer.
 * In its thread, or after that has ended. */
void cvg_inquirer_stop(struct cvg_inquirer *inquirer);
void cvg_inquirer_free(struct cvg_inquirer *inquirer); /* stopped, or NULL */

/* The answer if memory has it: true, and *ret_finding is filled. */
bool cvg_inquiry_try(struct cvg_inquirer *inquirer, const struct cvg_asked *question,
                     struct cvg_finding *ret_finding);
/* Either the finding is known at once (NULL, and *ret_finding is filled), or done is called later,
 * once, from the loop, unless the inquiry is cancelled. */
struct cvg_inquiry *cvg_inquiry_start(struct cvg_inquirer *inquirer,
                                      const struct cvg_asked *question, cvg_inquiry_done *done,
                                      void *user, struct cvg_finding *ret_finding);
/* At any instant before done, in the loop that asked. NULL is allowed. */
void cvg_inquiry_cancel(struct cvg_inquiry *inquiry);

/* Looks at a locked target again though nobody asks, as hard as it can; to be followed by
 * cvg_inquirer_depart once the lock is let go of. false: not now. */
bool cvg_inquiry_refresh(struct cvg_inquirer *inquirer, struct cvg_target *target);
void cvg_inquirer_depart(struct cvg_inquirer *inquirer);

/* How many flights of this loop are under way. */
size_t cvg_inquirer_flights(const struct cvg_inquirer *inquirer);

#endif
