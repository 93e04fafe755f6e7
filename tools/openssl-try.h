/* SPDX-License-Identifier: MIT */
/* An openssl.cnf that shall be, tried before it is. */
#ifndef CVG_TOOLS_OPENSSL_TRY_H
#define CVG_TOOLS_OPENSSL_TRY_H

#include "common/base/buffer.h"
#include "tools/canary.h"

/* The candidate goes through a canary. CVG_GO_ON, or the exit code after saying what is wrong. */
int cvg_openssl_try(const struct cvg_buffer *candidate, struct cvg_canary *ret_canary);

#endif
