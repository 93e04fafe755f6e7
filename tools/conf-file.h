/* SPDX-License-Identifier: MIT */
/* An openssl.cnf on the disk, with and without our lines. */
#ifndef CVG_TOOLS_CONF_FILE_H
#define CVG_TOOLS_CONF_FILE_H

#include "tools/edit-file.h"

struct cvg_conf_file {
    struct cvg_edit_file file;  /* as it is */
    struct cvg_buffer stripped; /* without our lines */
    bool had_lines;
};

/* To look at. */
CVG_MUST_USE enum cvg_error cvg_conf_file_read(const char *path, struct cvg_conf_file *ret_file,
                                               struct cvg_why *ret_why);
/* To change: path, or NULL for the file that the library itself names, which may be missing. Root
 * follows no link that another user made, and loads no file that another could write: OWNER. */
CVG_MUST_USE enum cvg_error cvg_conf_file_open(const char *path, struct cvg_conf_file *ret_file,
                                               struct cvg_why *ret_why);
void cvg_conf_file_free(struct cvg_conf_file *file);

/* Replaces the file. Before our lines come in, the file as it was is kept as PATH.before-converge;
 * once they are out and it is the same again, that goes. A file that nothing is left in, and of
 * which nothing was kept, was made by us and goes, too. */
CVG_MUST_USE enum cvg_error cvg_conf_file_write(const struct cvg_conf_file *file,
                                                const struct cvg_buffer *text,
                                                struct cvg_why *ret_why);

#endif
