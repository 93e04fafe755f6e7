/* SPDX-License-Identifier: MIT */
/* Looking up a system user without the name service switch, which would load modules and may ask the
 * network: both are out of the question inside a stranger's process. */
#ifndef CVG_BASE_USER_H
#define CVG_BASE_USER_H

#include <sys/types.h>

#include "common/base/error.h"

/* The uid of the user of that name in a file of passwd(5)'s form. NOT_FOUND without one or without the
 * file, IO if the file cannot be read. Any thread. */
CVG_MUST_USE enum cvg_error cvg_user_find(const char *passwd_file, const char *name,
                                          uid_t *ret_uid);

#endif
