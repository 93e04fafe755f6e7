/* SPDX-License-Identifier: MIT */
/* systemd's units, through systemctl, and the user that the agent's unit wants. */
#ifndef CVG_TOOLS_SERVICE_H
#define CVG_TOOLS_SERVICE_H

#include <stdbool.h>

#include "common/base/error.h"

enum cvg_service_manager { CVG_SERVICE_SYSTEM = 0, CVG_SERVICE_USER };

/* Whether the manager runs here, and systemctl is in a place that only root can write to. In a
 * chroot or a container without one: no. */
bool cvg_service_here(enum cvg_service_manager manager);

/* Whether the unit is switched on. */
bool cvg_service_is_enabled(enum cvg_service_manager manager, const char *unit);

/* Switch a unit on, now and at each start of the manager, and off. ret_why: what systemctl said. In
 * a rehearsal the command is told, and not run. */
CVG_MUST_USE enum cvg_error cvg_service_enable(enum cvg_service_manager manager, const char *unit,
                                               struct cvg_why *ret_why);
CVG_MUST_USE enum cvg_error cvg_service_disable(enum cvg_service_manager manager, const char *unit,
                                                struct cvg_why *ret_why);
/* Makes the manager read its units anew. */
CVG_MUST_USE enum cvg_error cvg_service_reload(enum cvg_service_manager manager,
                                               struct cvg_why *ret_why);

/* Makes the user under whom the agent's unit runs, where the installation brought along how and there is
 * none yet: packages have done so, `make install` has not. It stays, as users of packages do. In a
 * rehearsal the command is told. */
CVG_MUST_USE enum cvg_error cvg_service_make_user(struct cvg_why *ret_why);

#endif
