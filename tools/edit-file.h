/* SPDX-License-Identifier: MIT */
/* A configuration file of somebody else's that is to be changed: read, replaced atomically with its
 * owner, mode and extended attributes (SELinux's context among them), and kept beside itself as it
 * was. In a rehearsal (rehearsal.h) the changes are told, and not made. */
#ifndef CVG_TOOLS_EDIT_FILE_H
#define CVG_TOOLS_EDIT_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "common/base/buffer.h"

#define CVG_BACKUP_SUFFIX ".before-converge"

struct cvg_edit_file {
    char path[PATH_MAX]; /* symbolic links followed: those stay */
    bool exists;
    struct stat st; /* as it was when it was read; of a new file: owner and mode it shall have */
    struct cvg_buffer text;
};

/* Reads the regular file at the path. NOT_FOUND if there is none. The caller frees it. */
CVG_MUST_USE enum cvg_error cvg_edit_file_read(const char *path, size_t max,
                                               struct cvg_edit_file *ret_file,
                                               struct cvg_why *ret_why);
/* One that is not there yet, of ours, with this mode. The path's directory must exist. */
CVG_MUST_USE enum cvg_error cvg_edit_file_new(const char *path, mode_t mode, size_t max,
                                              struct cvg_edit_file *ret_file,
                                              struct cvg_why *ret_why);
void cvg_edit_file_free(struct cvg_edit_file *file);

/* Puts the text in the file's place. BUSY, and nothing is changed, if somebody else wrote to it
 * (or, for a new one, made it) since it was read. */
CVG_MUST_USE enum cvg_error cvg_edit_file_replace(const struct cvg_edit_file *file,
                                                  const struct cvg_buffer *text,
                                                  struct cvg_why *ret_why);

/* Takes the file away; BUSY as above. */
CVG_MUST_USE enum cvg_error cvg_edit_file_remove(const struct cvg_edit_file *file,
                                                 struct cvg_why *ret_why);

/* Keeps what was read as PATH.before-converge. */
CVG_MUST_USE enum cvg_error cvg_edit_file_keep(const struct cvg_edit_file *file,
                                               struct cvg_why *ret_why);
/* What was kept: false if nothing is. ret_text is initialised here; the caller frees it. */
bool cvg_edit_file_kept(const struct cvg_edit_file *file, struct cvg_buffer *ret_text);
/* Removes the copy, once it is the same as the text. */
void cvg_edit_file_drop_kept(const struct cvg_edit_file *file, const struct cvg_buffer *text);

bool cvg_edit_same(const struct cvg_buffer *one, const struct cvg_buffer *other);

#endif
