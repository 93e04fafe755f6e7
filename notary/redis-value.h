/* SPDX-License-Identifier: MIT */
/* Values (observations.h) on their way to a Redis that others write to, too. Pure. */
#ifndef CVG_NOTARY_REDIS_VALUE_H
#define CVG_NOTARY_REDIS_VALUE_H

#include "common/base/buffer.h"

/* How long the value is worth keeping; 0 or less: it has been forgotten already, or nobody can read
 * it. NOMEM. */
CVG_MUST_USE enum cvg_error cvg_redis_lifetime(const void *value, size_t len,
                                               int64_t forget_after_s, int64_t now_s,
                                               int64_t *ret_lifetime_ms);

/* The value takes in what is present. Whether it was made from that is not asked, as
 * cvg_values_merge does: another notary may have made more of the same. EXISTS: what is present
 * holds all of it already. */
CVG_MUST_USE enum cvg_error cvg_redis_merge(struct cvg_buffer *value, const void *present,
                                            size_t len, int64_t now_s);

#endif
