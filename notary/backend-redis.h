/* SPDX-License-Identifier: MIT */
/* The backend that several notaries share: records in Redis, each signed, each replaced only by one
 * that has taken in what was there. Nothing of Redis is trusted: it can withhold a record, or hand
 * out an older one of the same target, and no more. */
#ifndef CVG_NOTARY_BACKEND_REDIS_H
#define CVG_NOTARY_BACKEND_REDIS_H

#include <uv.h>

#include "common/protocol/sign.h"
#include "notary/backend.h"
#include "notary/metrics.h"
#include "notary/settings.h"

/* In the loop's thread, or before it runs. key signs; metrics is borrowed, the others are copied.
 * Reads the password and the bundle, whose keys are believed, too. A server that cannot be reached
 * is no error; a password or bundle that cannot be read is. */
CVG_MUST_USE enum cvg_error
cvg_backend_redis_new(uv_loop_t *loop, const struct cvg_settings *settings,
                      const struct cvg_signing_key *key, struct cvg_metrics *metrics,
                      struct cvg_backend **ret_backend, struct cvg_why *ret_why);

#endif
