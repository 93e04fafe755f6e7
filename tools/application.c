/* SPDX-License-Identifier: MIT */
/* Follows a program's symlinks and wrapper scripts to the directory that it is at home in. Only
 * what a script says literally is followed; for the rest, the usual places are looked at. */
#include "tools/application.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/linkage.h"
#include "tools/plain-file.h"

#define HOPS_MAX   5
#define SCRIPT_MAX 65536
#define INI_MAX    65536

static const struct {
    const char *program, *container;
} containers[] = {/* a program's name, or where its files are */
                  {"snap", "Snap"},         {"flatpak", "Flatpak"},
                  {"firejail", "Firejail"}, {"bwrap", "Bubblewrap"},
                  {"/snap/", "Snap"},       {"/var/lib/flatpak/", "Flatpak"}};

static bool is_there(const char *directory, const char *name)
{
    char path[PATH_MAX];

    return snprintf(path, sizeof path, "%s/%s", directory, name) < (int)sizeof path &&
           access(path, F_OK) == 0;
}

/* The value of "key=" in an INI file's [App] part, or "". */
static void ini_value(const char *text, const char *key, char *ret_value, size_t size)
{
    const char *part = strstr(text, "[App]");
    const char *end = part != NULL ? strstr(part, "\n[") : NULL;
    size_t key_len = strlen(key);

    ret_value[0] = '\0';
    for (const char *line = part; line != NULL && (end == NULL || line < end);) {
        if (strncmp(line, key, key_len) == 0 && line[key_len] == '=') {
            line += key_len + 1;
            snprintf(ret_value, size, "%.*s", (int)strcspn(line, "\r\n"), line);
            return;
        }
        line = strchr(line, '\n');
        line = line != NULL ? line + 1 : NULL;
    }
}

static void read_ini(struct cvg_application *application)
{
    char path[PATH_MAX];
    struct cvg_buffer text;

    cvg_buffer_init(&text, INI_MAX);
    if (snprintf(path, sizeof path, "%s/application.ini", application->directory) <
            (int)sizeof path &&
        cvg_plain_file_read(path, &text, NULL) == CVG_OK) {
        const char *ini = (const char *)text.data;

        ini_value(ini, "Name", application->name, sizeof application->name);
        ini_value(ini, "Vendor", application->vendor, sizeof application->vendor);
        ini_value(ini, "Profile", application->profile, sizeof application->profile);
    }
    cvg_buffer_free(&text);
}

/* Whether an application is at home in this directory; fills in what it is. */
static bool take_directory(const char *directory, struct cvg_application *application)
{
    if (is_there(directory, "application.ini") && is_there(directory, "libxul.so"))
        application->kind = CVG_APPLICATION_MOZILLA;
    else if (is_there(directory, "chrome_100_percent.pak") ||
             is_there(directory, "chrome_crashpad_handler"))
        application->kind = CVG_APPLICATION_CHROMIUM;
    else
        return false;
    snprintf(application->directory, sizeof application->directory, "%s", directory);
    if (application->kind == CVG_APPLICATION_MOZILLA)
        read_ini(application);
    return true;
}

static bool take_container(const char *program, struct cvg_application *application)
{
    for (size_t i = 0; i < sizeof containers / sizeof containers[0]; i++)
        if (strcmp(basename(program), containers[i].program) == 0 ||
            (containers[i].program[0] == '/' &&
             strncmp(program, containers[i].program, strlen(containers[i].program)) == 0)) {
            application->kind = CVG_APPLICATION_CONTAINED;
            snprintf(application->container, sizeof application->container, "%s",
                     containers[i].container);
            return true;
        }
    return false;
}

/* The first word after an `exec` of a shell script that names a program without a variable. */
static bool find_exec(const char *script, char ret_program[static PATH_MAX])
{
    for (const char *at = strstr(script, "exec"); at != NULL; at = strstr(at + 1, "exec")) {
        const char *word = at + strlen("exec");
        size_t len;

        if ((at > script && !isspace((unsigned char)at[-1])) || !isblank((unsigned char)*word))
            continue;
        word += strspn(word, " \t\"'");
        len = strcspn(word, " \t\r\n\"';&|");
        if (len == 0 || len >= PATH_MAX || *word == '-' || memchr(word, '$', len) != NULL)
            continue;
        snprintf(ret_program, PATH_MAX, "%.*s", (int)len, word);
        return true;
    }
    return false;
}

/* Whether the program is a shell script; then the program it says it becomes, or "". */
static bool read_wrapper(const char *program, char ret_next[static PATH_MAX])
{
    struct cvg_buffer text;
    char word[PATH_MAX];
    bool script;

    ret_next[0] = '\0';
    cvg_buffer_init(&text, SCRIPT_MAX);
    script = cvg_plain_file_read(program, &text, NULL) == CVG_OK && text.len > 2 &&
             memcmp(text.data, "#!", 2) == 0;
    if (script && find_exec((const char *)text.data, word) && !cvg_linkage_program(word, ret_next))
        ret_next[0] = '\0';
    cvg_buffer_free(&text);
    return script;
}

/* Where a wrapper whose words are variables mostly leads. */
static bool take_usual_place(const char *program, struct cvg_application *application)
{
    static const char *const bases[] = {"/usr/lib", "/usr/lib64", "/usr/local/lib", "/opt"};
    char directory[PATH_MAX];

    for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++) {
        snprintf(directory, sizeof directory, "%s/%s", bases[i], basename(program));
        if (take_directory(directory, application)) {
            if (snprintf(application->program, PATH_MAX, "%s/%s", application->directory,
                         basename(program)) >= PATH_MAX)
                application->program[0] = '\0';
            return true;
        }
    }
    return false;
}

static bool take_beside(const char *program, struct cvg_application *application)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(program, '/');

    snprintf(directory, sizeof directory, "%.*s", slash != NULL ? (int)(slash - program) : 0,
             program);
    return take_directory(directory, application);
}

void cvg_application_find(const char *path, struct cvg_application *ret_application)
{
    char next[PATH_MAX], *real;

    memset(ret_application, 0, sizeof *ret_application);
    snprintf(next, sizeof next, "%s", path);
    for (int hop = 0; hop < HOPS_MAX && next[0] != '\0'; hop++) {
        real = realpath(next, NULL);
        if (real == NULL)
            return;
        snprintf(ret_application->program, PATH_MAX, "%s", real);
        free(real);
        if (take_container(ret_application->program, ret_application) ||
            take_beside(ret_application->program, ret_application))
            return;
        if (!read_wrapper(ret_application->program, next))
            return;
        if (next[0] == '\0' && take_usual_place(ret_application->program, ret_application))
            return;
    }
}
