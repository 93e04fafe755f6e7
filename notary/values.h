/* SPDX-License-Identifier: MIT */
/* Two stored values of one target (observations.h) become one. Pure. */
#ifndef CVG_NOTARY_VALUES_H
#define CVG_NOTARY_VALUES_H

#include "common/base/buffer.h"

struct cvg_stored {
    const void *octets;
    size_t len;
};

/* What is to be kept of both: newer, if it was made from older or older cannot be read; older, if
 * newer cannot be read; else both, merged into the buffer, which the caller has initialised and
 * which holds what the result then points to. NOMEM, or RANGE: the buffer is too small. */
CVG_MUST_USE enum cvg_error cvg_values_merge(struct cvg_stored older, struct cvg_stored newer,
                                             int64_t now_s, struct cvg_buffer *buffer,
                                             struct cvg_stored *ret_value);

#endif
