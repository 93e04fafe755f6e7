/* SPDX-License-Identifier: MIT */
/* Where root may write: nobody else can put a link in any part of the way. */
#ifndef CVG_TOOLS_ROOT_PATH_H
#define CVG_TOOLS_ROOT_PATH_H

#include "common/base/error.h"

/* For root: that every directory and link on the way to the path, as it is written and as the links
 * lead, and what is there, belongs to root; that others cannot rename what is in the directories,
 * nor write to the file. Of a path that is not there yet, what is there of the way counts. OWNER
 * names the part. For other users always CVG_OK: what they may not write, they cannot. */
CVG_MUST_USE enum cvg_error cvg_root_path_check(const char *path, struct cvg_why *ret_why);

#endif
