/* SPDX-License-Identifier: MIT */
/* Notifications over the session bus: org.freedesktop.Notifications. Without libdbus at build time
 * nothing of that is there, and it says so. */
#ifndef CVG_TOOLS_NOTIFY_H
#define CVG_TOOLS_NOTIFY_H

#include "common/base/error.h"
#include "tools/notice.h"

struct cvg_notify;

/* Connects to the session's bus. UNREACHABLE without one; NOT_FOUND if built without libdbus. */
CVG_MUST_USE enum cvg_error cvg_notify_new(struct cvg_notify **ret_notify, struct cvg_why *ret_why);
void cvg_notify_free(struct cvg_notify *notify);

/* Sends it, without waiting for an answer. UNREACHABLE if the bus is gone. */
CVG_MUST_USE enum cvg_error cvg_notify_send(struct cvg_notify *notify,
                                            const struct cvg_notice *notice,
                                            struct cvg_why *ret_why);

#endif
