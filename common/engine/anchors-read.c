/* SPDX-License-Identifier: MIT */
/* Walks `public_anchors`. Symbolic links are followed, for such directories consist of them; what
 * counts is who could have written the file at their end. */
#include "common/engine/anchors-read.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "common/base/buffer.h"
#include "common/base/config.h"
#include "common/protocol/digest.h"

#define FILE_OCTETS_MAX (4 << 20)
#define FILES_MAX       4096
#define ANCHORS_MAX     16384
#define DEPTH_MAX       2 /* directories below the one that is named */

/* What a walk does with every file, and every directory before it looks inside. */
struct walk;
typedef enum cvg_error visit_fn(struct walk *walk, const char *path, const struct stat *status);

struct walk {
    visit_fn *file, *directory;
    uid_t owner;
    struct cvg_anchor_set *set;
    uint64_t state;
    size_t files;
    struct cvg_why *why;
};

void cvg_anchor_set_free(struct cvg_anchor_set *set)
{
    free(set->anchor);
    *set = (struct cvg_anchor_set){.anchor = NULL};
}

static enum cvg_error add(struct cvg_anchor_set *set, const uint8_t *der, size_t len)
{
    void *larger;
    struct cvg_leaf leaf;
    enum cvg_error err = cvg_leaf_of_der(der, len, &leaf);

    if (err != CVG_OK)
        return err;
    if (set->count == ANCHORS_MAX)
        return CVG_ERR_RANGE;
    if (set->count == set->capacity) {
        set->capacity = set->capacity == 0 ? 256 : set->capacity * 2;
        larger = realloc(set->anchor, set->capacity * sizeof set->anchor[0]);
        if (larger == NULL)
            return CVG_ERR_NOMEM;
        set->anchor = larger;
    }
    memcpy(set->anchor[set->count++], leaf.sha256, CVG_SHA256_LEN);
    return CVG_OK;
}

static bool is_certificate(const char *name)
{
    return strcmp(name, PEM_STRING_X509) == 0 || strcmp(name, PEM_STRING_X509_OLD) == 0;
}

/* The next PEM block; NOT_FOUND at the end. A TRUSTED CERTIFICATE block is a certificate and data
 * behind it, whose digest would not be the certificate's: it is malformed here. */
static enum cvg_error add_block(struct cvg_anchor_set *set, BIO *bio)
{
    char *name = NULL, *header = NULL;
    unsigned char *data = NULL;
    long len = 0;
    enum cvg_error err = CVG_OK;

    if (PEM_read_bio(bio, &name, &header, &data, &len) != 1)
        return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE ? CVG_ERR_NOT_FOUND
                                                                            : CVG_ERR_SYNTAX;
    if (is_certificate(name))
        err = add(set, data, (size_t)len);
    else if (strcmp(name, PEM_STRING_X509_TRUSTED) == 0)
        err = CVG_ERR_SYNTAX;
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    return err;
}

static enum cvg_error add_octets(struct cvg_anchor_set *set, const struct cvg_buffer *octets)
{
    size_t before = set->count;
    BIO *bio;
    enum cvg_error err = CVG_OK;

    if (octets->len == 0)
        return CVG_ERR_SYNTAX;
    bio = BIO_new_mem_buf(octets->data, (int)octets->len);
    if (bio == NULL)
        return CVG_ERR_NOMEM;
    ERR_set_mark();
    while (err == CVG_OK)
        err = add_block(set, bio);
    ERR_pop_to_mark();
    BIO_free(bio);
    if (err == CVG_ERR_NOT_FOUND && set->count == before)
        return add(set, octets->data, octets->len);
    return err == CVG_ERR_NOT_FOUND ? CVG_OK : err;
}

static enum cvg_error check_writers(struct walk *walk, const char *path, const struct stat *status)
{
    if ((status->st_uid != 0 && status->st_uid != walk->owner) ||
        (status->st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return cvg_fail(walk->why, CVG_ERR_OWNER,
                        "%s: must belong to root or uid %lu, and nobody else may write it", path,
                        (unsigned long)walk->owner);
    return CVG_OK;
}

static enum cvg_error read_octets(int fd, struct cvg_buffer *octets)
{
    uint8_t chunk[8192];
    ssize_t got;

    while ((got = read(fd, chunk, sizeof chunk)) > 0)
        cvg_buffer_put(octets, chunk, (size_t)got);
    return got < 0 ? CVG_ERR_IO : cvg_buffer_error(octets);
}

static enum cvg_error read_file(struct walk *walk, const char *path, const struct stat *named)
{
    struct stat status;
    struct cvg_buffer octets;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    enum cvg_error err;

    (void)named;
    if (fd < 0 || fstat(fd, &status) != 0) {
        err = cvg_fail(walk->why, CVG_ERR_IO, "%s: %s", path, strerrordesc_np(errno));
        if (fd >= 0)
            close(fd);
        return err;
    }
    cvg_buffer_init(&octets, FILE_OCTETS_MAX);
    err = check_writers(walk, path, &status);
    if (err == CVG_OK) {
        err = read_octets(fd, &octets);
        if (err == CVG_OK)
            err = add_octets(walk->set, &octets);
        if (err != CVG_OK)
            cvg_fail(walk->why, err, "%s: %s", path,
                     err == CVG_ERR_SYNTAX ? "not a certificate" : cvg_strerror(err));
    }
    cvg_buffer_free(&octets);
    close(fd);
    return err;
}

static void mix(struct walk *walk, uint64_t value)
{
    walk->state = (walk->state ^ value) * 0x9e3779b97f4a7c15u;
    walk->state ^= walk->state >> 32;
}

static enum cvg_error note(struct walk *walk, const char *path, const struct stat *status)
{
    (void)path;
    mix(walk, (uint64_t)status->st_ino);
    mix(walk, (uint64_t)status->st_size);
    mix(walk, (uint64_t)status->st_ctim.tv_sec);
    mix(walk, (uint64_t)status->st_ctim.tv_nsec);
    return CVG_OK;
}

static bool has_ending(const char *name)
{
    static const char *const endings[] = {".crt", ".pem", ".cer", ".p11-kit"};
    size_t len = strlen(name);

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (len > strlen(endings[i]) && strcmp(name + len - strlen(endings[i]), endings[i]) == 0)
            return true;
    return false;
}

static enum cvg_error walk_path(struct walk *walk, const char *path, unsigned depth);

/* Directories below may have any name, files only those of certificates. */
static enum cvg_error walk_entry(struct walk *walk, const char *directory, const char *name,
                                 unsigned depth)
{
    char path[PATH_MAX];
    struct stat status;

    if (name[0] == '.')
        return CVG_OK;
    if ((size_t)snprintf(path, sizeof path, "%s/%s", directory, name) >= sizeof path)
        return cvg_fail(walk->why, CVG_ERR_RANGE, "%s: a path there is too long", directory);
    if (!has_ending(name) && (stat(path, &status) != 0 || !S_ISDIR(status.st_mode)))
        return CVG_OK;
    return walk_path(walk, path, depth);
}

static enum cvg_error walk_directory(struct walk *walk, const char *path, unsigned depth)
{
    const struct dirent *entry;
    enum cvg_error err = CVG_OK;
    DIR *stream;

    if (depth > DEPTH_MAX)
        return CVG_OK;
    stream = opendir(path);
    if (stream == NULL)
        return cvg_fail(walk->why, CVG_ERR_IO, "%s: %s", path, strerrordesc_np(errno));
    while (err == CVG_OK && (entry = readdir(stream)) != NULL)
        err = walk_entry(walk, path, entry->d_name, depth + 1);
    closedir(stream);
    return err;
}

static enum cvg_error walk_path(struct walk *walk, const char *path, unsigned depth)
{
    struct stat status;
    enum cvg_error err;

    if (stat(path, &status) != 0)
        return cvg_fail(walk->why, CVG_ERR_IO, "%s: %s", path, strerrordesc_np(errno));
    if (++walk->files > FILES_MAX)
        return cvg_fail(walk->why, CVG_ERR_RANGE, "%s: more than %d files", path, FILES_MAX);
    if (!S_ISDIR(status.st_mode))
        return walk->file(walk, path, &status);
    err = walk->directory(walk, path, &status);
    return err == CVG_OK ? walk_directory(walk, path, depth) : err;
}

static enum cvg_error walk_all(struct walk *walk, const char *paths)
{
    enum cvg_error err = CVG_OK;

    while (err == CVG_OK && *paths != '\0') {
        size_t len = strcspn(paths, ":");
        char path[CVG_PATH_MAX];

        if (len >= sizeof path)
            return cvg_fail(walk->why, CVG_ERR_RANGE, "public_anchors: a path is too long");
        memcpy(path, paths, len);
        path[len] = '\0';
        if (len > 0)
            err = walk_path(walk, path, 0);
        paths += len + (paths[len] == ':');
    }
    return err;
}

enum cvg_error cvg_anchors_read(const char *paths, uid_t owner, struct cvg_anchor_set *set,
                                struct cvg_why *ret_why)
{
    struct walk walk = {
        .file = read_file, .directory = check_writers, .owner = owner, .set = set, .why = ret_why};

    return walk_all(&walk, paths);
}

uint64_t cvg_anchors_state(const char *paths)
{
    struct walk walk = {.file = note, .directory = note};

    /* Where the walk ends early is part of the state, too: it ends elsewhere once that is mended.
     */
    mix(&walk, (uint64_t)walk_all(&walk, paths));
    return walk.state;
}
