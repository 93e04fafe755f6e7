/* SPDX-License-Identifier: MIT */
/* A policies.json: what it must say so that Firefox or Thunderbird loads our module for all its
 * users and does not leave it by HTTP/3. Pure: text in, text out. */
#ifndef CVG_TOOLS_MOZILLA_POLICIES_H
#define CVG_TOOLS_MOZILLA_POLICIES_H

#include <limits.h>
#include <stdbool.h>

#include "common/base/buffer.h"

#define CVG_POLICIES_MAX 1048576

/* What a text says. */
struct cvg_policies_state {
    bool module;            /* a module of ours is to be added */
    char library[PATH_MAX]; /* from there; else "" */
    bool locked;            /* HTTP/3, and WebTransport over it, are off and locked */
    bool empty;             /* it has no policy at all */
};

/* CONFIG: the text is not what the applications read; why says where. */
CVG_MUST_USE enum cvg_error cvg_policies_look(const struct cvg_buffer *text, const char *module,
                                              struct cvg_policies_state *ret_state,
                                              struct cvg_why *ret_why);

/* Adds what is missing; every other octet stays. CONFIG also where the administrator wants one of
 * these things otherwise. The text is unchanged then. */
CVG_MUST_USE enum cvg_error cvg_policies_add(struct cvg_buffer *text, const char *module,
                                             struct cvg_why *ret_why);

/* The text of a file that is not there yet. */
CVG_MUST_USE enum cvg_error cvg_policies_begin(struct cvg_buffer *text, const char *module);

/* Takes out what was added. kept: the text as it was before, if that is known: what it has stays.
 * A text without a module of ours is left alone: what it says is somebody else's wish. */
CVG_MUST_USE enum cvg_error cvg_policies_remove(struct cvg_buffer *text, const char *module,
                                                const struct cvg_buffer *kept,
                                                struct cvg_why *ret_why);

#endif
