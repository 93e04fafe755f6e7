/* SPDX-License-Identifier: MIT */
/* A terminal that gives its keys at once, and gets its own settings back. */
#ifndef CVG_TOOLS_TERMINAL_H
#define CVG_TOOLS_TERMINAL_H

#include <stdbool.h>

/* Whether standard input and output are a terminal that knows escape sequences. */
bool cvg_terminal_is(void);

/* Keys without Enter and unseen; Ctrl-C and Ctrl-Z stay signals. Given back at exit(), too. */
bool cvg_terminal_begin(void);
void cvg_terminal_end(void);

/* Columns, at least 20; 80 where nobody knows. */
int cvg_terminal_columns(void);

#endif
