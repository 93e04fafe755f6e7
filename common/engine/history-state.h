/* SPDX-License-Identifier: MIT */
/* What the writing and the reading of the history share; for history*.c only. */
#ifndef CVG_ENGINE_HISTORY_STATE_H
#define CVG_ENGINE_HISTORY_STATE_H

#include "common/base/config.h"
#include "common/engine/history.h"

#define CVG_HISTORY_PATH_MAX (CVG_PATH_MAX + 64)

/* The name of a kind's file, of the older generation (0) or the present one. */
void cvg_history_path(const char *directory, size_t kind, size_t generation,
                      char ret_path[static CVG_HISTORY_PATH_MAX]);
/* Opens a file of the history; -1 if there is none, or none of ours. */
int cvg_history_file(const char *path, int flags);

/* history-read.c: the highest order in a directory's files; 0: they are empty. */
uint64_t cvg_history_last_order(const char *directory);

const char *cvg_history_directory(const struct cvg_history *history);

#endif
