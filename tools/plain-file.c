/* SPDX-License-Identifier: MIT */
/* A whole file into a buffer. */
#include "tools/plain-file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum cvg_error cvg_plain_file_read(const char *path, struct cvg_buffer *ret_data,
                                   struct cvg_why *ret_why)
{
    FILE *file = fopen(path, "re");
    char chunk[4096];
    size_t got;
    enum cvg_error err = cvg_buffer_put(ret_data, "", 0); /* data is there for an empty file, too */

    if (file == NULL)
        return cvg_fail(ret_why, errno == ENOENT ? CVG_ERR_NOT_FOUND : CVG_ERR_IO,
                        "cannot read %.400s: %s", path, strerror(errno));
    while (err == CVG_OK && (got = fread(chunk, 1, sizeof chunk, file)) > 0)
        err = cvg_buffer_put(ret_data, chunk, got);
    if (err == CVG_ERR_RANGE)
        cvg_fail(ret_why, err, "%.400s: more than %zu octets", path, ret_data->max);
    else if (err != CVG_OK)
        cvg_fail(ret_why, err, "%.400s: %s", path, cvg_strerror(err));
    else if (ferror(file) != 0)
        err = cvg_fail(ret_why, CVG_ERR_IO, "cannot read %.400s: %s", path, strerror(errno));
    fclose(file);
    return err;
}
