/* SPDX-License-Identifier: MIT */
/* Reads what the loader tells of an object, see loaded.h. */
#include "config.h"

#include "nss-module/loaded.h"

#include <string.h>

bool cvg_loaded_holds(const struct dl_phdr_info *info, uintptr_t address)
{
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + segment->p_vaddr;

        if (segment->p_type == PT_LOAD && address >= start && address - start < segment->p_memsz)
            return true;
    }
    return false;
}

const char *cvg_loaded_base_name(const struct dl_phdr_info *info)
{
    const char *slash = strrchr(info->dlpi_name, '/');

    return slash ? slash + 1 : info->dlpi_name;
}
