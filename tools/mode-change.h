/* SPDX-License-Identifier: MIT */
/* The mode of an installation, changed in its converge.conf: for `mode`, and for `enable --mode`. */
#ifndef CVG_TOOLS_MODE_CHANGE_H
#define CVG_TOOLS_MODE_CHANGE_H

#include <stdbool.h>

#include "tools/installation.h"

/* The mode of that name; false if there is none. */
bool cvg_mode_find(const char *name, enum cvg_mode *ret_mode);

/* What a mode does, in one sentence without its full stop. */
const char *cvg_mode_meaning(enum cvg_mode mode);

/* Puts the mode into the converge.conf in force: one line is changed or added, the outcome is
 * parsed before it takes the file's place, and a running agent reads it again. From monitor to a
 * mode that refuses only where two notaries answer, but for anyway: else all would be refused.
 * Changes installation->config.mode. Returns CVG_GO_ON with *ret_changed, or the exit code after
 * saying why nothing was changed. */
int cvg_mode_change(struct cvg_installation *installation, enum cvg_mode mode, bool anyway,
                    bool *ret_changed);

#endif
