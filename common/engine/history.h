/* SPDX-License-Identifier: MIT */
/* The agent's memory of its verdicts on disk, behind `log` and `report`: bounded, written late, and
 * with room of its own for what was refused or undecided. Its loss costs nothing but memory: no
 * error here ever reaches a check. One thread.
 *
 * In its directory are files per kind (history-record.h), each with one older generation beside
 * it; a file that has its share is renamed to the older one. */
#ifndef CVG_ENGINE_HISTORY_H
#define CVG_ENGINE_HISTORY_H

#include <sys/types.h>

#include "common/engine/history-record.h"

#define CVG_HISTORY_GENERATIONS 2 /* of each kind, the older first */

struct cvg_history;
struct cvg_history_reading;

/* directory: made if missing. max: octets of all files together; 0: nothing is kept, and what was
 * kept is removed. */
CVG_MUST_USE enum cvg_error cvg_history_new(const char *directory, uint64_t max,
                                            struct cvg_history **ret_history);
/* Writes what is not yet written. */
void cvg_history_free(struct cvg_history *history);
void cvg_history_set_max(struct cvg_history *history, uint64_t max);

/* Notes an entry in memory. True if cvg_history_flush is to be called within a second. */
bool cvg_history_note(struct cvg_history *history, const struct cvg_verdict_entry *entry);
/* Writes. True if something could not be written and is kept for another call. */
bool cvg_history_flush(struct cvg_history *history);

/* Begins to read what has been written so far, oldest first; what comes later is not seen. */
CVG_MUST_USE enum cvg_error cvg_history_read(struct cvg_history *history,
                                             struct cvg_history_reading **ret_reading);
/* The next verdict, valid until the next call; NULL at the end, or, with *ret_pause, when as much
 * has been read as one turn of a loop should bear: call again. */
const struct cvg_verdict_entry *cvg_history_next(struct cvg_history_reading *reading,
                                                 bool *ret_pause);
/* From the oldest once more. */
void cvg_history_rewind(struct cvg_history_reading *reading);
void cvg_history_end(struct cvg_history_reading *reading);

#endif
