/* SPDX-License-Identifier: MIT */
/* A hash of octet strings with a random key, so that nobody outside can choose strings that
 * collide. */
#ifndef CVG_NOTARY_HASH_H
#define CVG_NOTARY_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

struct cvg_hash_key {
    uint64_t word[2];
};

/* IO: the system has no random octets. */
CVG_MUST_USE enum cvg_error cvg_hash_key_make(struct cvg_hash_key *ret_key);
uint64_t cvg_hash(const struct cvg_hash_key *key, const void *octets, size_t len);

#endif
