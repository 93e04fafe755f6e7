/* SPDX-License-Identifier: MIT */
/* Objects of this process, as dl_iterate_phdr() shows them. */
#ifndef CVG_NSS_MODULE_LOADED_H
#define CVG_NSS_MODULE_LOADED_H

#include <link.h>
#include <stdbool.h>
#include <stdint.h>

/* Whether the address lies in what was loaded of this object. Calls nothing. */
bool cvg_loaded_holds(const struct dl_phdr_info *info, uintptr_t address);

/* The file's name without its folder; empty for the program itself. */
const char *cvg_loaded_base_name(const struct dl_phdr_info *info);

#endif
