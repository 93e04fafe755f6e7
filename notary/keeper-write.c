/* SPDX-License-Identifier: MIT */
/* How records get from the inbox to the journal, and from there to the store. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "notary/keeper-parts.h"
#include "notary/values.h"

#define WRITE_MS     250  /* what is put within it is written together */
#define RETRY_MS     1000 /* after a write that failed */
#define BATCH        1024 /* records written in one turn of the loop */
#define SYNC_MS      5000
#define DELAY_MIN_MS 2000 /* after the store could not take a segment; doubles */
#define DELAY_MAX_MS 60000
/* A segment is sealed at the latest when it has this part of what the journal may hold. */
#define PARTS_OF_BOUND 4

static void tell(struct cvg_keeper *keeper)
{
    bool is_up =
        keeper->backend != NULL && !keeper->write_failed && keeper->backend->is_up(keeper->backend);
    uint64_t octets = keeper->journal == NULL ? 0 : cvg_journal_octets(keeper->journal);
    atomic_store(&keeper->backlog, octets);
    cvg_metrics_set(keeper->metrics, CVG_METRIC_STORE_UP, is_up);
    cvg_metrics_set(keeper->metrics, CVG_METRIC_STORE_BACKLOG, (int64_t)octets);
    if (keeper->backend != NULL)
        cvg_metrics_set(keeper->metrics, CVG_METRIC_STORE_RECORDS,
                        (int64_t)keeper->backend->count(keeper->backend));
}

static void note_failure(struct cvg_keeper *keeper, enum cvg_error err)
{
    int error = errno;
    cvg_metrics_add(keeper->metrics, CVG_METRIC_STORE_ERRORS, 1);
    if (!keeper->write_failed)
        cvg_log(CVG_LOG_ERROR, "%s: writing failed: %s; going on in memory",
                keeper->settings.journal, err == CVG_ERR_IO ? strerror(error) : cvg_strerror(err));
    keeper->write_failed = true;
}

static void note_success(struct cvg_keeper *keeper)
{
    if (keeper->write_failed)
        cvg_log(CVG_LOG_NOTICE, "%s: writing succeeds again", keeper->settings.journal);
    keeper->write_failed = false;
}

/* Writes a record. What the journal has of the key already is usually what the new value was made
 * from; if it was put before the journal was ours, it was not, and both count. */
static enum cvg_error write_one(struct cvg_keeper *keeper, const struct cvg_parcel *parcel)
{
    struct cvg_buffer read, both;
    struct cvg_segment_record record;
    struct cvg_stored value = {.octets = parcel->octets + parcel->key_len,
                               .len = parcel->value_len};
    cvg_buffer_init(&read, CVG_SEGMENT_BUFFER);
    cvg_buffer_init(&both, CVG_VALUE_MAX);
    enum cvg_error err =
        cvg_journal_get(keeper->journal, parcel->octets, parcel->key_len, &read, &record);
    if (err == CVG_OK)
        err = cvg_values_merge((struct cvg_stored){.octets = record.value, .len = record.value_len},
                               value, cvg_clock_wall_s(cvg_clock_system()), &both, &value);
    if (err != CVG_ERR_NOMEM)
        err = cvg_journal_put(keeper->journal, parcel->octets, parcel->key_len, value.octets,
                              value.len, cvg_keeper_now_ms());
    cvg_buffer_free(&read);
    cvg_buffer_free(&both);
    return err;
}

/* Writes up to that many; false: no more can be written now. */
static bool write_some(struct cvg_keeper *keeper, size_t count)
{
    struct cvg_parcel *parcel = NULL;
    while (count-- > 0 && (parcel = cvg_inbox_take(keeper->inbox)) != NULL) {
        enum cvg_error err = write_one(keeper, parcel);
        if (err != CVG_OK) {
            cvg_inbox_give_back(keeper->inbox, parcel);
            note_failure(keeper, err);
            return false;
        }
        free(parcel);
        cvg_metrics_add(keeper->metrics, CVG_METRIC_STORE_WRITTEN, 1);
        note_success(keeper);
    }
    return true;
}

static void on_write(uv_timer_t *timer)
{
    struct cvg_keeper *keeper = timer->data;
    bool is_full = keeper->journal == NULL ||
                   cvg_journal_octets(keeper->journal) >= keeper->settings.journal_max;
    bool written = !is_full && write_some(keeper, BATCH);
    tell(keeper);
    if (cvg_inbox_octets(keeper->inbox) > 0)
        uv_timer_start(&keeper->write_timer, on_write, written ? 0 : RETRY_MS, 0);
}

void cvg_keeper_write_soon(struct cvg_keeper *keeper)
{
    if (!uv_is_active((uv_handle_t *)&keeper->write_timer) && cvg_inbox_octets(keeper->inbox) > 0)
        uv_timer_start(&keeper->write_timer, on_write, WRITE_MS, 0);
}

/* Past the bound, too: it is the last chance. */
void cvg_keeper_write_all(struct cvg_keeper *keeper)
{
    uv_timer_stop(&keeper->write_timer);
    if (keeper->journal != NULL)
        (void)write_some(keeper, SIZE_MAX);
    int descriptor = keeper->journal == NULL ? -1 : cvg_journal_unsynced(keeper->journal);
    if (descriptor >= 0) {
        (void)!fdatasync(descriptor);
        close(descriptor);
    }
    if (cvg_inbox_octets(keeper->inbox) > 0)
        cvg_log(CVG_LOG_ERROR, "%s: %llu octets that were to be kept could not be written",
                keeper->settings.journal, (unsigned long long)cvg_inbox_octets(keeper->inbox));
}

struct sync {
    uv_work_t work; /* first: casts */
    struct cvg_keeper *keeper;
    int descriptor;
    int error;
};

static void sync_in_thread(uv_work_t *work)
{
    struct sync *sync = (struct sync *)(void *)work;
    sync->error = fdatasync(sync->descriptor) == 0 ? 0 : errno;
    close(sync->descriptor);
}

static void synced(uv_work_t *work, int status)
{
    struct sync *sync = (struct sync *)(void *)work;
    if (status == 0 && sync->error != 0) {
        cvg_metrics_add(sync->keeper->metrics, CVG_METRIC_STORE_ERRORS, 1);
        cvg_log(CVG_LOG_ERROR, "%s: syncing failed: %s", sync->keeper->settings.journal,
                strerror(sync->error));
    }
    free(sync);
}

/* Without memory, or a thread, it is tried the next time something was written. */
static void sync_journal(struct cvg_keeper *keeper)
{
    struct sync *sync = calloc(1, sizeof(*sync));
    int descriptor = sync == NULL ? -1 : cvg_journal_unsynced(keeper->journal);
    if (descriptor < 0) {
        free(sync);
        return;
    }
    sync->keeper = keeper;
    sync->descriptor = descriptor;
    keeper->synced_ms = cvg_keeper_now_ms();
    if (uv_queue_work(&keeper->loop, &sync->work, sync_in_thread, synced) != 0) {
        close(descriptor);
        free(sync);
    }
}

static void hand_over(struct cvg_keeper *keeper);

static void absorbed(enum cvg_error err, void *user)
{
    struct cvg_keeper *keeper = user;
    keeper->is_absorbing = false;
    if (err == CVG_OK) {
        cvg_journal_drop_first(keeper->journal);
        keeper->absorb_delay_ms = 0;
    } else {
        uint64_t delay_ms = keeper->absorb_delay_ms * 2;
        cvg_metrics_add(keeper->metrics, CVG_METRIC_STORE_ERRORS, 1);
        keeper->absorb_delay_ms = delay_ms < DELAY_MIN_MS   ? DELAY_MIN_MS
                                  : delay_ms > DELAY_MAX_MS ? DELAY_MAX_MS
                                                            : delay_ms;
    }
    keeper->absorb_at_ms = cvg_keeper_now_ms() + keeper->absorb_delay_ms;
    tell(keeper);
    hand_over(keeper);
}

/* Gives the backend the first sealed segment, unless it has one or needs rest. */
static void hand_over(struct cvg_keeper *keeper)
{
    const struct cvg_segment *segment = cvg_journal_first(keeper->journal);
    if (segment == NULL || keeper->is_absorbing || cvg_keeper_now_ms() < keeper->absorb_at_ms)
        return;
    keeper->is_absorbing = true;
    keeper->backend->absorb(keeper->backend, segment, absorbed, keeper);
}

/* While the backend is at work the next segment grows: what costs much is then done for more. */
static void seal(struct cvg_keeper *keeper)
{
    uint64_t octets = 0, age_ms = 0;
    if (cvg_journal_first(keeper->journal) != NULL)
        return;
    keeper->backend->portion(keeper->backend, &octets, &age_ms);
    if (octets > keeper->settings.journal_max / PARTS_OF_BOUND)
        octets = keeper->settings.journal_max / PARTS_OF_BOUND;
    (void)cvg_journal_seal(keeper->journal, octets, age_ms, cvg_keeper_now_ms());
}

void cvg_keeper_turn(struct cvg_keeper *keeper)
{
    if (cvg_keeper_now_ms() - keeper->synced_ms >= SYNC_MS)
        sync_journal(keeper);
    seal(keeper);
    hand_over(keeper);
    cvg_keeper_write_soon(keeper);
    tell(keeper);
}
