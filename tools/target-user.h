/* SPDX-License-Identifier: MIT */
/* `enable --user` and `disable --user`: OpenSSL's programs of one user, without root. */
#ifndef CVG_TOOLS_TARGET_USER_H
#define CVG_TOOLS_TARGET_USER_H

#include "tools/targets.h"

/* Return the exit code. */
int cvg_user_enable(const struct cvg_command *command, const struct cvg_target_options *options);
int cvg_user_disable(const struct cvg_command *command, const struct cvg_target_options *options);

#endif
