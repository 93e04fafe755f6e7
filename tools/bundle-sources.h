/* SPDX-License-Identifier: MIT */
/* Bundles that a person names: files, https URLs, and directories of *.notary files. Reads and
 * validates; adds nothing. */
#ifndef CVG_TOOLS_BUNDLE_SOURCES_H
#define CVG_TOOLS_BUNDLE_SOURCES_H

#include "common/base/buffer.h"
#include "tools/bundle-files.h"

struct cvg_bundle_source {
    char *name; /* the file, or the URL, that it came from */
    struct cvg_buffer data;
    struct cvg_bundle *bundle;
};

struct cvg_bundle_sources {
    struct cvg_bundle_source item[CVG_BUNDLE_FILES_MAX];
    size_t count;
};

/* All of them, in the order given and a directory's by name, or none: the first that cannot be
 * read, is no bundle or is one too many is the error, by name. UNREACHABLE: a URL is. The caller
 * frees. */
CVG_MUST_USE enum cvg_error cvg_bundle_sources_read(char *const *names, size_t count,
                                                    struct cvg_bundle_sources *ret_sources,
                                                    struct cvg_why *ret_why);
void cvg_bundle_sources_free(struct cvg_bundle_sources *sources);

#endif
