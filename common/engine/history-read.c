/* SPDX-License-Identifier: MIT */
/* Reading the history: the records of all its files in the order in which they were noted. The
 * files are held open, so a generation that is replaced meanwhile is still read to its end. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/engine/history-state.h"

#define CHUNK       16384  /* octets of a file in memory; several records */
#define TAIL        65536  /* where the last record of a file is looked for */
#define TURN_OCTETS 262144 /* read within one turn */

/* One kind's files, the older generation first. */
struct stream {
    int fd[CVG_HISTORY_GENERATIONS];     /* -1: none */
    off_t size[CVG_HISTORY_GENERATIONS]; /* as they were at the beginning */
    size_t generation;
    off_t at;          /* the next octet of the file to be read */
    size_t start, end; /* of what is not used of the chunk */
    bool have;         /* item is read and not given yet */
    struct cvg_history_item item;
    uint8_t chunk[CHUNK];
};

struct cvg_history_reading {
    struct stream stream[CVG_HISTORY_KINDS];
    size_t octets; /* since the last pause */
};

static void begin(struct stream *stream)
{
    stream->generation = 0;
    stream->at = 0;
    stream->start = stream->end = 0;
    stream->have = false;
}

static void open_stream(const char *directory, size_t kind, struct stream *stream)
{
    char path[CVG_HISTORY_PATH_MAX];
    struct stat file;

    for (size_t i = 0; i < CVG_HISTORY_GENERATIONS; i++) {
        cvg_history_path(directory, kind, i, path);
        stream->fd[i] = cvg_history_file(path, O_RDONLY);
        if (stream->fd[i] >= 0 && fstat(stream->fd[i], &file) == 0)
            stream->size[i] = file.st_size;
    }
    begin(stream);
}

/* More of the present file behind what is left of the chunk; false at the file's end. */
static bool fill(struct cvg_history_reading *reading, struct stream *stream)
{
    size_t generation = stream->generation;
    off_t left = stream->size[generation] - stream->at;
    size_t want;
    ssize_t got;

    memmove(stream->chunk, stream->chunk + stream->start, stream->end - stream->start);
    stream->end -= stream->start;
    stream->start = 0;
    want = CHUNK - stream->end;
    if (stream->fd[generation] < 0 || left <= 0 || want == 0)
        return false;
    if ((off_t)want > left)
        want = (size_t)left;
    got = pread(stream->fd[generation], stream->chunk + stream->end, want, stream->at);
    if (got <= 0)
        return false;
    stream->at += got;
    stream->end += (size_t)got;
    reading->octets += (size_t)got;
    return true;
}

/* At a file's end: what is left may be the torn beginning of a record, with whole ones behind it.
 */
static bool next_file(struct stream *stream)
{
    if (stream->end - stream->start >= CVG_HISTORY_HEAD) {
        stream->start++;
        return true;
    }
    if (stream->generation + 1 == CVG_HISTORY_GENERATIONS)
        return false;
    stream->generation++;
    stream->at = 0;
    stream->start = stream->end = 0;
    return true;
}

/* Reads the stream's next record; false at its end, and when it is time for a pause. */
static bool advance(struct cvg_history_reading *reading, struct stream *stream)
{
    while (!stream->have && reading->octets < TURN_OCTETS) {
        size_t used =
            cvg_history_record_next(stream->chunk + stream->start, stream->end - stream->start,
                                    &stream->item, &stream->have);

        stream->start += used;
        if (used == 0 && !fill(reading, stream) && !next_file(stream))
            return false;
    }
    return stream->have;
}

const struct cvg_verdict_entry *cvg_history_next(struct cvg_history_reading *reading,
                                                 bool *ret_pause)
{
    struct stream *first = NULL;

    *ret_pause = false;
    for (size_t i = 0; i < CVG_HISTORY_KINDS; i++) {
        struct stream *stream = &reading->stream[i];

        if (!advance(reading, stream)) {
            if (reading->octets < TURN_OCTETS)
                continue;
            reading->octets = 0;
            *ret_pause = true;
            return NULL;
        }
        if (first == NULL || stream->item.order < first->item.order)
            first = stream;
    }
    if (first == NULL)
        return NULL;
    first->have = false;
    return &first->item.entry;
}

static struct cvg_history_reading *open_reading(const char *directory)
{
    struct cvg_history_reading *reading = calloc(1, sizeof *reading);

    for (size_t i = 0; reading != NULL && i < CVG_HISTORY_KINDS; i++)
        open_stream(directory, i, &reading->stream[i]);
    return reading;
}

enum cvg_error cvg_history_read(struct cvg_history *history,
                                struct cvg_history_reading **ret_reading)
{
    struct cvg_history_reading *reading;

    (void)cvg_history_flush(history);
    reading = open_reading(cvg_history_directory(history));
    if (reading == NULL)
        return CVG_ERR_NOMEM;
    *ret_reading = reading;
    return CVG_OK;
}

void cvg_history_rewind(struct cvg_history_reading *reading)
{
    for (size_t i = 0; i < CVG_HISTORY_KINDS; i++)
        begin(&reading->stream[i]);
}

void cvg_history_end(struct cvg_history_reading *reading)
{
    if (reading == NULL)
        return;
    for (size_t i = 0; i < CVG_HISTORY_KINDS; i++)
        for (size_t k = 0; k < CVG_HISTORY_GENERATIONS; k++)
            if (reading->stream[i].fd[k] >= 0)
                close(reading->stream[i].fd[k]);
    free(reading);
}

uint64_t cvg_history_last_order(const char *directory)
{
    struct cvg_history_reading *reading = open_reading(directory);
    uint64_t last = 0;

    for (size_t i = 0; reading != NULL && i < CVG_HISTORY_KINDS; i++) {
        struct stream *stream = &reading->stream[i];

        /* Only the tails: records rise, and this is on the way to the first answer. */
        for (size_t k = 0; k < CVG_HISTORY_GENERATIONS; k++) {
            stream->generation = k;
            stream->at = stream->size[k] > TAIL ? stream->size[k] - TAIL : 0;
            stream->start = stream->end = 0;
            reading->octets = 0;
            while (stream->generation == k && advance(reading, stream)) {
                if (stream->item.order > last)
                    last = stream->item.order;
                stream->have = false;
            }
        }
    }
    cvg_history_end(reading);
    return last;
}
