/* SPDX-License-Identifier: MIT */
/* The keeper's life: beginning, its thread, ending; and what other threads call. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/log.h"
#include "notary/backend-gdbm.h"
#include "notary/backend-redis.h"
#include "notary/keeper-parts.h"

#define TURN_MS 1000
#define LOCK_MS 50   /* between tries, while another process lets go */
#define OPEN_MS 5000 /* between tries, when it has and opening fails */

static enum cvg_error open_backend(struct cvg_keeper *keeper, struct cvg_why *why)
{
    const struct cvg_settings *settings = &keeper->settings;
    if (settings->redis.count > 0 && keeper->keys == NULL)
        return cvg_fail(why, CVG_ERR_CONFIG, "redis needs a signing_key");
    if (settings->redis.count > 0)
        return cvg_backend_redis_new(&keeper->loop, settings, keeper->keys, keeper->metrics,
                                     &keeper->backend, why);
    return cvg_backend_gdbm_new(&keeper->loop, settings, keeper->metrics, &keeper->backend, why);
}

/* Journal and store, which nobody else has. */
static enum cvg_error open_parts(struct cvg_keeper *keeper, struct cvg_why *why)
{
    enum cvg_error err = cvg_journal_open(keeper->settings.journal, &keeper->journal, why);
    if (err == CVG_OK)
        err = open_backend(keeper, why);
    if (err != CVG_OK) {
        cvg_journal_free(keeper->journal);
        keeper->journal = NULL;
    }
    return err;
}

static void close_lock(struct cvg_keeper *keeper)
{
    if (keeper->lock >= 0)
        close(keeper->lock);
    keeper->lock = -1;
}

static enum cvg_error open_place(struct cvg_keeper *keeper, struct cvg_why *why)
{
    enum cvg_error err = cvg_journal_lock(keeper->settings.journal, &keeper->lock, why);
    if (err == CVG_OK)
        err = open_parts(keeper, why);
    if (err != CVG_OK)
        close_lock(keeper);
    return err;
}

static void begin_turns(struct cvg_keeper *keeper);

/* Tries until the other process has let go. */
static void on_lock_timer(uv_timer_t *timer)
{
    struct cvg_keeper *keeper = timer->data;
    struct cvg_why why = {.text = ""};
    enum cvg_error err = open_place(keeper, &why);
    if (err == CVG_OK) {
        cvg_log(CVG_LOG_NOTICE, "%s: the journal is ours now", keeper->settings.journal);
        begin_turns(keeper);
    } else if (err != CVG_ERR_BUSY) {
        cvg_metrics_add(keeper->metrics, CVG_METRIC_STORE_ERRORS, 1);
        cvg_log(CVG_LOG_ERROR, "%s; going on in memory",
                why.text[0] != '\0' ? why.text : cvg_strerror(err));
        uv_timer_set_repeat(timer, OPEN_MS);
    }
}

static void on_turn(uv_timer_t *timer)
{
    cvg_keeper_turn(timer->data);
}

static void begin_turns(struct cvg_keeper *keeper)
{
    keeper->write_failed = false;
    atomic_store(&keeper->is_open, true);
    uv_timer_start(&keeper->tick, on_turn, 0, TURN_MS);
}

/* Lets go of everything; the loop ends when what runs in other threads has ended. */
static void end(struct cvg_keeper *keeper)
{
    keeper->is_over = true;
    cvg_inbox_close(keeper->inbox);
    cvg_keeper_write_all(keeper);
    if (keeper->backend != NULL)
        keeper->backend->free(keeper->backend);
    keeper->backend = NULL;
    cvg_keeper_give_up(keeper);
    cvg_metrics_set(keeper->metrics, CVG_METRIC_STORE_UP, 0);
    uv_close((uv_handle_t *)&keeper->wake, NULL);
    uv_close((uv_handle_t *)&keeper->write_timer, NULL);
    uv_close((uv_handle_t *)&keeper->tick, NULL);
}

/* What is on its way to the store or back stays as it is: former keys are believed. */
static void take_keys(struct cvg_keeper *keeper)
{
    struct cvg_record_keys *newer = atomic_exchange(&keeper->newer_keys, NULL);
    if (newer != NULL)
        cvg_record_keys_take(keeper->keys, newer);
}

static void woken(uv_async_t *wake)
{
    struct cvg_keeper *keeper = wake->data;
    take_keys(keeper);
    if (atomic_load(&keeper->is_ending)) {
        if (!keeper->is_over)
            end(keeper);
        return;
    }
    cvg_keeper_serve(keeper);
    cvg_keeper_write_soon(keeper);
}

static void *run(void *user)
{
    struct cvg_keeper *keeper = user;
    uv_run(&keeper->loop, UV_RUN_DEFAULT);
    cvg_journal_free(keeper->journal);
    keeper->journal = NULL;
    close_lock(keeper);
    return NULL;
}

/* Signals are the main thread's. */
static enum cvg_error start_thread(struct cvg_keeper *keeper)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&keeper->thread, NULL, run, keeper);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error == 0 ? CVG_OK : CVG_ERR_NOMEM;
}

static enum cvg_error make(const struct cvg_keeper_place *place, struct cvg_keeper **ret_keeper)
{
    struct cvg_keeper *keeper = calloc(1, sizeof(*keeper));
    if (keeper == NULL || uv_loop_init(&keeper->loop) != 0) {
        free(keeper);
        return CVG_ERR_NOMEM;
    }
    keeper->settings = *place->settings;
    keeper->keys = place->keys;
    keeper->metrics = place->metrics;
    keeper->lock = -1;
    cvg_list_init(&keeper->waiting);
    cvg_list_init(&keeper->under_way);
    uv_async_init(&keeper->loop, &keeper->wake, woken);
    uv_timer_init(&keeper->loop, &keeper->write_timer);
    uv_timer_init(&keeper->loop, &keeper->tick);
    keeper->wake.data = keeper->write_timer.data = keeper->tick.data = keeper;
    *ret_keeper = keeper;
    return cvg_inbox_new(&keeper->wake, &keeper->inbox);
}

/* What has a loop, but no thread. */
static void unmake(struct cvg_keeper *keeper)
{
    if (keeper->backend != NULL)
        keeper->backend->free(keeper->backend);
    uv_close((uv_handle_t *)&keeper->wake, NULL);
    uv_close((uv_handle_t *)&keeper->write_timer, NULL);
    uv_close((uv_handle_t *)&keeper->tick, NULL);
    (void)run(keeper);
    (void)uv_loop_close(&keeper->loop);
    cvg_inbox_free(keeper->inbox);
    free(keeper);
}

enum cvg_error cvg_keeper_new(const struct cvg_keeper_place *place, struct cvg_keeper **ret_keeper,
                              struct cvg_why *ret_why)
{
    struct cvg_keeper *keeper = NULL;
    if (place->settings->database[0] == '\0' && place->settings->redis.count == 0)
        return CVG_ERR_NOT_FOUND;
    enum cvg_error err = make(place, &keeper);
    if (keeper == NULL)
        return err;
    if (err == CVG_OK)
        err = open_place(keeper, ret_why);
    if (err == CVG_OK) {
        begin_turns(keeper);
    } else if (err == CVG_ERR_BUSY && place->wait) {
        uv_timer_start(&keeper->tick, on_lock_timer, LOCK_MS, LOCK_MS);
        err = CVG_OK;
    }
    if (err == CVG_OK)
        err = start_thread(keeper);
    if (err != CVG_OK) {
        unmake(keeper);
        return err;
    }
    *ret_keeper = keeper;
    return CVG_OK;
}

bool cvg_keeper_signs(const struct cvg_keeper *keeper)
{
    return keeper->keys != NULL;
}

void cvg_keeper_change_keys(struct cvg_keeper *keeper, struct cvg_record_keys *keys)
{
    struct cvg_record_keys *untaken = atomic_exchange(&keeper->newer_keys, NULL);
    if (untaken != NULL) {
        cvg_record_keys_take(untaken, keys);
        keys = untaken;
    }
    atomic_store(&keeper->newer_keys, keys);
    cvg_inbox_wake(keeper->inbox);
}

bool cvg_keeper_is_open(const struct cvg_keeper *keeper)
{
    return atomic_load(&keeper->is_open);
}

void cvg_keeper_let_go(struct cvg_keeper *keeper)
{
    atomic_store(&keeper->is_ending, true);
    cvg_inbox_wake(keeper->inbox);
}

bool cvg_keeper_is_over(const struct cvg_keeper *keeper)
{
    return atomic_load(&keeper->is_ending);
}

void cvg_keeper_free(struct cvg_keeper *keeper)
{
    if (keeper == NULL)
        return;
    cvg_keeper_let_go(keeper);
    pthread_join(keeper->thread, NULL);
    (void)uv_loop_close(&keeper->loop);
    cvg_inbox_free(keeper->inbox);
    cvg_record_keys_free(keeper->keys);
    cvg_record_keys_free(atomic_load(&keeper->newer_keys));
    free(keeper);
}

void cvg_keeper_fetch(struct cvg_keeper *keeper, struct cvg_fetch *fetch)
{
    cvg_buffer_init(&fetch->value, CVG_VALUE_MAX);
    if (!cvg_inbox_ask(keeper->inbox, fetch))
        cvg_keeper_answer(fetch, CVG_ERR_IO);
}

enum cvg_error cvg_keeper_put(struct cvg_keeper *keeper, const void *key, size_t key_len,
                              const void *value, size_t value_len)
{
    if (key_len == 0 || key_len > CVG_KEY_MAX || value_len > CVG_VALUE_MAX)
        return CVG_ERR_RANGE;
    return cvg_inbox_put(keeper->inbox, key, key_len, value, value_len);
}

/* Well before the inbox is full: what is being probed at this moment will be put, too. */
bool cvg_keeper_has_room(const struct cvg_keeper *keeper)
{
    return !atomic_load(&keeper->is_ending) &&
           atomic_load(&keeper->backlog) < keeper->settings.journal_max &&
           cvg_inbox_octets(keeper->inbox) < CVG_INBOX_MAX / 2;
}
