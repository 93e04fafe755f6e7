/* SPDX-License-Identifier: MIT */
/* Bundles as files: their text, signed or, in version 1, as it is (doc/bundle.md). Pure. */
#ifndef CVG_NOTARY_BUNDLE_SEAL_H
#define CVG_NOTARY_BUNDLE_SEAL_H

#include <jansson.h>

#include "common/protocol/sign.h"

/* Appends the file of a version 2 bundle, signed by key, or of a version 1 bundle. bundle: its
 * members; NULL is out of memory. Both read the result as a client would: SYNTAX, RANGE or
 * SIGNATURE if what it says is not allowed. */
CVG_MUST_USE enum cvg_error cvg_bundle_seal(const json_t *bundle, struct cvg_signing_key *key,
                                            struct cvg_buffer *ret_text, struct cvg_why *ret_why);
CVG_MUST_USE enum cvg_error cvg_bundle_plain(const json_t *bundle, struct cvg_buffer *ret_text,
                                             struct cvg_why *ret_why);

#endif
