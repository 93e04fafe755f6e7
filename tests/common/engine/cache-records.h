/* SPDX-License-Identifier: MIT */
/* For tests of the cache: records with realistic hosts, made from a number, so that what is found
 * can be compared with what was stored. */
#ifndef CVG_TESTS_CACHE_RECORDS_H
#define CVG_TESTS_CACHE_RECORDS_H

#include "common/engine/cache.h"

#define RECORDS_TIME_S 1700000000

/* The notaries of all records: set_notaries takes these. */
extern const char *const records_notaries[4];

/* Record number i: three of the four voters, uid 1000. All its octets follow from i. */
void records_make(unsigned i, struct cvg_cache_record *ret_record);

/* Whether a record that was found is number i, apart from its users. */
bool records_is(unsigned i, const struct cvg_cache_record *found);

/* Whether it is any of the numbers below count. */
bool records_is_any(unsigned count, const struct cvg_cache_record *found);

#endif
