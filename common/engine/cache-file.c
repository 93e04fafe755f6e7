/* SPDX-License-Identifier: MIT */
/* The GDBM file. GDBM ends the process where it cannot go on, unless its "fatal" function does not
 * return; ours jumps back to the call that was made, and the handle is never touched again. */
#include "common/engine/cache-file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gdbm.h>

#define BLOCK_LEN 4096
#define PAGES_MAX 65536 /* more keys than any cache has: a directory that runs in circles */

struct cvg_cache_file {
    GDBM_FILE gdbm;
    int fd;
    bool fatal; /* GDBM gave up: only the descriptor may be closed */
    struct cvg_cache_file *next_abandoned;
};

/* What GDBM gave up on: it was left in the middle of something, so its memory is not touched again.
 */
static struct cvg_cache_file *abandoned;

/* The mark is the only key that is not an id. */
static const char mark_key[] = "converge cache", mark_value[] = "1";

static jmp_buf on_fatal;
static bool on_fatal_set;

static void fatal(const char *message)
{
    (void)message;
    if (on_fatal_set)
        longjmp(on_fatal, 1);
}

/* Runs a step of this file's; CORRUPT if GDBM gave up in it. One thread, no nesting. */
static enum cvg_error guarded(enum cvg_error (*step)(struct cvg_cache_file *file, void *argument),
                              struct cvg_cache_file *file, void *argument)
{
    enum cvg_error err;

    if (setjmp(on_fatal) != 0) {
        on_fatal_set = false;
        file->fatal = true;
        return CVG_ERR_CORRUPT;
    }
    on_fatal_set = true;
    err = step(file, argument);
    on_fatal_set = false;
    return err;
}

static datum datum_of(const void *data, size_t len)
{
    /* GDBM's datum has no const; what is put in is only read. */
    union {
        const void *in;
        char *out;
    } pointer = {.in = data};

    return (datum){.dptr = pointer.out, .dsize = (int)len};
}

static enum cvg_error fail_with(struct cvg_why *why, enum cvg_error err, const char *what)
{
    return cvg_fail(why, err, "%s: %s%s%s", what, gdbm_strerror(gdbm_errno),
                    gdbm_check_syserr(gdbm_errno) ? ": " : "",
                    gdbm_check_syserr(gdbm_errno) ? strerror(errno) : "");
}

static enum cvg_error step_open(struct cvg_cache_file *file, void *argument)
{
    const char *path = argument;

    file->gdbm = gdbm_open(path, BLOCK_LEN,
                           GDBM_WRCREAT | GDBM_NOMMAP | GDBM_CLOEXEC | GDBM_XVERIFY, 0600, fatal);
    if (file->gdbm != NULL) {
        file->fd = gdbm_fdesc(file->gdbm);
        return CVG_OK;
    }
    switch (gdbm_errno) {
    case GDBM_CANT_BE_WRITER:
    case GDBM_CANT_BE_READER:
        return CVG_ERR_BUSY;
    case GDBM_FILE_OPEN_ERROR:
    case GDBM_FILE_WRITE_ERROR:
    case GDBM_FILE_STAT_ERROR:
    case GDBM_MALLOC_ERROR:
        return CVG_ERR_IO;
    default:
        return CVG_ERR_CORRUPT;
    }
}

static enum cvg_error step_mark(struct cvg_cache_file *file, void *argument)
{
    datum key = datum_of(mark_key, sizeof mark_key - 1), value = gdbm_fetch(file->gdbm, key);
    bool good = value.dptr != NULL && value.dsize == sizeof mark_value - 1 &&
                memcmp(value.dptr, mark_value, sizeof mark_value - 1) == 0;
    gdbm_count_t count = 0;

    (void)argument;
    free(value.dptr);
    if (good)
        return CVG_OK;
    if (value.dptr != NULL)
        return CVG_ERR_VERSION;
    if (gdbm_errno != GDBM_ITEM_NOT_FOUND || gdbm_count(file->gdbm, &count) != 0 || count != 0)
        return CVG_ERR_CORRUPT;
    value = datum_of(mark_value, sizeof mark_value - 1);
    return gdbm_store(file->gdbm, key, value, GDBM_REPLACE) == 0 ? CVG_OK : CVG_ERR_IO;
}

/* A file that somebody else could have written might hold verdicts that no notary gave. */
static enum cvg_error check_owner(const char *path, struct cvg_why *why)
{
    struct stat status;

    if (lstat(path, &status) != 0)
        return errno == ENOENT ? CVG_OK
                               : cvg_fail(why, CVG_ERR_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 022) != 0 ||
        status.st_nlink != 1)
        return cvg_fail(why, CVG_ERR_OWNER,
                        "%s: must be a file of uid %lu that nobody else can write", path,
                        (unsigned long)geteuid());
    return CVG_OK;
}

static enum cvg_error open_checked(struct cvg_cache_file *file, const char *path,
                                   struct cvg_why *why)
{
    union {
        const char *in;
        void *out;
    } argument = {.in = path};
    enum cvg_error err = check_owner(path, why);

    if (err != CVG_OK)
        return err;
    err = guarded(step_open, file, argument.out);
    if (err == CVG_OK)
        err = guarded(step_mark, file, NULL);
    return err == CVG_OK ? CVG_OK : fail_with(why, err, path);
}

enum cvg_error cvg_cache_file_open(const char *path, struct cvg_cache_file **ret_file,
                                   struct cvg_why *ret_why)
{
    struct cvg_cache_file *file = calloc(1, sizeof *file);
    enum cvg_error err;

    if (file == NULL)
        return cvg_fail(ret_why, CVG_ERR_NOMEM, "out of memory");
    file->fd = -1;
    err = open_checked(file, path, ret_why);
    if (err == CVG_OK)
        *ret_file = file;
    else
        cvg_cache_file_close(file);
    return err;
}

static enum cvg_error step_close(struct cvg_cache_file *file, void *argument)
{
    (void)argument;
    return gdbm_close(file->gdbm) == 0 ? CVG_OK : CVG_ERR_IO;
}

void cvg_cache_file_close(struct cvg_cache_file *file)
{
    if (file == NULL)
        return;
    if (file->gdbm != NULL && !file->fatal)
        (void)guarded(step_close, file, NULL);
    if (!file->fatal) {
        free(file);
        return;
    }
    /* The lock goes with the descriptor. */
    if (file->fd >= 0)
        close(file->fd);
    file->next_abandoned = abandoned;
    abandoned = file;
}

struct iteration {
    datum key; /* of the page that comes next */
    cvg_cache_file_page *each;
    void *user;
};

static enum cvg_error step_first(struct cvg_cache_file *file, void *argument)
{
    struct iteration *iteration = argument;

    iteration->key = gdbm_firstkey(file->gdbm);
    return CVG_OK;
}

/* Moves on from a key, which it frees. The end of all keys and a directory that cannot be read look
 * the same except for the error. */
static enum cvg_error step_next(struct cvg_cache_file *file, void *argument)
{
    struct iteration *iteration = argument;
    datum key = iteration->key;

    iteration->key = gdbm_nextkey(file->gdbm, key);
    free(key.dptr);
    return CVG_OK;
}

static enum cvg_error step_fetch(struct cvg_cache_file *file, void *argument)
{
    struct iteration *iteration = argument;
    const uint8_t *key = (const uint8_t *)iteration->key.dptr;
    enum cvg_error err;
    datum value;

    if (iteration->key.dsize == sizeof mark_key - 1 &&
        memcmp(key, mark_key, sizeof mark_key - 1) == 0)
        return CVG_OK;
    if (iteration->key.dsize != 4)
        return CVG_ERR_CORRUPT;
    value = gdbm_fetch(file->gdbm, iteration->key);
    if (value.dptr == NULL)
        return CVG_ERR_CORRUPT;
    err = iteration->each((uint32_t)key[0] << 24 | (uint32_t)key[1] << 16 | (uint32_t)key[2] << 8 |
                              key[3],
                          value.dptr, (size_t)value.dsize, iteration->user);
    free(value.dptr);
    return err;
}

enum cvg_error cvg_cache_file_each(struct cvg_cache_file *file, cvg_cache_file_page *each,
                                   void *user, struct cvg_why *ret_why)
{
    struct iteration iteration = {.each = each, .user = user};
    enum cvg_error err = guarded(step_first, file, &iteration);
    size_t count = 0;

    while (err == CVG_OK && iteration.key.dptr != NULL) {
        err = ++count > PAGES_MAX ? CVG_ERR_CORRUPT : guarded(step_fetch, file, &iteration);
        if (err == CVG_OK)
            err = guarded(step_next, file, &iteration);
    }
    if (err == CVG_OK && gdbm_errno != GDBM_ITEM_NOT_FOUND)
        err = CVG_ERR_CORRUPT;
    free(iteration.key.dptr);
    return err == CVG_OK ? CVG_OK : fail_with(ret_why, err, "reading the cache");
}

struct page {
    uint8_t key[4];
    const void *data;
    size_t len;
};

static struct page page_of(uint32_t id, const void *data, size_t len)
{
    return (struct page){
        .key = {(uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id},
        .data = data,
        .len = len};
}

static enum cvg_error step_put(struct cvg_cache_file *file, void *argument)
{
    const struct page *page = argument;

    return gdbm_store(file->gdbm, datum_of(page->key, sizeof page->key),
                      datum_of(page->data, page->len), GDBM_REPLACE) == 0
               ? CVG_OK
               : CVG_ERR_IO;
}

static enum cvg_error step_remove(struct cvg_cache_file *file, void *argument)
{
    const struct page *page = argument;

    return gdbm_delete(file->gdbm, datum_of(page->key, sizeof page->key)) == 0 ||
                   gdbm_errno == GDBM_ITEM_NOT_FOUND
               ? CVG_OK
               : CVG_ERR_IO;
}

enum cvg_error cvg_cache_file_put(struct cvg_cache_file *file, uint32_t id, const void *data,
                                  size_t len, struct cvg_why *ret_why)
{
    struct page page = page_of(id, data, len);
    enum cvg_error err = guarded(step_put, file, &page);

    return err == CVG_OK ? CVG_OK : fail_with(ret_why, err, "writing the cache");
}

enum cvg_error cvg_cache_file_remove(struct cvg_cache_file *file, uint32_t id,
                                     struct cvg_why *ret_why)
{
    struct page page = page_of(id, NULL, 0);
    enum cvg_error err = guarded(step_remove, file, &page);

    return err == CVG_OK ? CVG_OK : fail_with(ret_why, err, "writing the cache");
}

uint64_t cvg_cache_file_octets(struct cvg_cache_file *file)
{
    struct stat status;

    return fstat(file->fd, &status) == 0 ? (uint64_t)status.st_size : 0;
}
