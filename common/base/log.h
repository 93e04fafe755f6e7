/* SPDX-License-Identifier: MIT */
/* Where diagnostics go. Nothing is printed unless a program installs a handler: the default
 * discards, so that code in a stranger's process stays silent. */
#ifndef CVG_BASE_LOG_H
#define CVG_BASE_LOG_H

#include "common/base/attr.h"

enum cvg_log_level { CVG_LOG_ERROR = 0, CVG_LOG_WARNING, CVG_LOG_NOTICE, CVG_LOG_INFO, CVG_LOG_DEBUG };

typedef void cvg_log_handler(enum cvg_log_level level, const char *line, void *user);

/* Installs the process's handler (NULL: discard) and the most talkative level it gets. Call it once,
 * before threads start. */
void cvg_log_set_handler(cvg_log_handler *handler, enum cvg_log_level level, void *user);

/* Makes each octet of a control character a '?', in place: those of ASCII, and those of 0x80 to 0x9f,
 * which are two octets in UTF-8. */
void cvg_mask_controls(char *text);

/* One line, without a newline, at most 1,023 octets, with its controls masked. Keeps errno. */
void cvg_log(enum cvg_log_level level, const char *fmt, ...) CVG_PRINTF(2, 3);

/* A ready handler: user is an int * with a file descriptor; writes "<level word>: line\n". */
cvg_log_handler cvg_log_to_fd;

#endif
