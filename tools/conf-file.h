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

/* path: NULL for the system's. */
CVG_MUST_USE enum cvg_error cvg_conf_file_read(const char *path, struct cvg_conf_file *ret_file,
                                               struct cvg_why *ret_why);
void cvg_conf_file_free(struct cvg_conf_file *file);

/* Replaces the file. Before our lines come in, the file as it was is kept as PATH.before-converge;
 * once they are out and it is the same again, that goes. */
CVG_MUST_USE enum cvg_error cvg_conf_file_write(const struct cvg_conf_file *file,
                                                const struct cvg_buffer *text,
                                                struct cvg_why *ret_why);

#endif
