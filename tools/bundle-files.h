/* SPDX-License-Identifier: MIT */
/* The bundles an administrator (or a user, of an own installation) has put into notaries.d. */
#ifndef CVG_TOOLS_BUNDLE_FILES_H
#define CVG_TOOLS_BUNDLE_FILES_H

#include <dirent.h>

#include "common/base/config.h"
#include "common/protocol/bundle.h"

#define CVG_BUNDLE_FILES_MAX 64

struct cvg_bundle_files {
    struct cvg_bundle *bundle[CVG_BUNDLE_FILES_MAX];
    char *path[CVG_BUNDLE_FILES_MAX];
    size_t count;
};

/* All bundles of the installation, by name; a bad one is an error that names its file. Without the
 * directory: none. */
CVG_MUST_USE enum cvg_error cvg_bundle_files_load(const struct cvg_paths *paths,
                                                  struct cvg_bundle_files *ret_files,
                                                  struct cvg_why *ret_why);
void cvg_bundle_files_free(struct cvg_bundle_files *files);

/* Whether a directory's entry has a bundle's name, *.notary and not hidden; for scandir. */
int cvg_bundle_file_is(const struct dirent *entry);

/* Where a bundle of that name belongs: notaries.d/NAME.notary, with what a file name should not
 * have replaced by '_'. */
CVG_MUST_USE enum cvg_error cvg_bundle_file_path(const struct cvg_paths *paths, const char *name,
                                                 char ret_path[static CVG_PATH_MAX],
                                                 struct cvg_why *ret_why);

/* What people compare (doc/bundle.md, "Fingerprint of a bundle"). */
CVG_MUST_USE enum cvg_error cvg_bundle_fingerprint(const struct cvg_bundle *bundle,
                                                   char ret_text[static CVG_FINGERPRINT_TEXT_MAX]);

/* EXISTS, with the reason, if the bundle is one of these already under any name: the same operator
 * must not vote twice. */
CVG_MUST_USE enum cvg_error cvg_bundle_files_find_twin(const struct cvg_bundle_files *files,
                                                       const struct cvg_bundle *bundle,
                                                       struct cvg_why *ret_why);

#endif
