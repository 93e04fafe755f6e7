/* SPDX-License-Identifier: MIT */
/* All targets in memory, in the order of use, over a store. One loop. */
#ifndef CVG_NOTARY_MEMORY_H
#define CVG_NOTARY_MEMORY_H

#include "notary/store.h"
#include "notary/target.h"

struct cvg_memory;

/* max_targets: beyond it the least recently used ones go (they stay in the store). */
CVG_MUST_USE enum cvg_error cvg_memory_new(size_t max_targets, struct cvg_memory **ret_memory);
/* Before the first target; the store is freed with the memory. Without one, nothing is kept. */
void cvg_memory_set_store(struct cvg_memory *memory, struct cvg_store *store);
void cvg_memory_free(struct cvg_memory *memory); /* saves and syncs first */
void cvg_memory_set_max(struct cvg_memory *memory, size_t max_targets);

/* The target, from memory or store, or a new one about which nothing is known. It stays valid until
 * the next call for another target, or for as long as it has a flight. */
CVG_MUST_USE enum cvg_error cvg_memory_target(struct cvg_memory *memory,
                                              const struct cvg_endpoint *endpoint, uint8_t hint,
                                              struct cvg_target **ret_target);

/* Something new was seen there: kept answers go, and the next save writes it. */
void cvg_memory_changed(struct cvg_memory *memory, struct cvg_target *target);

/* Writes what has changed to the store. */
void cvg_memory_save(struct cvg_memory *memory);
/* Makes what has been written survive the machine, if anything has been. */
void cvg_memory_sync(struct cvg_memory *memory);

/* Forgets the kept answers of all targets (keys or limits have changed). */
void cvg_memory_forget_answers(struct cvg_memory *memory);

#endif
