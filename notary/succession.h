/* SPDX-License-Identifier: MIT */
/* Where a starting notary has its listening sockets from: the process before, the service manager,
 * or itself; and where it waits for the process after. */
#ifndef CVG_NOTARY_SUCCESSION_H
#define CVG_NOTARY_SUCCESSION_H

#include "notary/sockets.h"

/* Where the process after asks: the settings', else beside the database, else beside config. */
void cvg_control_path(const struct cvg_settings *settings, const char *config,
                      char ret_path[static CVG_PATH_MAX]);

/* Gets the sockets for that many workers. take_over_wanted: from the process that listens at
 * control; if there is none, as usual. *ret_predecessor: the connection to the process before,
 * which waits to hear that this one is ready (handover.h); -1 if there is none. */
CVG_MUST_USE enum cvg_error cvg_sockets_obtain(const struct cvg_settings *settings, size_t workers,
                                               const char *control, bool take_over_wanted,
                                               struct cvg_sockets *ret_sockets,
                                               int *ret_predecessor, struct cvg_why *ret_why);

#endif
