/* SPDX-License-Identifier: MIT */
/* passwd(5), read line by line. */
#include "common/base/user.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* NAME:PASSWORD:UID:... */
static bool line_uid(const char *line, const char *name, uid_t *ret_uid)
{
    size_t len = strlen(name);
    const char *field;
    char *end;
    unsigned long uid;

    if (strncmp(line, name, len) != 0 || line[len] != ':')
        return false;
    field = strchr(line + len + 1, ':');
    if (field == NULL || field[1] < '0' || field[1] > '9')
        return false;
    errno = 0;
    uid = strtoul(field + 1, &end, 10);
    if (errno != 0 || *end != ':' || uid >= (uid_t)-1)
        return false;
    *ret_uid = (uid_t)uid;
    return true;
}

enum cvg_error cvg_user_find(const char *passwd_file, const char *name, uid_t *ret_uid)
{
    int saved = errno;
    FILE *file = fopen(passwd_file, "re");
    bool found = false, at_start = true;
    enum cvg_error err = CVG_ERR_NOT_FOUND;
    char line[512];

    if (file == NULL)
        return errno == ENOENT ? CVG_ERR_NOT_FOUND : CVG_ERR_IO;
    while (!found && fgets(line, sizeof line, file) != NULL) {
        found = at_start && line_uid(line, name, ret_uid);
        at_start = strchr(line, '\n') != NULL;
    }
    if (found)
        err = CVG_OK;
    else if (ferror(file))
        err = CVG_ERR_IO;
    fclose(file);
    errno = saved;
    return err;
}
