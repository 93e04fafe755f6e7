/* SPDX-License-Identifier: MIT */
/* Octets that several threads read and nobody changes. */
#include "notary/blob.h"

#include <stdlib.h>
#include <string.h>

struct cvg_blob *cvg_blob_new(const void *octets, size_t len)
{
    struct cvg_blob *blob = malloc(sizeof(*blob) + len);
    if (blob == NULL)
        return NULL;
    atomic_init(&blob->references, 1);
    blob->len = len;
    if (len > 0)
        memcpy(blob->octets, octets, len);
    return blob;
}

struct cvg_blob *cvg_blob_ref(struct cvg_blob *blob)
{
    if (blob != NULL)
        atomic_fetch_add_explicit(&blob->references, 1, memory_order_relaxed);
    return blob;
}

void cvg_blob_unref(struct cvg_blob *blob)
{
    if (blob != NULL && atomic_fetch_sub_explicit(&blob->references, 1, memory_order_acq_rel) == 1)
        free(blob);
}
