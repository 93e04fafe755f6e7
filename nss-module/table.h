/* SPDX-License-Identifier: MIT */
/* Writing to NSPR's table of methods, which is data of another library. */
#ifndef CVG_NSS_MODULE_TABLE_H
#define CVG_NSS_MODULE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include <nspr.h>

/* The methods that we replace: their places in the table. */
#define CVG_SLOTS 7

typedef uintptr_t __attribute__((may_alias)) cvg_slot;

/* The slot's place in this table of NSPR's kind; slot < CVG_SLOTS. */
cvg_slot *cvg_table_slot(PRIOMethods *table, unsigned slot);
cvg_slot cvg_table_read(const PRIOMethods *table, unsigned slot);

/* Between these two the table can be written to; false if that is impossible. What the loader made
 * read-only after relocation is so again afterwards. Nobody else's code is called. */
struct cvg_table_pages {
    void *start; /* NULL: they were writable */
    size_t len;
};
bool cvg_table_begin(PRIOMethods *table, struct cvg_table_pages *ret_pages);
void cvg_table_end(const struct cvg_table_pages *pages);

/* Whether the function in this slot is of another copy of the object that `own` is in: a file of
 * the same name at another place. */
bool cvg_table_is_copy(const PRIOMethods *table, unsigned slot, const void *own);

#endif
