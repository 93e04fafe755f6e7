/* SPDX-License-Identifier: MIT */
/* A child process that is looked at: with a given openssl.cnf and installation. */
#ifndef CVG_TOOLS_CHILD_H
#define CVG_TOOLS_CHILD_H

#include <sys/types.h>

#include "common/base/error.h"

struct cvg_child {
    pid_t pid;
    int output; /* its standard output, for reading */
};

/* Starts the program (found on PATH unless it has a slash). Its environment is ours but for
 * OPENSSL_CONF and CONVERGE_CONFIG_DIR (NULL: as ours), and without CONVERGE; standard input and
 * error are /dev/null. */
CVG_MUST_USE enum cvg_error cvg_child_start(const char *program, char *const arguments[],
                                            const char *openssl_conf, const char *config_dir,
                                            struct cvg_child *ret_child, struct cvg_why *ret_why);

/* Ends it if it still runs, and waits for it. Returns its exit status, or 128 and the signal. */
int cvg_child_end(struct cvg_child *child);

#endif
