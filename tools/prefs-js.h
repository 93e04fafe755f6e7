/* SPDX-License-Identifier: MIT */
/* A profile's prefs.js, which the application writes: it copies there what user.js says, and that
 * would stay when user.js says it no more. */
#ifndef CVG_TOOLS_PREFS_JS_H
#define CVG_TOOLS_PREFS_JS_H

#include <stdbool.h>

#include "common/base/error.h"

/* Whether it says that this preference is false; no if it cannot be read. */
bool cvg_prefs_js_is_off(const char *profile, const char *name);

/* Takes that line out. Nothing to do, or no such file, is OK. An application that runs writes the
 * file anew when it ends, with what it had in mind. */
CVG_MUST_USE enum cvg_error cvg_prefs_js_forget(const char *profile, const char *name,
                                                struct cvg_why *ret_why);

#endif
