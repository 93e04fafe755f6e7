/* SPDX-License-Identifier: MIT */
/* Inside the engine: accepted updates, kept as state_dir/bundles/NAME.SERIAL.notary; the times of
 * NAME.looked beside them are when an update was last looked for. */
#ifndef CVG_ENGINE_BUNDLE_UPDATES_H
#define CVG_ENGINE_BUNDLE_UPDATES_H

#include "common/engine/bundle.h"

/* Puts the kept updates on a bundle of the administrator's, in rising order, each by the rule for
 * updates; the last good one is in ret_updated, which is NULL if there is none. A kept update that
 * is not valid is told in the log and left aside; those that are no longer needed are removed. One
 * that cannot be read or judged just now (memory, a system call) is an error: without it an older
 * bundle, perhaps with a key that was given up, would be in force again. */
CVG_MUST_USE enum cvg_error cvg_bundle_updated(const struct cvg_paths *paths,
                                               const struct cvg_bundle *configured,
                                               struct cvg_bundle **ret_updated,
                                               struct cvg_why *ret_why);

/* Whether it says where its updates are, and has a key of its own by which they can be known. */
bool cvg_bundle_updates_itself(const struct cvg_bundle *bundle);
/* Notes that an update was looked for now; that it cannot is told in the log. */
void cvg_bundle_note_look(const struct cvg_paths *paths, const struct cvg_bundle *bundle);
/* When one was last looked for, and when the one in force was taken; 0: never. */
int64_t cvg_bundle_looked_s(const struct cvg_paths *paths, const struct cvg_bundle *bundle);
int64_t cvg_bundle_changed_s(const struct cvg_paths *paths, const struct cvg_bundle *bundle);

#endif
