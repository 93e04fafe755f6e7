/* SPDX-License-Identifier: MIT */
/* Looks where profiles are kept. What is in the files is only ever a place to look at. */
#include "tools/mozilla-profiles.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/mozilla-ini.h"
#include "tools/plain-file.h"

#define INI_MAX 262144

struct list {
    struct cvg_mozilla_profile *profile;
    size_t count;
    bool failed;
};

struct root {
    enum cvg_mozilla app;
    bool in_config; /* below the XDG configuration directory, not the home */
    const char *path;
    const char *confined;
};

static const struct root roots[] = {
    {CVG_FIREFOX, false, ".mozilla/firefox", NULL},
    {CVG_FIREFOX, true, "mozilla/firefox", NULL},
    {CVG_FIREFOX, false, "snap/firefox/common/.mozilla/firefox", "snap"},
    {CVG_FIREFOX, false, "snap/firefox/common/.config/mozilla/firefox", "snap"},
    {CVG_FIREFOX, false, ".var/app/org.mozilla.firefox/.mozilla/firefox", "flatpak"},
    {CVG_FIREFOX, false, ".var/app/org.mozilla.firefox/config/mozilla/firefox", "flatpak"},
    {CVG_THUNDERBIRD, false, ".thunderbird", NULL},
    {CVG_THUNDERBIRD, false, "snap/thunderbird/common/.thunderbird", "snap"},
    {CVG_THUNDERBIRD, false, ".var/app/org.mozilla.Thunderbird/.thunderbird", "flatpak"},
    {CVG_THUNDERBIRD, false, ".var/app/org.mozilla.thunderbird/.thunderbird", "flatpak"},
    {CVG_THUNDERBIRD, false, ".var/app/net.thunderbird.Thunderbird/.thunderbird", "flatpak"},
};
#define ROOTS_COUNT (sizeof roots / sizeof roots[0])

static bool has_file(const char *directory, const char *name)
{
    char path[PATH_MAX];

    return snprintf(path, sizeof path, "%s/%s", directory, name) < (int)sizeof path &&
           access(path, F_OK) == 0;
}

/* A profile that no program has been started with yet has no database, and stays unmentioned. */
static void add(struct list *list, const struct root *root, const char *directory, const char *name)
{
    struct cvg_mozilla_profile *grown,
        made = {.app = &cvg_mozilla_apps[root->app], .confined = root->confined};
    const char *slash;

    if (realpath(directory, made.directory) == NULL ||
        (!has_file(made.directory, "cert9.db") && !has_file(made.directory, "pkcs11.txt")))
        return;
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->profile[i].directory, made.directory) == 0)
            return;
    slash = strrchr(made.directory, '/');
    snprintf(made.name, sizeof made.name, "%s", name[0] != '\0' ? name : slash + 1);
    grown = realloc(list->profile, (list->count + 1) * sizeof made);
    if (grown == NULL) {
        list->failed = true;
        return;
    }
    list->profile = grown;
    list->profile[list->count++] = made;
}

/* Whose file is read, and where relative paths begin. */
struct reading {
    struct list *list;
    const struct root *root;
    const char *directory;
};

static void take_section(const struct cvg_mozilla_section *section, void *user)
{
    const struct reading *reading = user;
    bool absolute = section->path[0] == '/';
    char path[PATH_MAX];

    if (section->path[0] != '\0' &&
        snprintf(path, sizeof path, "%s%s%s", absolute ? "" : reading->directory,
                 absolute ? "" : "/", section->path) < (int)sizeof path)
        add(reading->list, reading->root, path, section->name);
}

static void read_ini(struct list *list, const struct root *root, const char *directory,
                     const char *name)
{
    struct reading reading = {list, root, directory};
    char path[PATH_MAX];
    struct cvg_buffer text;

    cvg_buffer_init(&text, INI_MAX);
    if (snprintf(path, sizeof path, "%s/%s", directory, name) < (int)sizeof path &&
        cvg_plain_file_read(path, &text, NULL) == CVG_OK)
        cvg_mozilla_ini_each((char *)text.data, take_section, &reading);
    cvg_buffer_free(&text);
}

/* Profiles that a profile group has made stand in a database only, but lie beside the others. */
static void read_directory(struct list *list, const struct root *root, const char *directory)
{
    DIR *dir = opendir(directory);
    const struct dirent *entry;
    char path[PATH_MAX];

    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.' &&
            snprintf(path, sizeof path, "%s/%s", directory, entry->d_name) < (int)sizeof path &&
            has_file(path, "times.json"))
            add(list, root, path, "");
    if (dir != NULL)
        closedir(dir);
}

struct cvg_mozilla_profile *cvg_mozilla_profiles_find(const char *home, const char *config,
                                                      size_t *ret_count)
{
    struct list list = {.profile = malloc(sizeof *list.profile)};
    char directory[PATH_MAX], below[PATH_MAX];

    for (size_t i = 0; i < ROOTS_COUNT; i++) {
        snprintf(directory, sizeof directory, "%s/%s", roots[i].in_config ? config : home,
                 roots[i].path);
        snprintf(below, sizeof below, "%.4000s/Profiles", directory);
        read_ini(&list, &roots[i], directory, "profiles.ini");
        read_ini(&list, &roots[i], directory, "installs.ini");
        read_directory(&list, &roots[i], directory);
        read_directory(&list, &roots[i], below);
    }
    if (list.failed || list.profile == NULL) {
        free(list.profile);
        return NULL;
    }
    *ret_count = list.count;
    return list.profile;
}

const struct cvg_mozilla_app *cvg_mozilla_profile_app(const char *directory)
{
    char path[PATH_MAX];
    struct cvg_buffer text;
    const struct cvg_mozilla_app *app = NULL;

    cvg_buffer_init(&text, INI_MAX);
    if (snprintf(path, sizeof path, "%s/compatibility.ini", directory) < (int)sizeof path &&
        cvg_plain_file_read(path, &text, NULL) == CVG_OK)
        app = &cvg_mozilla_apps[strstr((const char *)text.data, "thunderbird") != NULL
                                    ? CVG_THUNDERBIRD
                                    : CVG_FIREFOX];
    cvg_buffer_free(&text);
    return app;
}
