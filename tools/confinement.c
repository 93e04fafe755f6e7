/* SPDX-License-Identifier: MIT */
/* Looks at running processes in /proc, and at AppArmor's profiles. */
#include "tools/confinement.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "tools/plain-file.h"

#define PROFILES_DIR  "/etc/apparmor.d"
#define ENABLED_FILE  "/sys/module/apparmor/parameters/enabled"
#define PROFILE_MAX   (256 * 1024)
#define PATTERN_DEPTH 32

/* Reads a small file's first line; "" if there is none. */
static void read_line(const char *path, char *ret_line, size_t size)
{
    FILE *file = fopen(path, "re");

    ret_line[0] = '\0';
    if (file == NULL)
        return;
    if (fgets(ret_line, (int)size, file) == NULL)
        ret_line[0] = '\0';
    ret_line[strcspn(ret_line, "\n")] = '\0';
    fclose(file);
}

/* The end of the bracket or brace that pattern begins with, or NULL. */
static const char *closing(const char *pattern, char open, char close)
{
    int depth = 0;

    for (; *pattern != '\0'; pattern++) {
        depth += *pattern == open ? 1 : *pattern == close ? -1 : 0;
        if (depth == 0)
            return pattern;
    }
    return NULL;
}

static bool match(const char *pattern, const char *rest, const char *path, int depth);

/* One alternative of "{a,b}", then what follows the brace. */
static bool match_braces(const char *pattern, const char *rest, const char *path, int depth)
{
    const char *end = closing(pattern, '{', '}');
    const char *from = pattern + 1;
    char joined[PATH_MAX];
    int level = 0;

    for (const char *at = from; end != NULL && at <= end; at++) {
        level += *at == '{' ? 1 : *at == '}' && at != end ? -1 : 0;
        if (at != end && (*at != ',' || level != 0))
            continue;
        if (snprintf(joined, sizeof joined, "%.*s%s%s", (int)(at - from), from, end + 1, rest) <
                (int)sizeof joined &&
            match(joined, "", path, depth + 1))
            return true;
        from = at + 1;
    }
    return false;
}

static bool match_stars(const char *pattern, const char *rest, const char *path, int depth)
{
    bool deep = pattern[1] == '*';

    for (pattern += deep ? 2 : 1;; path++) {
        if (match(pattern, rest, path, depth + 1))
            return true;
        if (*path == '\0' || (!deep && *path == '/'))
            return false;
    }
}

static bool match_set(const char *set, const char *end, char c)
{
    bool negated = set + 1 < end && set[1] == '^', found = false;

    for (const char *at = set + (negated ? 2 : 1); at < end; at++)
        if (at + 2 < end && at[1] == '-') {
            found = found || (at[0] <= c && c <= at[2]);
            at += 2;
        } else {
            found = found || *at == c;
        }
    return found != negated;
}

static bool match(const char *pattern, const char *rest, const char *path, int depth)
{
    if (depth > PATTERN_DEPTH)
        return false;
    for (; *pattern != '\0'; pattern++, path++) {
        if (*pattern == '{')
            return match_braces(pattern, rest, path, depth);
        if (*pattern == '*')
            return match_stars(pattern, rest, path, depth);
        if (*path == '\0')
            return false;
        if (*pattern == '[' && closing(pattern, '[', ']') != NULL) {
            if (!match_set(pattern, closing(pattern, '[', ']'), *path))
                return false;
            pattern = closing(pattern, '[', ']');
        } else if (*pattern != *path && *pattern != '?') {
            return false;
        }
    }
    return *path == '\0';
}

bool cvg_apparmor_matches(const char *pattern, const char *path)
{
    return match(pattern, "", path, 0);
}

/* Whether a line begins a profile for the program: "[profile NAME] /PATH [flags=(...)] {". */
static bool begins_profile(const char *line, const char *program)
{
    char word[PATH_MAX];
    int used = 0;

    if (strrchr(line, '{') == NULL || strstr(line, "flags=(unconfined)") != NULL ||
        strstr(line, "complain") != NULL)
        return false;
    for (; sscanf(line, " %4000s%n", word, &used) == 1; line += used) {
        size_t len = strlen(word);

        if (len > 1 && word[0] == '"' && word[len - 1] == '"') {
            word[len - 1] = '\0';
            memmove(word, word + 1, len - 1);
        }
        if (word[0] == '/' && cvg_apparmor_matches(word, program))
            return true;
    }
    return false;
}

/* Whether the text is a profile for the program that says nothing of us. */
static bool profile_hinders(char *text, const char *program)
{
    bool attached = false;
    char *saved = NULL;

    if (strstr(text, "converge") != NULL)
        return false;
    for (char *line = strtok_r(text, "\n", &saved); line != NULL && !attached;
         line = strtok_r(NULL, "\n", &saved)) {
        line += strspn(line, " \t");
        attached = (*line == '/' || *line == '"' || strncmp(line, "profile ", 8) == 0) &&
                   begins_profile(line, program);
    }
    return attached;
}

/* The local part of a profile is where an administrator gives it more. */
static bool local_helps(const char *name)
{
    char path[PATH_MAX];
    struct cvg_buffer text;
    bool helps;

    snprintf(path, sizeof path, PROFILES_DIR "/local/%s", name);
    cvg_buffer_init(&text, PROFILE_MAX);
    helps = cvg_plain_file_read(path, &text, NULL) == CVG_OK &&
            strstr((const char *)text.data, "converge") != NULL;
    cvg_buffer_free(&text);
    return helps;
}

static bool is_switched_off(const char *name)
{
    char disabled[PATH_MAX], complain[PATH_MAX];

    snprintf(disabled, sizeof disabled, PROFILES_DIR "/disable/%s", name);
    snprintf(complain, sizeof complain, PROFILES_DIR "/force-complain/%s", name);
    return access(disabled, F_OK) == 0 || access(complain, F_OK) == 0;
}

static bool file_hinders(const char *name, const char *program)
{
    char path[PATH_MAX];
    struct cvg_buffer text;
    bool hinders;

    snprintf(path, sizeof path, PROFILES_DIR "/%s", name);
    cvg_buffer_init(&text, PROFILE_MAX);
    hinders = cvg_plain_file_read(path, &text, NULL) == CVG_OK &&
              profile_hinders((char *)text.data, program) && !local_helps(name) &&
              !is_switched_off(name);
    cvg_buffer_free(&text);
    return hinders;
}

static bool find_profile(const char *program, char *ret_text, size_t size)
{
    char enabled[8];
    DIR *directory;
    const struct dirent *entry;
    bool found = false;

    read_line(ENABLED_FILE, enabled, sizeof enabled);
    directory = enabled[0] == 'Y' ? opendir(PROFILES_DIR) : NULL;
    if (directory == NULL)
        return false;
    while (!found && (entry = readdir(directory)) != NULL)
        if (entry->d_name[0] != '.' && entry->d_type != DT_DIR &&
            file_hinders(entry->d_name, program)) {
            snprintf(ret_text, size,
                     "its AppArmor profile " PROFILES_DIR "/%.200s does not name the agent's "
                     "socket: allow that in " PROFILES_DIR "/local/%.200s",
                     entry->d_name, entry->d_name);
            found = true;
        }
    closedir(directory);
    return found;
}

static bool same_program(const char *pid, const char *program)
{
    char link[64], target[PATH_MAX];
    ssize_t len;

    snprintf(link, sizeof link, "/proc/%.16s/exe", pid);
    len = readlink(link, target, sizeof target - 1);
    if (len <= 0)
        return false;
    target[len] = '\0';
    return strcmp(target, program) == 0;
}

/* Browsers lock their own children in, which do no TLS: only what was started by something else. */
static bool is_child_of_its_own(const char *pid, const char *program)
{
    char path[64], line[512], parent[16] = "";
    const char *after;

    snprintf(path, sizeof path, "/proc/%.16s/stat", pid);
    read_line(path, line, sizeof line);
    after = strrchr(line, ')');
    return after != NULL && sscanf(after + 1, " %*c %15[0-9]", parent) == 1 &&
           same_program(parent, program);
}

/* A process that sees another file system: without the socket's directory, which we do see. */
static bool process_hinders(const char *pid, const char *runtime_dir, char *ret_text, size_t size)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "/proc/%.16s/root", pid);
    if (access(runtime_dir, F_OK) != 0 || access(path, X_OK) != 0)
        return false;
    snprintf(path, sizeof path, "/proc/%.16s/root%.*s", pid, PATH_MAX - 64, runtime_dir);
    if (access(path, F_OK) == 0)
        return false;
    snprintf(ret_text, size, "process %.16s of it is in a sandbox that does not show it %.300s",
             pid, runtime_dir);
    return true;
}

static bool find_process(const char *program, const char *runtime_dir, char *ret_text, size_t size)
{
    DIR *directory = opendir("/proc");
    const struct dirent *entry;
    bool found = false;

    if (directory == NULL)
        return false;
    while (!found && (entry = readdir(directory)) != NULL)
        found = isdigit((unsigned char)entry->d_name[0]) != 0 &&
                same_program(entry->d_name, program) &&
                !is_child_of_its_own(entry->d_name, program) &&
                process_hinders(entry->d_name, runtime_dir, ret_text, size);
    closedir(directory);
    return found;
}

bool cvg_confinement_find(const char *program, const char *runtime_dir, char *ret_text, size_t size)
{
    return find_process(program, runtime_dir, ret_text, size) ||
           find_profile(program, ret_text, size);
}
