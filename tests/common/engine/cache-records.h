/* SPDX-License-Identifier: MIT */
/* For tests of the cache: records with realistic hosts, made from a number, so that what is found
 * can be compared with what was stored. */
#ifndef CVG_TESTS_CACHE_RECORDS_H
#define CVG_TESTS_CACHE_RECORDS_H

#include "common/engine/cache.h"

#define RECORDS_TIME_S 1700000000

/* The notaries of all records: set_notaries takes these. */
extern const struct cvg_voter records_notaries[4];

/* Record number i: three of the four voters, uid 1000. All its octets follow from i. */
void records_make(unsigned i, struct cvg_cache_record *ret_record);

/* Whether a record that was found is one that records_make gives, apart from its users; its number
 * in ret_i, which may be NULL. */
bool records_is_one(const struct cvg_cache_record *found, unsigned *ret_i);

/* Whether it is number i. */
bool records_is(unsigned i, const struct cvg_cache_record *found);

#endif
