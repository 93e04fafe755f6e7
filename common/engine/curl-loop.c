/* SPDX-License-Identifier: MIT */
/* The glue between curl_multi_socket_action and libuv. Handles are freed by their close callbacks,
 * because libuv holds on to them until then. */
#include "common/engine/curl-loop.h"

#include <stdlib.h>

/* Connections kept to one logical notary, direct ones and tunnels together. */
#define CONNECTIONS_KEPT 16L

struct cvg_curl_loop {
    uv_loop_t *loop;
    CURLM *multi;
    uv_timer_t *timer;
    cvg_curl_done *done;
    void *user;
    unsigned busy;
};

struct watch {
    uv_poll_t poll;
    struct cvg_curl_loop *owner;
    curl_socket_t fd;
};

static void free_handle(uv_handle_t *handle)
{
    free(handle->data);
}

static void close_watch(struct watch *watch)
{
    uv_poll_stop(&watch->poll);
    watch->poll.data = watch;
    uv_close((uv_handle_t *)&watch->poll, free_handle);
}

static void hand_over_finished(struct cvg_curl_loop *self)
{
    CURLMsg *message;
    int left;

    self->busy++;
    while ((message = curl_multi_info_read(self->multi, &left)) != NULL) {
        CURL *easy = message->easy_handle;
        CURLcode code = message->data.result;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_multi_remove_handle(self->multi, easy);
        self->done(easy, code, self->user);
    }
    self->busy--;
}

static void act(struct cvg_curl_loop *self, curl_socket_t fd, int events)
{
    int running;

    curl_multi_socket_action(self->multi, fd, events, &running);
    hand_over_finished(self);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    int flags = 0;

    if (status < 0)
        flags = CURL_CSELECT_ERR;
    if ((events & UV_READABLE) != 0)
        flags |= CURL_CSELECT_IN;
    if ((events & UV_WRITABLE) != 0)
        flags |= CURL_CSELECT_OUT;
    act(watch->owner, watch->fd, flags);
}

static void on_timer(uv_timer_t *timer)
{
    act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static struct watch *open_watch(struct cvg_curl_loop *self, curl_socket_t fd)
{
    struct watch *watch = calloc(1, sizeof *watch);

    if (watch == NULL)
        return NULL;
    watch->owner = self;
    watch->fd = fd;
    if (uv_poll_init_socket(self->loop, &watch->poll, fd) != 0) {
        free(watch);
        return NULL;
    }
    watch->poll.data = watch;
    if (curl_multi_assign(self->multi, fd, watch) != CURLM_OK) {
        close_watch(watch);
        return NULL;
    }
    return watch;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *socket_user)
{
    struct cvg_curl_loop *self = user;
    struct watch *watch = socket_user;
    int events = 0;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch != NULL) {
            curl_multi_assign(self->multi, fd, NULL);
            close_watch(watch);
        }
        return 0;
    }
    if (watch == NULL && (watch = open_watch(self, fd)) == NULL)
        return -1;
    if (what != CURL_POLL_OUT)
        events |= UV_READABLE;
    if (what != CURL_POLL_IN)
        events |= UV_WRITABLE;
    return uv_poll_start(&watch->poll, events, on_poll) == 0 ? 0 : -1;
}

static int on_timeout(CURLM *multi, long timeout_ms, void *user)
{
    struct cvg_curl_loop *self = user;

    (void)multi;
    if (timeout_ms < 0)
        return uv_timer_stop(self->timer);
    uv_update_time(self->loop);
    return uv_timer_start(self->timer, on_timer, (uint64_t)timeout_ms, 0) == 0 ? 0 : -1;
}

enum cvg_error cvg_curl_loop_new(uv_loop_t *loop, cvg_curl_done *done, void *user,
                                 struct cvg_curl_loop **ret_loop)
{
    struct cvg_curl_loop *self = calloc(1, sizeof *self);
    uv_timer_t *timer = calloc(1, sizeof *timer);
    CURLM *multi = curl_multi_init();

    if (self == NULL || timer == NULL || multi == NULL || uv_timer_init(loop, timer) != 0) {
        free(self);
        free(timer);
        if (multi != NULL)
            curl_multi_cleanup(multi);
        return CVG_ERR_NOMEM;
    }
    *self = (struct cvg_curl_loop){
        .loop = loop, .multi = multi, .timer = timer, .done = done, .user = user};
    timer->data = self;
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, self);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timeout);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, self);
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT);
    *ret_loop = self;
    return CVG_OK;
}

void cvg_curl_loop_free(struct cvg_curl_loop *self)
{
    if (self == NULL)
        return;
    curl_multi_cleanup(self->multi);
    uv_timer_stop(self->timer);
    self->timer->data = self->timer;
    uv_close((uv_handle_t *)self->timer, free_handle);
    free(self);
}

enum cvg_error cvg_curl_loop_add(struct cvg_curl_loop *self, CURL *easy)
{
    return curl_multi_add_handle(self->multi, easy) == CURLM_OK ? CVG_OK : CVG_ERR_NOMEM;
}

void cvg_curl_loop_remove(struct cvg_curl_loop *self, CURL *easy)
{
    curl_multi_remove_handle(self->multi, easy);
}

bool cvg_curl_loop_busy(const struct cvg_curl_loop *self)
{
    return self->busy > 0;
}
