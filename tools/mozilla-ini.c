/* SPDX-License-Identifier: MIT */
/* Takes an ini file apart by lines. */
#include "tools/mozilla-ini.h"

#include <stdio.h>
#include <string.h>

static void take_line(char *line, struct cvg_mozilla_section *section)
{
    char *value = strchr(line, '=');

    if (value == NULL)
        return;
    *value++ = '\0';
    if (strcmp(line, "Name") == 0)
        snprintf(section->name, sizeof section->name, "%s", value);
    else if (strcmp(line, "Path") == 0 || (strcmp(line, "Default") == 0 && strlen(value) > 1))
        snprintf(section->path, sizeof section->path, "%s", value);
}

void cvg_mozilla_ini_each(char *text, cvg_mozilla_section_fn *callback, void *user)
{
    struct cvg_mozilla_section section = {.path = ""};
    char *next = NULL, *line;

    for (line = strtok_r(text, "\r\n", &next); line != NULL; line = strtok_r(NULL, "\r\n", &next)) {
        if (line[0] != '[') {
            take_line(line, &section);
            continue;
        }
        callback(&section, user);
        memset(&section, 0, sizeof section);
    }
    callback(&section, user);
}
