/* SPDX-License-Identifier: MIT */
/* The notaries of an installation: which bundle files there are, and their updates. What a bundle
 * says is common/protocol/bundle.h. Not thread-safe. */
#ifndef CVG_ENGINE_BUNDLE_H
#define CVG_ENGINE_BUNDLE_H

#include <stddef.h>

#include "common/base/config.h"
#include "common/protocol/bundle.h"

#define CVG_BUNDLES_MAX 64

/* Accepts an update of a loaded bundle as cvg_bundle_update does, and keeps it in
 * state_dir/bundles for the next start. On failure nothing is changed. */
CVG_MUST_USE enum cvg_error cvg_bundle_accept(const struct cvg_paths *paths,
                                              const struct cvg_bundle *old, const char *json,
                                              size_t len, struct cvg_bundle **ret_bundle,
                                              struct cvg_why *ret_why);

/* All notaries of an installation: config_dir/notaries.d (*.notary), each replaced by a valid
 * update in state_dir/bundles. One bad file is an error that names it (fail closed: a missing
 * notary would change the electorate); a stored update that is not valid is told in the log and
 * left aside. Names, pins and keys must be distinct: no operator has two votes. */
struct cvg_bundles {
    struct cvg_bundle *bundle[CVG_BUNDLES_MAX];
    size_t count;
};
CVG_MUST_USE enum cvg_error cvg_bundles_load(const struct cvg_paths *paths,
                                             struct cvg_bundles *ret_bundles,
                                             struct cvg_why *ret_why);
void cvg_bundles_free(struct cvg_bundles *bundles);

#endif
