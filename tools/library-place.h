/* SPDX-License-Identifier: MIT */
/* Which directories of libraries are the system's own, and not a program's. */
#ifndef CVG_TOOLS_LIBRARY_PLACE_H
#define CVG_TOOLS_LIBRARY_PLACE_H

#include <stdbool.h>

/* Of a library's path, without a look at the file: whether it lies in one of those directories
 * itself. What is below them in another one is somebody's own copy. */
bool cvg_library_is_the_systems(const char *path);

#endif
