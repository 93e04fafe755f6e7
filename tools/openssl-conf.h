/* SPDX-License-Identifier: MIT */
/* What has to be added to an openssl.cnf so that programs that read it load converge.so.
 *
 * OpenSSL merges sections of one name and takes the last value of a key, so a block appended at the
 * end is enough, and taking it away again leaves what was there. */
#ifndef CVG_TOOLS_OPENSSL_CONF_H
#define CVG_TOOLS_OPENSSL_CONF_H

#include <stdbool.h>

#include "common/base/buffer.h"
#include "common/base/error.h"

#define CVG_OPENSSL_CONF_MAX 1048576 /* octets of an openssl.cnf */
#define CVG_PROVIDER_NAME    "converge"

/* Computes the block for a configuration's text. It adds the provider to the sections that
 * openssl_conf and nodejs_conf name (making what is missing), and activates the default provider
 * only where no provider is active: a FIPS set-up stays what it is. *ret_block is replaced (max:
 * CVG_OPENSSL_CONF_MAX), and left empty if everything is in the text already.
 * name: the file's, for messages. CONFIG: OpenSSL cannot read the text. */
CVG_MUST_USE enum cvg_error cvg_openssl_block(const char *text, size_t len, const char *name,
                                              const char *module, struct cvg_buffer *ret_block,
                                              struct cvg_why *ret_why);

/* Appends a path as OpenSSL's grammar needs it: quoted, on one line. */
enum cvg_error cvg_openssl_put_path(struct cvg_buffer *buffer, const char *path);

/* The openssl.cnf in use: OPENSSL_CONF, else the library's own. "" if OPENSSL_CONF is empty, which
 * means none. The caller frees it with free(). */
char *cvg_openssl_conf_in_use(void);

/* The path of converge.so: CONVERGE_MODULE, else the installed one. */
CVG_MUST_USE enum cvg_error cvg_module_path(const char **ret_path, struct cvg_why *ret_why);

#endif
