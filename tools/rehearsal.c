/* SPDX-License-Identifier: MIT */
/* Keeps whether this is a rehearsal, and tells what would have been. */
#include "tools/rehearsal.h"

#include <stdarg.h>
#include <stdio.h>

#include "tools/diff.h"
#include "tools/tools.h"

#define DIFF_MAX 67108864 /* a prefs.js may have 16 MB, twice, and a sign a line */
#define STEP_MAX 4096

static bool on;

void cvg_rehearsal_begin(void)
{
    on = true;
    cvg_output_add("dry_run", json_true());
}

bool cvg_rehearsal_is_on(void)
{
    return on;
}

static enum cvg_error tell_change(const char *path, const struct cvg_buffer *diff)
{
    if (diff->len == 0)
        return CVG_OK;
    if (cvg_output_is_json())
        cvg_output_append("changes", json_pack("{s:o, s:o}", "file", cvg_output_text(path), "diff",
                                               cvg_output_text((const char *)diff->data)));
    else if (fwrite(diff->data, 1, diff->len, stdout) != diff->len)
        return CVG_ERR_IO;
    return CVG_OK;
}

enum cvg_error cvg_rehearsal_change(const char *path, const struct cvg_buffer *before,
                                    const struct cvg_buffer *after, struct cvg_why *ret_why)
{
    struct cvg_buffer diff;
    enum cvg_error err;

    cvg_buffer_init(&diff, DIFF_MAX);
    err = cvg_diff(path, before, after, &diff);
    if (err == CVG_OK)
        err = tell_change(path, &diff);
    cvg_buffer_free(&diff);
    return err == CVG_OK ? CVG_OK : cvg_fail(ret_why, err, "%.400s: %s", path, cvg_strerror(err));
}

void cvg_rehearsal_step(const char *fmt, ...)
{
    char line[STEP_MAX];
    va_list args;

    va_start(args, fmt);
    if (vsnprintf(line, sizeof line, fmt, args) < 0)
        line[0] = '\0';
    va_end(args);
    if (cvg_output_is_json())
        cvg_output_append("steps", cvg_output_text(line));
    else
        printf("Would %s\n", line);
}

const char *cvg_rehearsal_word(const char *done, const char *would)
{
    return on ? would : done;
}
