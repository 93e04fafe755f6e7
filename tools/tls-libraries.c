/* SPDX-License-Identifier: MIT */
/* Plays the dynamic loader: each name is looked up once, and the first file found for it counts for
 * all that need it. */
#include "tools/tls-libraries.h"

#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILES_MAX   4096
#define LOADED_MAX  512
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* A library that was read. */
struct file {
    char *path;
    struct cvg_elf elf;
};

struct cvg_libraries {
    glob_t places;
    struct file *files[FILES_MAX];
    size_t count;
};

/* One that the program would have. */
struct loaded {
    const char *name;
    const char *path; /* NULL: not found */
    const struct cvg_elf *elf;
    size_t parent;
    unsigned depth;
};

struct walk {
    struct cvg_libraries *libraries;
    struct loaded loaded[LOADED_MAX]; /* [0] is the program */
    size_t count;
};

struct cvg_libraries *cvg_libraries_new(void)
{
    static const char *const patterns[] = {"/usr/local/lib/*-linux-*",
                                           "/usr/local/lib",
                                           "/usr/lib/*-linux-*",
                                           "/lib/*-linux-*",
                                           "/usr/lib64",
                                           "/usr/lib32",
                                           "/usr/libx32",
                                           "/usr/lib",
                                           "/lib"};
    struct cvg_libraries *libraries = calloc(1, sizeof *libraries);

    for (size_t i = 0; libraries != NULL && i < COUNT(patterns); i++)
        (void)glob(patterns[i], GLOB_ONLYDIR | (i > 0 ? GLOB_APPEND : 0), NULL, &libraries->places);
    return libraries;
}

void cvg_libraries_free(struct cvg_libraries *libraries)
{
    if (libraries == NULL)
        return;
    for (size_t i = 0; i < libraries->count; i++) {
        free(libraries->files[i]->path);
        free(libraries->files[i]);
    }
    globfree(&libraries->places);
    free(libraries);
}

static bool read_at(void *context, uint64_t offset, void *ret_octets, size_t len)
{
    return offset <= INT64_MAX &&
           pread(*(int *)context, ret_octets, len, (off_t)offset) == (ssize_t)len;
}

bool cvg_libraries_parse(const char *path, struct cvg_elf *ret_elf)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    bool good = fd >= 0 && cvg_elf_parse(read_at, &fd, ret_elf);

    if (fd >= 0)
        close(fd);
    return good;
}

/* The file at that real path, read now or before; NULL: it is none, or there is no room. */
static const struct file *file_at(struct cvg_libraries *libraries, const char *path)
{
    struct file *file;

    for (size_t i = 0; i < libraries->count; i++)
        if (strcmp(libraries->files[i]->path, path) == 0)
            return libraries->files[i];
    file = libraries->count < FILES_MAX ? calloc(1, sizeof *file) : NULL;
    if (file == NULL)
        return NULL;
    file->path = strdup(path);
    if (file->path == NULL || !cvg_libraries_parse(path, &file->elf)) {
        free(file->path);
        free(file);
        return NULL;
    }
    libraries->files[libraries->count++] = file;
    return file;
}

/* The loader passes over files that are not for this program's machine. */
static bool take(struct walk *walk, const char *path, struct loaded *loaded)
{
    const struct cvg_elf *program = walk->loaded[0].elf;
    const struct file *file;
    char *real = realpath(path, NULL);

    file = real != NULL ? file_at(walk->libraries, real) : NULL;
    free(real);
    if (file == NULL || file->elf.foreign || file->elf.narrow != program->narrow ||
        file->elf.machine != program->machine)
        return false;
    loaded->path = file->path;
    loaded->elf = &file->elf;
    return true;
}

/* One directory of a run path, where $ORIGIN is the directory of who says it. */
static bool expand(const char *part, size_t len, const char *origin, char ret_path[static PATH_MAX])
{
    static const char *const words[] = {"$ORIGIN", "${ORIGIN}"};
    const char *slash = strrchr(origin, '/');
    int directory = slash != NULL ? (int)(slash - origin) : 0;
    int used = -1;

    for (size_t i = 0; i < COUNT(words) && used < 0; i++) {
        size_t word = strlen(words[i]);

        if (len >= word && strncmp(part, words[i], word) == 0)
            used = snprintf(ret_path, PATH_MAX, "%.*s%.*s", directory, origin, (int)(len - word),
                            part + word);
    }
    if (used < 0)
        used = snprintf(ret_path, PATH_MAX, "%.*s", (int)len, part);
    return used > 0 && used < PATH_MAX;
}

static bool find_in_run_path(struct walk *walk, const struct loaded *speaker, struct loaded *loaded)
{
    char directory[PATH_MAX], path[PATH_MAX];
    bool found = false;

    for (const char *at = speaker->elf->run_path; !found && *at != '\0';) {
        size_t len = strcspn(at, ":");

        found = expand(at, len, speaker->path, directory) &&
                snprintf(path, sizeof path, "%s/%s", directory, loaded->name) < (int)sizeof path &&
                take(walk, path, loaded);
        at += len + (at[len] == ':' ? 1 : 0);
    }
    return found;
}

/* A DT_RPATH counts for all below, unless who needs the library has a DT_RUNPATH. */
static bool find_by_speakers(struct walk *walk, struct loaded *loaded)
{
    size_t at = loaded->parent;
    const struct cvg_elf *elf = walk->loaded[at].elf;

    if (elf->run_path[0] != '\0' && !elf->inherited)
        return find_in_run_path(walk, &walk->loaded[at], loaded);
    for (;; at = walk->loaded[at].parent) {
        if (walk->loaded[at].elf->inherited && find_in_run_path(walk, &walk->loaded[at], loaded))
            return true;
        if (at == 0)
            return false;
    }
}

static void find(struct walk *walk, struct loaded *loaded)
{
    const glob_t *places = &walk->libraries->places;
    char path[PATH_MAX];

    if (strchr(loaded->name, '/') != NULL) {
        (void)take(walk, loaded->name, loaded);
        return;
    }
    if (find_by_speakers(walk, loaded))
        return;
    for (size_t i = 0; i < places->gl_pathc; i++)
        if (snprintf(path, sizeof path, "%s/%s", places->gl_pathv[i], loaded->name) <
                (int)sizeof path &&
            access(path, F_OK) == 0 && take(walk, path, loaded))
            return;
}

static bool is_loaded(const struct walk *walk, const char *name)
{
    for (size_t i = 1; i < walk->count; i++)
        if (strcmp(walk->loaded[i].name, name) == 0)
            return true;
    return false;
}

static void load_needs(struct walk *walk, size_t parent)
{
    const struct cvg_elf *elf = walk->loaded[parent].elf;

    for (size_t i = 0; elf != NULL && i < elf->count && walk->count < LOADED_MAX; i++)
        if (!is_loaded(walk, elf->needed[i])) {
            struct loaded *loaded = &walk->loaded[walk->count];

            *loaded = (struct loaded){
                .name = elf->needed[i], .parent = parent, .depth = walk->loaded[parent].depth + 1};
            find(walk, loaded);
            walk->count++;
        }
}

void cvg_libraries_walk(struct cvg_libraries *libraries, const char *path,
                        const struct cvg_elf *elf, cvg_library_fn *tell, void *context)
{
    struct walk *walk = calloc(1, sizeof *walk);
    char *real = realpath(path, NULL);

    if (walk != NULL && real != NULL) {
        walk->libraries = libraries;
        walk->loaded[0] = (struct loaded){.name = "", .path = real, .elf = elf};
        walk->count = 1;
        for (size_t i = 0; i < walk->count; i++)
            load_needs(walk, i);
        for (size_t i = 1; i < walk->count; i++)
            tell(context, &(struct cvg_library){walk->loaded[i].name, walk->loaded[i].path,
                                                walk->loaded[i].depth});
    }
    free(real);
    free(walk);
}
