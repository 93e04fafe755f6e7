/* SPDX-License-Identifier: MIT */
/* Inside the engine: accepted updates, kept as state_dir/bundles/NAME.SERIAL.notary. */
#ifndef CVG_ENGINE_BUNDLE_UPDATES_H
#define CVG_ENGINE_BUNDLE_UPDATES_H

#include "common/engine/bundle.h"

/* Puts the kept updates on a bundle of the administrator's, in rising order, each by the rule for
 * updates; *bundle is then the last good one. A kept update that is not valid is told in the log
 * and left aside; those that are no longer needed are removed. One that cannot be read or judged
 * just now (memory, a system call) is an error: without it an older bundle, perhaps with a key that
 * was given up, would be in force again. *bundle is then the administrator's. */
CVG_MUST_USE enum cvg_error cvg_bundle_put_updates(const struct cvg_paths *paths,
                                                   struct cvg_bundle **bundle,
                                                   struct cvg_why *ret_why);

#endif
