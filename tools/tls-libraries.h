/* SPDX-License-Identifier: MIT */
/* The libraries that a program would have, as the dynamic loader finds them: by where the program
 * and its libraries say (DT_RUNPATH, DT_RPATH, $ORIGIN), then in the system's places. Nothing is
 * run. */
#ifndef CVG_TOOLS_TLS_LIBRARIES_H
#define CVG_TOOLS_TLS_LIBRARIES_H

#include "tools/elf-needed.h"

/* Parsed files are remembered between calls. */
struct cvg_libraries;
struct cvg_libraries *cvg_libraries_new(void);
void cvg_libraries_free(struct cvg_libraries *libraries);

struct cvg_library {
    const char *name; /* as it is needed */
    const char *path; /* without symbolic links; NULL: it was not found */
    unsigned depth;   /* 1: the program itself needs it */
};
typedef void cvg_library_fn(void *context, const struct cvg_library *library);

/* Tells of each library once, nearest first. path: the program's own, elf: what is in it. */
void cvg_libraries_walk(struct cvg_libraries *libraries, const char *path,
                        const struct cvg_elf *elf, cvg_library_fn *tell, void *context);

/* A file, read as cvg_elf_parse() does. */
bool cvg_libraries_parse(const char *path, struct cvg_elf *ret_elf);

#endif
