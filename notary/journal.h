/* SPDX-License-Identifier: MIT */
/* The journal: numbered segments (FILE.1, FILE.2 ...) that hold what the store does not have yet,
 * and an index in memory of their newest records. Records go to the last segment; sealed ones leave
 * from the front once the store has them. One thread; a sealed segment may be read by others. */
#ifndef CVG_NOTARY_JOURNAL_H
#define CVG_NOTARY_JOURNAL_H

#include "notary/segment.h"

struct cvg_journal;

/* Makes this process the only one that has the journal, for as long as the descriptor is open.
 * BUSY: another one has it. */
CVG_MUST_USE enum cvg_error cvg_journal_lock(const char *path, int *ret_descriptor,
                                             struct cvg_why *ret_why);

/* Takes up all segments that are found. What is damaged is set aside, and the log says so. */
CVG_MUST_USE enum cvg_error cvg_journal_open(const char *path, struct cvg_journal **ret_journal,
                                             struct cvg_why *ret_why);
void cvg_journal_free(struct cvg_journal *journal);

/* IO: it cannot be written now, and nothing has changed. */
CVG_MUST_USE enum cvg_error cvg_journal_put(struct cvg_journal *journal, const void *key,
                                            size_t key_len, const void *value, size_t value_len,
                                            uint64_t now_ms);
/* The newest record of the key. NOT_FOUND: the journal has none. CORRUPT: it can no longer be read.
 * buffer as in segment.h. */
CVG_MUST_USE enum cvg_error cvg_journal_get(const struct cvg_journal *journal, const void *key,
                                            size_t key_len, struct cvg_buffer *buffer,
                                            struct cvg_segment_record *ret_record);

/* Seals the last segment if it has that many octets, or some and is that old. */
bool cvg_journal_seal(struct cvg_journal *journal, uint64_t octets, uint64_t age_ms,
                      uint64_t now_ms);
/* The first sealed segment; NULL: there is none. It stays valid until it is dropped. */
const struct cvg_segment *cvg_journal_first(const struct cvg_journal *journal);
/* The store has all that is in the first segment: it goes. */
void cvg_journal_drop_first(struct cvg_journal *journal);

/* A descriptor of the segment that is written to, for syncing; the caller closes it. -1: nothing
 * was written since the last call. */
int cvg_journal_unsynced(struct cvg_journal *journal);

uint64_t cvg_journal_octets(const struct cvg_journal *journal);

#endif
