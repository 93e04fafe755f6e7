/* SPDX-License-Identifier: MIT */
/* The files of a rotation: where they are, reading and writing them, and moving the next ones into
 * the current ones' places. */
#ifndef CVG_NOTARY_ROTATE_FILES_H
#define CVG_NOTARY_ROTATE_FILES_H

#include "notary/settings.h"

enum cvg_rotate_part { CVG_ROTATE_KEY = 0, CVG_ROTATE_CERTIFICATE, CVG_ROTATE_SIGNING };
#define CVG_ROTATE_PARTS 3

#define CVG_ROTATE_PATH (CVG_PATH_MAX + 32)

struct cvg_rotate_files {
    struct cvg_settings settings;
    const char *current[CVG_ROTATE_PARTS];
    char next[CVG_ROTATE_PARTS][CVG_ROTATE_PATH];
    char staged[CVG_ROTATE_PATH]; /* the bundle to come; while it is there, --rotate is under way */
    char staged_v1[CVG_ROTATE_PATH]; /* "": there is no such bundle */
    int lock;                        /* no two commands at once */
};

/* Reads DIRECTORY/notary.conf and locks it until the files are closed. */
CVG_MUST_USE enum cvg_error
cvg_rotate_open(const char *directory, struct cvg_rotate_files *ret_files, struct cvg_why *ret_why);
void cvg_rotate_close(struct cvg_rotate_files *files);

bool cvg_rotate_exists(const char *path);
CVG_MUST_USE enum cvg_error cvg_rotate_read(const char *path, struct cvg_buffer *ret_data,
                                            struct cvg_why *ret_why);
/* Writes the file atomically, with the owner and mode of another one. */
CVG_MUST_USE enum cvg_error cvg_rotate_write(const char *path, const struct cvg_buffer *data,
                                             const char *like, struct cvg_why *ret_why);

/* Fine if it is not there. */
CVG_MUST_USE enum cvg_error cvg_rotate_remove(const char *path, struct cvg_why *ret_why);

/* Moves every next file that is there into its place, then the staged bundles; the former keys stay
 * as FILE.old-SERIAL. */
CVG_MUST_USE enum cvg_error cvg_rotate_move(const struct cvg_rotate_files *files, uint64_t serial,
                                            struct cvg_why *ret_why);

#endif
