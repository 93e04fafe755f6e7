/* SPDX-License-Identifier: MIT */
/* Where observations outlive the process: keys and values as octets, behind a small table.
 *
 * A store is a convenience, never an authority over the loop: when it fails it says so in the log
 * once, and the notary goes on in memory. One thread. */
#ifndef CVG_NOTARY_STORE_H
#define CVG_NOTARY_STORE_H

#include <sys/types.h>

#include "common/base/buffer.h"
#include "common/base/error.h"

#define CVG_STORE_VALUE_MAX 65536

struct cvg_store {
    /* Appends the value to ret_value; NOT_FOUND, CORRUPT (a record that fails its checksum; it is
     * gone afterwards) or IO. */
    enum cvg_error (*get)(struct cvg_store *store, const void *key, size_t key_len,
                          struct cvg_buffer *ret_value);
    enum cvg_error (*put)(struct cvg_store *store, const void *key, size_t key_len,
                          const void *value, size_t value_len);
    /* Makes what was put survive the machine, too. */
    void (*sync)(struct cvg_store *store);
    void (*free)(struct cvg_store *store);
};

#endif
