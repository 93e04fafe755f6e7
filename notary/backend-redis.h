/* SPDX-License-Identifier: MIT */
/* The backend that several notaries share: records in Redis, each signed, each replaced only by one
 * that has taken in what was there. Nothing of Redis is trusted: it can withhold a record, or hand
 * out an older one of the same target, and no more. */
#ifndef CVG_NOTARY_BACKEND_REDIS_H
#define CVG_NOTARY_BACKEND_REDIS_H

#include <uv.h>

#include "notary/backend.h"
#include "notary/metrics.h"
#include "notary/record-keys.h"
#include "notary/settings.h"

/* In the loop's thread, or before it runs. keys, which may change between calls, and metrics are
 * borrowed, settings are copied. Reads the password. A server that cannot be reached is no error; a
 * password that cannot be read is. */
CVG_MUST_USE enum cvg_error
cvg_backend_redis_new(uv_loop_t *loop, const struct cvg_settings *settings,
                      struct cvg_record_keys *keys, struct cvg_metrics *metrics,
                      struct cvg_backend **ret_backend, struct cvg_why *ret_why);

#endif
