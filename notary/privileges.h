/* SPDX-License-Identifier: MIT */
/* What the process may do and use: limits, and becoming an ordinary user. */
#ifndef CVG_NOTARY_PRIVILEGES_H
#define CVG_NOTARY_PRIVILEGES_H

#include "notary/settings.h"

/* Never the agent's user: programs believe who has that uid (client.h), and a notary reads from
 * everybody. */
#define CVG_NOTARY_USER_NAME "converge-notary"

/* Core dumps off (keys are in memory), umask 077, as many descriptors as the settings' caps may
 * need; a peer that hangs up and a file that may not grow are errors, not signals. */
CVG_MUST_USE enum cvg_error cvg_limits_set(const struct cvg_settings *settings,
                                           struct cvg_why *ret_why);

/* Makes the directories of database and journal if they are missing. As root: they are given to the
 * user, unless they were there and are not empty, and the process becomes that user, for good. As
 * anybody else: stays who it is. The user is the settings', else CVG_NOTARY_USER_NAME, else nobody.
 * "root" is taken at its word, and the root of a user namespace with nobody else in it stays who it
 * is. Whoever it is then has no capabilities, unless it is root; can gain none; and cannot be looked
 * into by others of the same user. */
CVG_MUST_USE enum cvg_error cvg_privileges_drop(const struct cvg_settings *settings,
                                                struct cvg_why *ret_why);

#endif
