/* SPDX-License-Identifier: MIT */
/* The files of `enable --user`: all below the user's own directories, each either of our making or
 * with marked lines of ours. */
#ifndef CVG_TOOLS_USER_FILES_H
#define CVG_TOOLS_USER_FILES_H

#include <limits.h>
#include <stdbool.h>

#include "common/base/buffer.h"

#define CVG_USER_HEAD "# Made by `converge enable --user`, removed by `converge disable --user`.\n"
#define CVG_USER_UNIT "converge-agent.socket"

struct cvg_user_places {
    char home[PATH_MAX / 2];
    char config[PATH_MAX / 2];  /* XDG_CONFIG_HOME */
    char directory[PATH_MAX];   /* converge's below it */
    char conf[PATH_MAX];        /* openssl.cnf */
    char environment[PATH_MAX]; /* of the user's manager */
    char socket_unit[PATH_MAX], service_unit[PATH_MAX];
};

/* CONFIG where the user has no home, or a path cannot stand in a shell's, systemd's and OpenSSL's
 * files alike. */
CVG_MUST_USE enum cvg_error cvg_user_places_find(struct cvg_user_places *ret_places,
                                                 struct cvg_why *ret_why);

/* Whether a path needs no quoting, or the same in double quotes, in a shell's, systemd's and
 * OpenSSL's files alike. */
bool cvg_user_path_is_plain(const char *path);

/* A file of our making: with this text, and gone again. EXISTS: one is there that is not ours. The
 * directories it needs are made; those that are empty afterwards go with it. *ret_changed is set if
 * something was written. */
CVG_MUST_USE enum cvg_error cvg_user_file_put(const char *path, const struct cvg_buffer *text,
                                              bool *ret_changed, struct cvg_why *ret_why);
CVG_MUST_USE enum cvg_error cvg_user_file_remove(const char *path, bool *ret_changed,
                                                 struct cvg_why *ret_why);
/* EXISTS where cvg_user_file_put would find one that is not ours; writes nothing. */
CVG_MUST_USE enum cvg_error cvg_user_file_check(const char *path, struct cvg_why *ret_why);
/* Whether the file is there and of our making; its text then is the caller's. */
bool cvg_user_file_read(const char *path, struct cvg_buffer *ret_text);

/* The start-up files of the shells: ~/.profile, made if need be, and those that are there and would
 * keep a shell from it. block NULL takes our lines out. */
CVG_MUST_USE enum cvg_error cvg_user_profiles_change(const struct cvg_user_places *places,
                                                     const struct cvg_buffer *block,
                                                     bool *ret_changed, struct cvg_why *ret_why);

#endif
