/* SPDX-License-Identifier: MIT */
/* The slots of a table of methods, and the pages that they lie in, see table.h. */
#include "config.h"

#include "nss-module/table.h"

#include <link.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "nss-module/loaded.h"

static const size_t places[CVG_SLOTS] = {
    offsetof(PRIOMethods, close), offsetof(PRIOMethods, read), offsetof(PRIOMethods, write),
    offsetof(PRIOMethods, recv),  offsetof(PRIOMethods, send), offsetof(PRIOMethods, sendto),
    offsetof(PRIOMethods, writev)};

cvg_slot *cvg_table_slot(PRIOMethods *table, unsigned slot)
{
    return (cvg_slot *)((uintptr_t)table + places[slot]);
}

cvg_slot cvg_table_read(const PRIOMethods *table, unsigned slot)
{
    return __atomic_load_n((const cvg_slot *)((uintptr_t)table + places[slot]), __ATOMIC_ACQUIRE);
}

struct place {
    uintptr_t start, end;
    bool writable;  /* of a segment of data */
    bool protected; /* made read-only after relocation, at least in part */
};

static uintptr_t page_of(uintptr_t address)
{
    return address & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
}

static int look(struct dl_phdr_info *info, size_t size, void *user)
{
    struct place *place = user;

    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + segment->p_vaddr, end = start + segment->p_memsz;

        if (segment->p_type == PT_LOAD && place->start >= start && place->end <= end)
            place->writable = (segment->p_flags & PF_W) != 0;
        if (segment->p_type == PT_GNU_RELRO && place->start < page_of(end) &&
            place->end > page_of(start))
            place->protected = true;
    }
    return place->writable;
}

/* A table in a segment without the right to write, or in none at all, is no data of NSPR's. */
bool cvg_table_begin(PRIOMethods *table, struct cvg_table_pages *ret_pages)
{
    struct place place = {(uintptr_t)table, (uintptr_t)(table + 1), false, false};
    uintptr_t first = page_of(place.start);
    uintptr_t end = page_of(place.end - 1) + (uintptr_t)sysconf(_SC_PAGESIZE);

    dl_iterate_phdr(look, &place);
    if (!place.writable)
        return false;
    *ret_pages = (struct cvg_table_pages){NULL, end - first};
    if (!place.protected)
        return true;
    ret_pages->start = (void *)first;
    return mprotect(ret_pages->start, ret_pages->len, PROT_READ | PROT_WRITE) == 0;
}

void cvg_table_end(const struct cvg_table_pages *pages)
{
    if (pages->start)
        mprotect(pages->start, pages->len, PROT_READ);
}

/* Two addresses, and the names of the objects that they lie in. */
struct pair {
    uintptr_t theirs, own;
    const char *their_name, *own_name;
};

static int find_names(struct dl_phdr_info *info, size_t size, void *user)
{
    struct pair *pair = user;

    (void)size;
    if (cvg_loaded_holds(info, pair->theirs))
        pair->their_name = cvg_loaded_base_name(info);
    if (cvg_loaded_holds(info, pair->own))
        pair->own_name = cvg_loaded_base_name(info);
    return pair->their_name && pair->own_name;
}

/* Not by dladdr(): that waits for whoever loads a library, whose constructors may wait for us. An
 * object's name is its own, so two places tell two objects; one that is in the table stays. */
bool cvg_table_is_copy(const PRIOMethods *table, unsigned slot, const void *own)
{
    struct pair pair = {cvg_table_read(table, slot), (uintptr_t)own, NULL, NULL};

    dl_iterate_phdr(find_names, &pair);
    return pair.their_name && pair.own_name && pair.their_name != pair.own_name &&
           strcmp(pair.their_name, pair.own_name) == 0;
}
