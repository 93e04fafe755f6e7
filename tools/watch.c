/* SPDX-License-Identifier: MIT */
/* Waits for the agent and for what a view waits for, at once. */
#include "tools/watch.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "common/base/clock.h"
#include "tools/agent-command.h"
#include "tools/tools.h"

#define CONNECT_MS 5000
#define REPLY_MS   5000
#define AGAIN_MS   500   /* doubled from one vain attempt to the next, */
#define SELDOM_MS  30000 /* up to this: each may wake an agent that ends at once */

static uint64_t deadline_in(unsigned ms)
{
    return cvg_clock_ms(cvg_clock_system()) + ms;
}

/* The first reply of a watch may be long in coming; a message once begun is not. */
static enum cvg_error take_reply(struct cvg_agent_stream *stream, struct cvg_view *view,
                                 enum cvg_watch_go *ret_go, struct cvg_why *ret_why)
{
    json_t *reply = NULL;
    const json_t *object;
    struct cvg_entry entry;
    enum cvg_error err = cvg_agent_next(stream, deadline_in(REPLY_MS), &reply, ret_why);

    if (err != CVG_OK)
        return err;
    object = json_object_get(reply, "entry");
    if (cvg_entry_read(object, &entry))
        *ret_go = view->entry(view->user, &entry, object);
    json_decref(reply);
    return stream->more ? CVG_OK : CVG_ERR_PROTOCOL;
}

static enum cvg_watch_go take_others(struct cvg_view *view, const struct pollfd *fds)
{
    enum cvg_watch_go go = CVG_WATCH_ON;

    for (int i = 0; i < 2 && go == CVG_WATCH_ON; i++)
        if (fds[i].revents != 0)
            go = view->readable(view->user, i);
    return go;
}

static int left_until(uint64_t time_ms)
{
    uint64_t now_ms = deadline_in(0);

    return time_ms > now_ms ? (int)(time_ms - now_ms) : 0;
}

/* One wait, until again_at_ms while there is no agent: the stream's fd is -1 then. */
static enum cvg_error wait_once(struct cvg_agent_stream *stream, struct cvg_view *view,
                                uint64_t again_at_ms, enum cvg_watch_go *ret_go,
                                struct cvg_why *ret_why)
{
    struct pollfd fds[3] = {{.fd = stream->fd, .events = POLLIN},
                            {.fd = view->fd[0], .events = POLLIN},
                            {.fd = view->fd[1], .events = POLLIN}};

    if (poll(fds, 3, stream->fd < 0 ? left_until(again_at_ms) : -1) < 0 && errno != EINTR)
        return cvg_fail(ret_why, CVG_ERR_IO, "poll: %s", strerrordesc_np(errno));
    *ret_go = take_others(view, fds + 1);
    if (*ret_go != CVG_WATCH_ON || stream->fd < 0 || fds[0].revents == 0)
        return CVG_OK;
    return take_reply(stream, view, ret_go, ret_why);
}

static enum cvg_error connect_again(const struct cvg_installation *installation,
                                    struct cvg_agent_stream *stream, struct cvg_why *ret_why)
{
    return cvg_agent_open(&installation->paths, json_pack("{s:s}", "command", "watch"),
                          deadline_in(CONNECT_MS), stream, ret_why);
}

/* What was tried went wrong: whether that is the end of it. */
static bool is_end(struct cvg_agent_stream *stream, struct cvg_view *view, bool follow,
                   enum cvg_error err, enum cvg_watch_go *ret_go)
{
    if (stream->fd >= 0) {
        cvg_agent_close(stream);
        if (follow)
            *ret_go = view->connected(view->user, false);
    }
    return !follow ||
           (err != CVG_ERR_UNREACHABLE && err != CVG_ERR_PROTOCOL && err != CVG_ERR_TIMEOUT);
}

int cvg_watch(const struct cvg_installation *installation, bool follow, struct cvg_view *view)
{
    struct cvg_agent_stream stream = {.fd = -1};
    enum cvg_watch_go go = CVG_WATCH_ON;
    struct cvg_why why = {""};
    enum cvg_error err = connect_again(installation, &stream, &why);
    bool had_one = err == CVG_OK, ended = false;
    unsigned again_ms = AGAIN_MS;
    uint64_t again_at_ms = deadline_in(again_ms); /* keys that are pressed do not hasten it */

    if (follow || err == CVG_OK)
        go = view->connected(view->user, err == CVG_OK);
    ended = err != CVG_OK && is_end(&stream, view, follow, err, &go);
    while (go == CVG_WATCH_ON && !ended) {
        err = wait_once(&stream, view, again_at_ms, &go, &why);
        if (stream.fd >= 0 && err == CVG_OK)
            again_ms = AGAIN_MS;
        if (err == CVG_OK && go == CVG_WATCH_ON && stream.fd < 0 && left_until(again_at_ms) == 0) {
            again_ms = again_ms < SELDOM_MS / 2 ? again_ms * 2 : SELDOM_MS;
            err = connect_again(installation, &stream, &why);
            if (err == CVG_OK)
                go = view->connected(view->user, true);
        }
        if (err != CVG_OK) {
            ended = is_end(&stream, view, follow, err, &go);
            again_at_ms = deadline_in(again_ms);
        }
    }
    if (stream.fd >= 0)
        cvg_agent_close(&stream);
    if (go == CVG_WATCH_QUIT)
        return CVG_EXIT_OK;
    if (go == CVG_WATCH_FAILED)
        return cvg_output_fail(CVG_EXIT_FAULT, "cannot write");
    if (had_one && err == CVG_ERR_PROTOCOL)
        return cvg_output_fail(CVG_EXIT_UNDECIDED, "the agent ended");
    return cvg_installation_fault(installation, err, &why);
}
