/* SPDX-License-Identifier: MIT */
/* The embedded backend: one GDBM file, which is never written in place (gdbm-merge.h), so that
 * kill -9, a full disk or a copy at any instant finds either the old or the new one. */
#ifndef CVG_NOTARY_BACKEND_GDBM_H
#define CVG_NOTARY_BACKEND_GDBM_H

#include <uv.h>

#include "notary/backend.h"
#include "notary/metrics.h"
#include "notary/settings.h"

/* In the loop's thread, or before it runs. A file of an earlier release is read as it is; a damaged
 * one is set aside. IO: it may not be read, or its directory not be written. metrics is borrowed.
 */
CVG_MUST_USE enum cvg_error cvg_backend_gdbm_new(uv_loop_t *loop,
                                                 const struct cvg_settings *settings,
                                                 struct cvg_metrics *metrics,
                                                 struct cvg_backend **ret_backend,
                                                 struct cvg_why *ret_why);

#endif
