/* SPDX-License-Identifier: MIT */
/* Writing the history: buffers, files and their generations. A disk that is full costs entries, and
 * only as long as it is full. */
#include "common/engine/history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/engine/history-state.h"

#define BUFFER_MAX 65536 /* octets that wait, of each kind */
#define SHARES     8     /* of all octets; see share() */

struct sheaf { /* the files of one kind */
    struct cvg_buffer waiting;
    int fd;          /* the present generation; -1: not open */
    uint64_t octets; /* that are whole in it */
    bool torn;       /* something half-written follows them */
};

struct cvg_history {
    char directory[CVG_PATH_MAX + 16];
    uint64_t max, order;
    struct sheaf sheaf[CVG_HISTORY_KINDS];
    bool failing; /* said already */
};

/* How much one generation of a kind may take: everyday agreements half of all, the others a quarter
 * each. */
static uint64_t share(const struct cvg_history *history, size_t kind)
{
    return history->max / SHARES * (kind == CVG_HISTORY_EVERYDAY ? 2 : 1);
}

void cvg_history_path(const char *directory, size_t kind, size_t generation,
                      char ret_path[static CVG_HISTORY_PATH_MAX])
{
    static const char *const names[CVG_HISTORY_KINDS] = {[CVG_HISTORY_EVERYDAY] = "everyday",
                                                         [CVG_HISTORY_UNDECIDED] = "undecided",
                                                         [CVG_HISTORY_REFUSED] = "refused"};

    snprintf(ret_path, CVG_HISTORY_PATH_MAX, "%s/%s%s", directory, names[kind],
             generation == 0 ? ".old" : "");
}

int cvg_history_file(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    struct stat file;

    if (fd >= 0 && (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

const char *cvg_history_directory(const struct cvg_history *history)
{
    return history->directory;
}

static void close_file(struct sheaf *sheaf)
{
    if (sheaf->fd >= 0)
        close(sheaf->fd);
    sheaf->fd = -1;
}

static void remove_all(struct cvg_history *history)
{
    char path[CVG_HISTORY_PATH_MAX];

    for (size_t kind = 0; kind < CVG_HISTORY_KINDS; kind++) {
        close_file(&history->sheaf[kind]);
        cvg_buffer_clear(&history->sheaf[kind].waiting);
        for (size_t i = 0; i < CVG_HISTORY_GENERATIONS; i++) {
            cvg_history_path(history->directory, kind, i, path);
            unlink(path);
        }
    }
}

/* Files that a smaller maximum has no room for any more. */
static void remove_large(struct cvg_history *history)
{
    char path[CVG_HISTORY_PATH_MAX];
    struct stat file;

    for (size_t kind = 0; kind < CVG_HISTORY_KINDS; kind++)
        for (size_t i = 0; i < CVG_HISTORY_GENERATIONS; i++) {
            cvg_history_path(history->directory, kind, i, path);
            if (lstat(path, &file) == 0 && (uint64_t)file.st_size > share(history, kind)) {
                close_file(&history->sheaf[kind]);
                unlink(path);
            }
        }
}

void cvg_history_set_max(struct cvg_history *history, uint64_t max)
{
    history->max = max;
    if (max == 0)
        remove_all(history);
    else
        remove_large(history);
}

enum cvg_error cvg_history_new(const char *directory, uint64_t max,
                               struct cvg_history **ret_history)
{
    struct cvg_history *history = calloc(1, sizeof *history);

    if (history == NULL)
        return CVG_ERR_NOMEM;
    snprintf(history->directory, sizeof history->directory, "%s", directory);
    for (size_t i = 0; i < CVG_HISTORY_KINDS; i++) {
        history->sheaf[i].fd = -1;
        cvg_buffer_init(&history->sheaf[i].waiting, BUFFER_MAX);
    }
    cvg_history_set_max(history, max);
    history->order = cvg_history_last_order(directory);
    *ret_history = history;
    return CVG_OK;
}

void cvg_history_free(struct cvg_history *history)
{
    if (history == NULL)
        return;
    (void)cvg_history_flush(history);
    for (size_t i = 0; i < CVG_HISTORY_KINDS; i++) {
        close_file(&history->sheaf[i]);
        cvg_buffer_free(&history->sheaf[i].waiting);
    }
    free(history);
}

/* All of the record or, without memory, nothing. */
static void put(struct cvg_buffer *waiting, uint64_t order, const struct cvg_verdict_entry *entry)
{
    size_t len = waiting->len;

    cvg_history_record_put(waiting, order, entry);
    if (cvg_buffer_error(waiting) == CVG_OK)
        return;
    waiting->len = len;
    waiting->error = CVG_OK;
}

bool cvg_history_note(struct cvg_history *history, const struct cvg_verdict_entry *entry)
{
    struct sheaf *sheaf = &history->sheaf[cvg_history_kind_of(entry)];

    if (history->max == 0)
        return false;
    if (BUFFER_MAX - sheaf->waiting.len < CVG_HISTORY_RECORD_MAX)
        (void)cvg_history_flush(history);
    /* Still no room: the disk is full, and what comes now is lost. */
    if (BUFFER_MAX - sheaf->waiting.len >= CVG_HISTORY_RECORD_MAX)
        put(&sheaf->waiting, ++history->order, entry);
    return true;
}

static bool open_file(struct cvg_history *history, size_t kind)
{
    struct sheaf *sheaf = &history->sheaf[kind];
    char path[CVG_HISTORY_PATH_MAX];
    off_t end;

    if (sheaf->fd >= 0)
        return true;
    if (mkdir(history->directory, 0700) != 0 && errno != EEXIST)
        return false;
    cvg_history_path(history->directory, kind, 1, path);
    sheaf->fd = cvg_history_file(path, O_RDWR | O_CREAT | O_APPEND);
    if (sheaf->fd < 0)
        return false;
    end = lseek(sheaf->fd, 0, SEEK_END);
    sheaf->octets = end > 0 ? (uint64_t)end : 0;
    sheaf->torn = false;
    return true;
}

/* Begins a new generation where the file has its share. */
static bool make_room(struct cvg_history *history, size_t kind)
{
    struct sheaf *sheaf = &history->sheaf[kind];
    char path[CVG_HISTORY_PATH_MAX], old[CVG_HISTORY_PATH_MAX];

    if (sheaf->octets == 0 || sheaf->octets + sheaf->waiting.len <= share(history, kind))
        return true;
    cvg_history_path(history->directory, kind, 0, old);
    cvg_history_path(history->directory, kind, 1, path);
    if (rename(path, old) != 0 && errno != ENOENT)
        return false;
    close_file(sheaf);
    return open_file(history, kind);
}

/* What a full disk took only in part is cut off when it can be; a reader would pass over it. */
static void mend(struct sheaf *sheaf)
{
    if (sheaf->torn && ftruncate(sheaf->fd, (off_t)sheaf->octets) == 0)
        sheaf->torn = false;
}

static bool write_waiting(struct cvg_history *history, size_t kind)
{
    struct sheaf *sheaf = &history->sheaf[kind];
    ssize_t written;

    if (!open_file(history, kind) || !make_room(history, kind))
        return false;
    mend(sheaf);
    do
        written = write(sheaf->fd, sheaf->waiting.data, sheaf->waiting.len);
    while (written < 0 && errno == EINTR);
    if (written != (ssize_t)sheaf->waiting.len) {
        sheaf->torn = written > 0 || sheaf->torn;
        errno = written < 0 ? errno : ENOSPC;
        return false;
    }
    sheaf->octets += sheaf->waiting.len;
    cvg_buffer_clear(&sheaf->waiting);
    return true;
}

/* Once for each trouble, not once a second. */
static void tell(struct cvg_history *history, bool failing, int error)
{
    if (failing && !history->failing)
        cvg_log(CVG_LOG_WARNING, "the history in %s cannot be written: %s", history->directory,
                strerror(error));
    else if (!failing && history->failing)
        cvg_log(CVG_LOG_NOTICE, "the history is written again");
    history->failing = failing;
}

bool cvg_history_flush(struct cvg_history *history)
{
    bool failing = false;
    int error = 0;

    for (size_t kind = 0; kind < CVG_HISTORY_KINDS; kind++) {
        if (history->sheaf[kind].waiting.len == 0 || write_waiting(history, kind))
            continue;
        failing = true;
        error = errno;
    }
    tell(history, failing, error);
    return failing;
}
