/* SPDX-License-Identifier: MIT */
/* The libraries that an ELF file names, and where it wants them looked for. The file may be
 * anybody's: everything in it is checked against its bounds. Pure but for the reader. */
#ifndef CVG_TOOLS_ELF_NEEDED_H
#define CVG_TOOLS_ELF_NEEDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CVG_ELF_NEEDED_MAX 96
#define CVG_ELF_NAME_MAX   96
#define CVG_ELF_PATH_MAX   1024

struct cvg_elf {
    char needed[CVG_ELF_NEEDED_MAX][CVG_ELF_NAME_MAX];
    size_t count;
    char run_path[CVG_ELF_PATH_MAX]; /* DT_RUNPATH, else DT_RPATH, as it is written there */
    bool inherited; /* it is DT_RPATH: it counts for the libraries' libraries, too */
    bool narrow;    /* of 32 bits */
    unsigned machine;
    bool foreign; /* of another byte order: nothing more is known */
};

/* Reads exactly len octets at the offset; false: there are not as many. */
typedef bool cvg_elf_read_fn(void *context, uint64_t offset, void *ret_octets, size_t len);

/* false: no ELF file, or a damaged one. */
bool cvg_elf_parse(cvg_elf_read_fn *read, void *context, struct cvg_elf *ret_elf);

#endif
