/* SPDX-License-Identifier: MIT */
/* Which openssl.cnf this machine's programs read. */
#ifndef CVG_TOOLS_OPENSSL_WHERE_H
#define CVG_TOOLS_OPENSSL_WHERE_H

#include <limits.h>

/* The file that the installed library itself names: what programs read that are told nothing else.
 */
void cvg_openssl_own_conf(char ret_path[static PATH_MAX]);

/* Remarks on what the file does not reach: an OPENSSL_CONF of this environment that names another
 * file, and the files of other layouts, which another OpenSSL on this machine may read. */
void cvg_openssl_say_others(const char *path);

#endif
