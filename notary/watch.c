/* SPDX-License-Identifier: MIT */
/* Watches over the whole process. */
#include "notary/watch.h"

#include <stdlib.h>
#include <time.h>

#include "notary/admin.h"
#include "notary/identity-check.h"

#define PULSE_MS  1000
#define DAY_MS    86400000
#define SILENT_MS 5000 /* a worker that has not answered for so long does not */
#define FILE_MAX  262144

/* A letter that goes to a worker and back again. */
struct pulse {
    struct cvg_letter letter;
    struct cvg_watch *watch;
    struct cvg_worker *worker;
    bool out; /* on its way, since sent_ms */
    uint64_t sent_ms;
};

struct cvg_watch {
    struct cvg_server *server;
    struct cvg_admin_source source;
    struct cvg_admin *admin;
    struct cvg_about about;
    struct cvg_buffer bundle, bundle_v1;
    uv_timer_t timer;
    uint64_t warned_ms; /* when the certificate was last looked at */
    int64_t started_s;
    struct pulse pulse[]; /* one a worker */
};

static void came_back(struct cvg_letter *letter)
{
    CVG_CONTAINER_OF(letter, struct pulse, letter)->out = false;
}

/* In the worker's thread. */
static void arrived(struct cvg_letter *letter)
{
    struct pulse *pulse = CVG_CONTAINER_OF(letter, struct pulse, letter);
    letter->open = came_back;
    cvg_mailbox_post(pulse->watch->server->mailbox, letter);
}

/* Once a day; at the start and at a reload it was said already. */
static void look_at_certificate(struct cvg_watch *watch)
{
    uint64_t now_ms = uv_now(&watch->server->loop);
    if (now_ms - watch->warned_ms < DAY_MS)
        return;
    watch->warned_ms = now_ms;
    cvg_certificate_warn(watch->about.not_after_s, cvg_clock_wall_s(watch->server->shared.clock));
}

static void ask_all(uv_timer_t *timer)
{
    struct cvg_watch *watch = timer->data;
    look_at_certificate(watch);
    for (size_t i = 0; i < watch->server->shared.workers; i++) {
        struct pulse *pulse = &watch->pulse[i];
        if (pulse->out)
            continue;
        pulse->out = true;
        pulse->sent_ms = uv_now(&watch->server->loop);
        pulse->letter.open = arrived;
        cvg_mailbox_post(pulse->worker->mailbox, &pulse->letter);
    }
}

static unsigned count_answering(const struct cvg_watch *watch)
{
    uint64_t now_ms = uv_now(&watch->server->loop);
    unsigned count = 0;
    for (size_t i = 0; i < watch->server->shared.workers; i++)
        if (!watch->pulse[i].out || now_ms - watch->pulse[i].sent_ms < SILENT_MS)
            count++;
    return count;
}

static const char *store_of(const struct cvg_settings *settings)
{
    return settings->database[0] != '\0' ? "gdbm" : "redis";
}

static void tell_status(void *user, struct cvg_status *ret_status)
{
    const struct cvg_watch *watch = user;
    const struct cvg_server *server = watch->server;
    const struct cvg_keeper *keeper = server->shared.keeper;
    *ret_status = (struct cvg_status){
        .about = watch->about,
        .store = keeper == NULL ? NULL : store_of(&server->settings),
        .store_full = keeper != NULL && !cvg_keeper_has_room(keeper),
        .workers = (unsigned)server->shared.workers,
        .workers_answering = count_answering(watch),
        .ending = server->draining,
        .has_bundle = watch->bundle.len > 0,
        .has_bundle_v1 = watch->bundle_v1.len > 0,
        .started_s = watch->started_s,
        .now_s = (int64_t)time(NULL),
    };
    cvg_metrics_add_up(&server->shared.metrics, &ret_status->sum);
    ret_status->sum.value[CVG_METRIC_TARGETS_MEMORY] =
        (int64_t)cvg_memory_count(server->shared.memory);
    for (size_t i = 0; i < server->shared.workers; i++)
        cvg_metrics_add_up(server->worker[i]->metrics, &ret_status->sum);
    cvg_process_read(&ret_status->process);
}

static const struct cvg_buffer *tell_bundle(void *user, bool v1)
{
    const struct cvg_watch *watch = user;
    return v1 ? &watch->bundle_v1 : &watch->bundle;
}

enum cvg_error cvg_watch_new(struct cvg_server *server, struct cvg_watch **ret_watch)
{
    size_t workers = server->shared.workers;
    struct cvg_watch *watch = calloc(1, sizeof(*watch) + workers * sizeof(watch->pulse[0]));
    if (watch == NULL)
        return CVG_ERR_NOMEM;
    watch->server = server;
    watch->started_s = (int64_t)time(NULL);
    watch->source = (struct cvg_admin_source){
        .status = tell_status, .bundle = tell_bundle, .user = watch, .clock = server->shared.clock};
    for (size_t i = 0; i < workers; i++) {
        watch->pulse[i].watch = watch;
        watch->pulse[i].worker = server->worker[i];
    }
    enum cvg_error err = cvg_watch_take(watch, server->settings.name, server->worker[0]->identity);
    if (err == CVG_OK)
        err = cvg_admin_new(&server->loop, &watch->source, &watch->admin);
    if (err != CVG_OK) {
        cvg_watch_free(watch);
        return err;
    }
    uv_timer_init(&server->loop, &watch->timer);
    watch->timer.data = watch;
    *ret_watch = watch;
    return CVG_OK;
}

void cvg_watch_start(struct cvg_watch *watch)
{
    watch->warned_ms = uv_now(&watch->server->loop);
    uv_timer_start(&watch->timer, ask_all, 0, PULSE_MS);
}

void cvg_watch_close(struct cvg_watch *watch)
{
    if (watch == NULL)
        return;
    cvg_admin_free(watch->admin);
    watch->admin = NULL;
    uv_close((uv_handle_t *)&watch->timer, NULL);
}

void cvg_watch_free(struct cvg_watch *watch)
{
    if (watch == NULL)
        return;
    cvg_buffer_free(&watch->bundle);
    cvg_buffer_free(&watch->bundle_v1);
    free(watch);
}

enum cvg_error cvg_watch_listen(struct cvg_watch *watch, int fd)
{
    return cvg_admin_listen(watch->admin, fd);
}

void cvg_watch_stop_listening(struct cvg_watch *watch)
{
    cvg_admin_stop(watch->admin);
}

enum cvg_error cvg_watch_take(struct cvg_watch *watch, const char *name,
                              const struct cvg_identity *identity)
{
    struct cvg_buffer bundle, bundle_v1;
    cvg_buffer_init(&bundle, FILE_MAX);
    cvg_buffer_init(&bundle_v1, FILE_MAX);
    enum cvg_error err = cvg_buffer_put(&bundle, identity->bundle.data, identity->bundle.len);
    if (err == CVG_OK)
        err = cvg_buffer_put(&bundle_v1, identity->bundle_v1.data, identity->bundle_v1.len);
    if (err != CVG_OK) {
        cvg_buffer_free(&bundle);
        cvg_buffer_free(&bundle_v1);
        return err;
    }
    cvg_buffer_free(&watch->bundle);
    cvg_buffer_free(&watch->bundle_v1);
    watch->bundle = bundle;
    watch->bundle_v1 = bundle_v1;
    cvg_about_take(&watch->about, name, identity);
    return CVG_OK;
}
