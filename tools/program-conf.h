/* SPDX-License-Identifier: MIT */
/* The openssl.cnf for one command: the one in use, and converge.so. */
#ifndef CVG_TOOLS_PROGRAM_CONF_H
#define CVG_TOOLS_PROGRAM_CONF_H

#include "common/base/config.h"

/* Writes the file if it is not there yet, sees that OpenSSL loads the module with it, and returns
 * its path. Its name is made from its content,
 * so that a thousand commands leave one file, and a running command's file is never changed.
 * It is where only this user (and root) can write: root's beside the runtime directory, not in it,
 * since that one is the agent's user's. */
CVG_MUST_USE enum cvg_error cvg_program_conf(const struct cvg_paths *paths,
                                             char ret_path[static CVG_PATH_MAX],
                                             struct cvg_why *ret_why);

#endif
