/* SPDX-License-Identifier: MIT */
/* Reads in the loop's thread from the file as it is; merges in another. */
#include "notary/backend-gdbm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "notary/gdbm-file.h"
#include "notary/gdbm-merge.h"

/* A merge costs the whole file, so it waits until what it brings is in proportion to that: an
 * eighth of the file, so that a record is rewritten some eight times before as many others have
 * come; or until merging by age takes no more than a hundredth of the time. */
#define PORTION_OF_FILE 8
#define PORTION_MIN     (UINT64_C(1) << 20)
#define PARTS_OF_BOUND  4 /* of journal_max: while one is merged there is room for others */
#define AGE_MIN_MS      600000
#define AGE_PER_MERGE   100

struct gdbm_backend {
    struct cvg_backend base; /* first: casts */
    uv_loop_t *loop;
    struct cvg_metrics *metrics;
    GDBM_FILE file; /* NULL: there is none yet, or it cannot be opened */
    bool absent;    /* there is none yet */
    bool is_up;
    bool told; /* that reading fails */
    uint64_t records;
    uint64_t octets;
    uint64_t merge_ms; /* how long the last one took */
    char path[CVG_PATH_MAX];
    uint64_t max_records;
    int64_t forget_after_s;
    uint64_t journal_max;

    uv_work_t work; /* the merge under way, if done is set */
    struct cvg_gdbm_merge merge;
    enum cvg_error merge_err;
    uint64_t begun_ms;
    cvg_backend_absorbed *done;
    void *user;
    atomic_bool stop;
    bool is_over; /* free was called */
};

static struct gdbm_backend *of(struct cvg_backend *backend)
{
    return (struct gdbm_backend *)(void *)backend;
}

static const struct gdbm_backend *of_const(const struct cvg_backend *backend)
{
    return (const struct gdbm_backend *)(const void *)backend;
}

/* Opens the file as it is now; a damaged one gives way. */
static enum cvg_error open_file(struct gdbm_backend *backend, bool check)
{
    struct stat info;
    gdbm_count_t records = 0;
    if (backend->file != NULL)
        gdbm_close(backend->file);
    backend->file = NULL;
    backend->records = backend->octets = 0;
    enum cvg_error err = cvg_gdbm_open(backend->path, check, &backend->file);
    if (err == CVG_ERR_CORRUPT && cvg_gdbm_set_aside(backend->path))
        err = CVG_ERR_NOT_FOUND;
    backend->absent = err == CVG_ERR_NOT_FOUND;
    if (backend->file != NULL && fstat(gdbm_fdesc(backend->file), &info) == 0)
        backend->octets = (uint64_t)info.st_size;
    if (backend->file != NULL && gdbm_count(backend->file, &records) == 0)
        backend->records = records;
    return backend->absent ? CVG_OK : err;
}

static void get(struct cvg_backend *base, const void *key, size_t key_len, cvg_backend_got *done,
                void *user)
{
    struct gdbm_backend *backend = of(base);
    if (backend->file == NULL) {
        done(backend->absent ? CVG_ERR_NOT_FOUND : CVG_ERR_IO, NULL, 0, user);
        return;
    }
    datum record = gdbm_fetch(backend->file, cvg_gdbm_datum(key, key_len));
    if (record.dptr == NULL && gdbm_errno == GDBM_ITEM_NOT_FOUND) {
        done(CVG_ERR_NOT_FOUND, NULL, 0, user);
        return;
    }
    if (record.dptr == NULL) {
        if (!backend->told)
            cvg_log(CVG_LOG_ERROR, "%s: reading failed: %s", backend->path,
                    gdbm_strerror(gdbm_errno));
        backend->told = true;
        cvg_metrics_add(backend->metrics, CVG_METRIC_STORE_ERRORS, 1);
        if (gdbm_errno == GDBM_MALLOC_ERROR) {
            done(CVG_ERR_IO, NULL, 0, user);
            return;
        }
        enum cvg_error err = open_file(backend, true);
        backend->is_up = err == CVG_OK;
        done(err == CVG_ERR_IO ? err : CVG_ERR_CORRUPT, NULL, 0, user);
        return;
    }
    enum cvg_error err = cvg_gdbm_check(key, key_len, &record);
    if (err == CVG_OK)
        done(CVG_OK, record.dptr + CVG_GDBM_HEAD, (size_t)record.dsize - CVG_GDBM_HEAD, user);
    else
        done(err, NULL, 0, user);
    free(record.dptr);
}

static void merge(uv_work_t *work)
{
    struct gdbm_backend *backend = work->data;
    backend->merge_err = cvg_gdbm_merge(&backend->merge);
}

static void release(struct gdbm_backend *backend)
{
    if (backend->file != NULL)
        gdbm_close(backend->file);
    free(backend);
}

static void merged(uv_work_t *work, int status)
{
    struct gdbm_backend *backend = work->data;
    cvg_backend_absorbed *done = backend->done;
    (void)status;
    backend->done = NULL;
    if (backend->is_over) {
        release(backend);
        return;
    }
    enum cvg_error err = backend->merge_err;
    backend->merge_ms = cvg_clock_ms(cvg_clock_system()) - backend->begun_ms;
    cvg_metrics_add(backend->metrics, CVG_METRIC_STORE_REJECTED,
                    (int64_t)backend->merge.ret_rejected);
    if (err == CVG_OK)
        err = open_file(backend, false);
    backend->is_up = err == CVG_OK;
    backend->told = false;
    done(err == CVG_OK ? CVG_OK : CVG_ERR_IO, backend->user);
}

static void absorb(struct cvg_backend *base, const struct cvg_segment *segment,
                   cvg_backend_absorbed *done, void *user)
{
    struct gdbm_backend *backend = of(base);
    backend->done = done;
    backend->user = user;
    backend->begun_ms = cvg_clock_ms(cvg_clock_system());
    backend->merge = (struct cvg_gdbm_merge){
        .path = backend->path,
        .segment = segment,
        .max_records = backend->max_records,
        .forget_after_s = backend->forget_after_s,
        .now_s = cvg_clock_wall_s(cvg_clock_system()),
        .stop = &backend->stop,
    };
    backend->work.data = backend;
    if (uv_queue_work(backend->loop, &backend->work, merge, merged) != 0) {
        backend->done = NULL;
        done(CVG_ERR_IO, user);
    }
}

static void portion(const struct cvg_backend *base, uint64_t *ret_octets, uint64_t *ret_age_ms)
{
    const struct gdbm_backend *backend = of_const(base);
    uint64_t octets = backend->octets / PORTION_OF_FILE;
    uint64_t most = backend->journal_max / PARTS_OF_BOUND;
    if (octets < PORTION_MIN)
        octets = PORTION_MIN;
    *ret_octets = octets < most ? octets : most;
    *ret_age_ms = backend->merge_ms * AGE_PER_MERGE;
    if (*ret_age_ms < AGE_MIN_MS)
        *ret_age_ms = AGE_MIN_MS;
}

static bool is_up(const struct cvg_backend *base)
{
    return of_const(base)->is_up;
}

static uint64_t count(const struct cvg_backend *base)
{
    return of_const(base)->records;
}

/* A merge that is under way is given up, and the rest goes when it has ended. */
static void free_backend(struct cvg_backend *base)
{
    struct gdbm_backend *backend = of(base);
    backend->is_over = true;
    atomic_store(&backend->stop, true);
    if (backend->done == NULL)
        release(backend);
}

/* Its directory must take a new file. */
static enum cvg_error check_place(const char *path, struct cvg_why *why)
{
    char directory[CVG_PATH_MAX];
    const char *slash = strrchr(path, '/');
    snprintf(directory, sizeof(directory), "%.*s", slash == NULL ? 1 : (int)(slash - path) + 1,
             slash == NULL ? "." : path);
    if (access(directory, W_OK | X_OK) != 0)
        return cvg_fail(why, CVG_ERR_IO, "%s: %s", directory, strerror(errno));
    return CVG_OK;
}

enum cvg_error cvg_backend_gdbm_new(uv_loop_t *loop, const struct cvg_settings *settings,
                                    struct cvg_metrics *metrics, struct cvg_backend **ret_backend,
                                    struct cvg_why *ret_why)
{
    enum cvg_error err = check_place(settings->database, ret_why);
    struct gdbm_backend *backend = err == CVG_OK ? calloc(1, sizeof(*backend)) : NULL;
    if (backend == NULL)
        return err == CVG_OK ? CVG_ERR_NOMEM : err;
    backend->base = (struct cvg_backend){
        .name = "gdbm",
        .get = get,
        .absorb = absorb,
        .portion = portion,
        .is_up = is_up,
        .count = count,
        .free = free_backend,
    };
    backend->loop = loop;
    backend->metrics = metrics;
    backend->max_records = settings->max_stored;
    backend->forget_after_s = (int64_t)settings->forget_after_s;
    backend->journal_max = settings->journal_max;
    snprintf(backend->path, sizeof(backend->path), "%s", settings->database);
    cvg_gdbm_merge_clean(backend->path);
    err = open_file(backend, false);
    if (err != CVG_OK) {
        free_backend(&backend->base);
        return cvg_fail(ret_why, err, "%s: %s", settings->database, gdbm_strerror(gdbm_errno));
    }
    backend->is_up = true;
    *ret_backend = &backend->base;
    return CVG_OK;
}
