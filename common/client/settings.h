/* SPDX-License-Identifier: MIT */
/* The configuration that applies to this process, read at the first check and again when it
 * changes. */
#ifndef CVG_CLIENT_SETTINGS_H
#define CVG_CLIENT_SETTINGS_H

#include <stdbool.h>

#include "common/base/config.h"
#include "common/protocol/message.h"

struct cvg_settings {
    struct cvg_config config;
    struct cvg_paths paths;
    char program[CVG_MESSAGE_NAME_MAX];
    bool broken;   /* the configuration cannot be believed: fail closed */
    bool excluded; /* this program is not checked: exclude_programs, or CONVERGE=off */
};

/* What a check must know before OpenSSL begins to verify. */
struct cvg_brief {
    enum cvg_mode mode;
    bool broken;
    bool excluded;
};

/* Without memory: broken. */
void cvg_settings_brief(struct cvg_brief *ret_brief);

/* Fills *ret_settings, without allocating; any thread, also after fork. Costs two or three system
 * calls while nothing has changed. */
void cvg_settings_get(struct cvg_settings *ret_settings);

/* What follows where no question could be asked. A configuration that cannot be believed counts as
 * the defaults, which refuse; so does NULL. Pure. */
enum cvg_action cvg_settings_unanswered(const struct cvg_settings *settings, enum cvg_pki pki);

#endif
