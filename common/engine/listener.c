/* SPDX-License-Identifier: MIT */
/* Who gets in, and who has to go: accepting, the limits for all and for each user, the askers that
 * keep silent. Who is waited for is watched by an epoll of our own behind one handle of the loop's,
 * where libuv would need a handle and six system calls for each. */
#include "common/engine/listener-state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/protocol/message.h"

#define ACCEPTS_PER_TURN 64 /* then the loop's other events have their turn */
#define EVENTS_PER_TURN  64
#define SWEEP_MS         1000 /* how often silent askers are looked for */

static void free_handle(uv_handle_t *handle)
{
    free(handle);
}

static struct owner *find_owner(struct cvg_listener *listener, uid_t uid)
{
    struct owner *owner = listener->owners;

    while (owner != NULL && owner->uid != uid)
        owner = owner->next;
    if (owner != NULL)
        return owner;
    owner = calloc(1, sizeof *owner);
    if (owner == NULL)
        return NULL;
    owner->uid = uid;
    owner->next = listener->owners;
    listener->owners = owner;
    return owner;
}

static void leave_owner(struct cvg_listener *listener, struct owner *owner)
{
    struct owner **link = &listener->owners;

    if (--owner->connections > 0)
        return;
    while (*link != owner)
        link = &(*link)->next;
    *link = owner->next;
    free(owner);
}

void cvg_listener_forget(struct cvg_conn *conn)
{
    struct cvg_listener *listener = conn->listener;

    if (conn->prev != NULL)
        conn->prev->next = conn->next;
    else
        listener->first = conn->next;
    if (conn->next != NULL)
        conn->next->prev = conn->prev;
    else
        listener->last = conn->prev;
    listener->connections--;
    leave_owner(listener, conn->owner);
}

/* One at a time: what is done about the first may close the connection of the second. */
static void on_watched(uv_poll_t *poll, int status, int events)
{
    struct cvg_listener *listener = poll->data;
    struct epoll_event event;

    (void)status;
    (void)events;
    for (int i = 0; i < EVENTS_PER_TURN; i++) {
        if (epoll_wait(listener->epoll_fd, &event, 1, 0) != 1)
            return;
        cvg_conn_on_event(event.data.ptr, event.events);
    }
}

/* Makes room by closing the asker that has been silent longest, the user's own or (owner NULL) any.
 */
static bool evict(struct cvg_listener *listener, const struct owner *owner)
{
    for (struct cvg_conn *conn = listener->first; conn != NULL; conn = conn->next) {
        if (conn->asked || (owner != NULL && conn->owner != owner))
            continue;
        cvg_conn_close(conn);
        return true;
    }
    return false;
}

static bool admit(struct cvg_listener *listener, struct owner *owner)
{
    /* Held while evict() may take the owner's last connection. */
    owner->connections++;
    if (owner->connections > listener->limits.connections_per_uid && !evict(listener, owner)) {
        leave_owner(listener, owner);
        return false;
    }
    if (listener->connections >= listener->limits.connections && !evict(listener, NULL)) {
        leave_owner(listener, owner);
        return false;
    }
    return true;
}

static void add_conn(struct cvg_listener *listener, struct cvg_conn *conn)
{
    conn->listener = listener;
    conn->since_ms = uv_now(listener->loop);
    conn->prev = listener->last;
    if (listener->last != NULL)
        listener->last->next = conn;
    else
        listener->first = conn;
    listener->last = conn;
    listener->connections++;
}

static struct cvg_conn *new_conn(struct cvg_listener *listener, int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    struct cvg_conn *conn = calloc(1, sizeof *conn);

    if (conn == NULL || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0) {
        free(conn);
        return NULL;
    }
    conn->owner = find_owner(listener, peer.uid);
    if (conn->owner == NULL || !admit(listener, conn->owner)) {
        free(conn);
        return NULL;
    }
    conn->fd = fd;
    conn->pid = peer.pid;
    add_conn(listener, conn);
    return conn;
}

static void close_silent(struct cvg_listener *listener)
{
    uint64_t now = uv_now(listener->loop);
    struct cvg_conn *next;

    for (struct cvg_conn *conn = listener->first; conn != NULL; conn = next) {
        next = conn->next;
        if (now - conn->since_ms < listener->limits.silence_ms)
            return;
        if (!conn->asked)
            cvg_conn_close(conn);
    }
}

static void on_listener(uv_poll_t *poll, int status, int events);

static void on_sweep(uv_timer_t *timer)
{
    struct cvg_listener *listener = timer->data;

    close_silent(listener);
    uv_poll_start(listener->poll, UV_READABLE, on_listener);
    if (listener->connections == 0)
        uv_timer_stop(timer);
}

/* Out of descriptors, and nobody to send away: the queue waits for the next sweep. */
static bool pause_accepting(struct cvg_listener *listener)
{
    uv_poll_stop(listener->poll);
    uv_timer_start(listener->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    return false;
}

/* One from the queue; false if nobody is waiting any more. */
static bool accept_one(struct cvg_listener *listener)
{
    struct cvg_conn *conn;
    int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE)
            return evict(listener, NULL) || pause_accepting(listener);
        return errno == EINTR || errno == ECONNABORTED;
    }
    conn = new_conn(listener, fd);
    if (conn == NULL) {
        close(fd);
        return true;
    }
    if (cvg_conn_receive(conn))
        return true;
    if (!cvg_conn_watch(conn, EPOLLIN | EPOLLRDHUP))
        cvg_conn_close(conn);
    else if (!uv_is_active((uv_handle_t *)listener->sweep))
        uv_timer_start(listener->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    return true;
}

static void on_listener(uv_poll_t *poll, int status, int events)
{
    struct cvg_listener *listener = poll->data;

    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTS_PER_TURN && accept_one(listener); i++)
        continue;
}

void cvg_listener_drain(struct cvg_listener *listener)
{
    while (accept_one(listener))
        continue;
}

void cvg_listener_dismiss(struct cvg_listener *listener)
{
    while (evict(listener, NULL))
        continue;
}

size_t cvg_listener_connections(const struct cvg_listener *listener)
{
    return listener->connections;
}

static uv_poll_t *poll_fd(struct cvg_listener *listener, int fd, uv_poll_cb ready)
{
    uv_poll_t *poll = malloc(sizeof *poll);

    if (poll == NULL)
        return NULL;
    if (uv_poll_init(listener->loop, poll, fd) != 0) {
        free(poll);
        return NULL;
    }
    poll->data = listener;
    if (uv_poll_start(poll, UV_READABLE, ready) == 0)
        return poll;
    uv_close((uv_handle_t *)poll, free_handle);
    return NULL;
}

static enum cvg_error set_up(struct cvg_listener *listener)
{
    listener->sweep = malloc(sizeof *listener->sweep);
    if (listener->sweep == NULL)
        return CVG_ERR_NOMEM;
    uv_timer_init(listener->loop, listener->sweep);
    listener->sweep->data = listener;
    listener->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (listener->epoll_fd < 0)
        return CVG_ERR_IO;
    listener->poll = poll_fd(listener, listener->fd, on_listener);
    listener->watched = poll_fd(listener, listener->epoll_fd, on_watched);
    return listener->poll != NULL && listener->watched != NULL ? CVG_OK : CVG_ERR_IO;
}

enum cvg_error cvg_listener_new(uv_loop_t *loop, int fd, const struct cvg_listener_limits *limits,
                                const struct cvg_listener_events *events,
                                struct cvg_listener **ret_listener)
{
    struct cvg_listener *listener = calloc(1, sizeof *listener);
    enum cvg_error err;

    if (listener == NULL) {
        close(fd);
        return CVG_ERR_NOMEM;
    }
    listener->loop = loop;
    listener->fd = fd;
    listener->epoll_fd = -1;
    listener->limits = *limits;
    listener->events = *events;
    err = set_up(listener);
    if (err != CVG_OK) {
        cvg_listener_free(listener);
        return err;
    }
    *ret_listener = listener;
    return CVG_OK;
}

void cvg_listener_free(struct cvg_listener *listener)
{
    if (listener == NULL)
        return;
    while (listener->first != NULL)
        cvg_conn_close(listener->first);
    if (listener->poll != NULL)
        uv_close((uv_handle_t *)listener->poll, free_handle);
    if (listener->watched != NULL)
        uv_close((uv_handle_t *)listener->watched, free_handle);
    if (listener->sweep != NULL)
        uv_close((uv_handle_t *)listener->sweep, free_handle);
    if (listener->epoll_fd >= 0)
        close(listener->epoll_fd);
    close(listener->fd);
    free(listener);
}
