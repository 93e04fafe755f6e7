/* SPDX-License-Identifier: MIT */
/* A profile's own preferences, user.js: HTTP/3 off. That does not lock it; only the system can. */
#ifndef CVG_TOOLS_USER_JS_H
#define CVG_TOOLS_USER_JS_H

#include <stdbool.h>

#include "common/base/error.h"

/* Adds and removes our marked lines. *ret_changed: whether anything was written. */
CVG_MUST_USE enum cvg_error cvg_user_js_enable(const char *profile, bool *ret_changed,
                                               struct cvg_why *ret_why);
CVG_MUST_USE enum cvg_error cvg_user_js_disable(const char *profile, bool *ret_changed,
                                                struct cvg_why *ret_why);

#endif
