/* SPDX-License-Identifier: MIT */
/* Octets that several threads read and nobody changes, counted: a serialised answer, a chain. */
#ifndef CVG_NOTARY_BLOB_H
#define CVG_NOTARY_BLOB_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct cvg_blob {
    atomic_uint references;
    size_t len;
    uint8_t octets[];
};

/* A copy of the octets with one reference, the caller's; NULL if there is no memory. */
struct cvg_blob *cvg_blob_new(const void *octets, size_t len);

/* Any thread that holds a reference, or a lock under which one is held, may take another. Both
 * take NULL; ref returns what it was given. */
struct cvg_blob *cvg_blob_ref(struct cvg_blob *blob);
void cvg_blob_unref(struct cvg_blob *blob);

#endif
