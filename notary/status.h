/* SPDX-License-Identifier: MIT */
/* What one notary tells of itself at one instant: the values behind /metrics, /healthz and the
 * status page. Nothing in it is about any client or target. Plain data, made in one thread. */
#ifndef CVG_NOTARY_STATUS_H
#define CVG_NOTARY_STATUS_H

#include <stdbool.h>

#include "common/base/buffer.h"
#include "common/base/fingerprint.h"
#include "common/protocol/bundle.h"
#include "notary/metrics.h"
#include "notary/process.h"

/* Who the notary is; changes only when keys or bundles are read again. */
struct cvg_about {
    char name[CVG_MESSAGE_NAME_MAX];
    char region[3];          /* "" if its bundle does not say */
    char operator_name[128]; /* the same */
    char fingerprint[CVG_FINGERPRINT_TEXT_MAX];
    int64_t not_after_s; /* the TLS certificate's last second; 0: not known */
};

struct cvg_identity;

/* Takes in what is new: the settings' name, what the bundle that is handed out tells, and, from an
 * identity with keys, certificate and fingerprint. */
void cvg_about_take(struct cvg_about *about, const char *name, const struct cvg_identity *identity);

struct cvg_status {
    struct cvg_about about;
    struct cvg_metrics_sum sum;
    struct cvg_process process;
    const char *store; /* "gdbm", "redis"; NULL: memory only */
    bool store_full;   /* the journal has reached its bound: nothing new is looked at */
    unsigned workers;
    unsigned workers_answering;
    bool ending; /* takes no new connections */
    bool has_bundle, has_bundle_v1;
    int64_t started_s, now_s;
};

/* Of what was asked for, the share that was answered from memory; 0 if nothing was. */
double cvg_status_hit_ratio(const struct cvg_metrics_sum *sum);

/* One line: "ok", "degraded: ..." (it answers, but something needs a look) or "failing: ...".
 * Returns whether it answers: not failing. */
bool cvg_status_health(const struct cvg_status *status, struct cvg_buffer *ret_line);

#endif
