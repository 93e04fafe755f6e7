/* SPDX-License-Identifier: MIT */
/* One connection: one message in, an answer or several out. Most askers have sent their question
 * before they are accepted and take the answer at once; only those who do not are watched. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/engine/listener-state.h"

void cvg_conn_close(struct cvg_conn *conn)
{
    cvg_listener_forget(conn);
    close(conn->fd);
    free(conn->unsent);
    free(conn);
}

uid_t cvg_conn_uid(const struct cvg_conn *conn)
{
    return conn->owner->uid;
}

pid_t cvg_conn_pid(const struct cvg_conn *conn)
{
    return conn->pid;
}

void cvg_conn_set_data(struct cvg_conn *conn, void *data)
{
    conn->data = data;
}

void *cvg_conn_data(const struct cvg_conn *conn)
{
    return conn->data;
}

static enum cvg_error try_send(struct cvg_conn *conn, const void *data, size_t len)
{
    ssize_t sent;

    do
        sent = send(conn->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent == (ssize_t)len)
        return CVG_OK;
    if (sent < 0 && errno == EAGAIN)
        return CVG_ERR_BUSY;
    return CVG_ERR_UNREACHABLE;
}

/* Closing the descriptor ends it. */
bool cvg_conn_watch(struct cvg_conn *conn, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = conn};
    int how = conn->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

    conn->watched = epoll_ctl(conn->listener->epoll_fd, how, conn->fd, &event) == 0;
    return conn->watched;
}

static void lose(struct cvg_conn *conn)
{
    if (conn->asked)
        conn->listener->events.gone(conn, conn->listener->events.user);
    cvg_conn_close(conn);
}

/* Reads the message if it is there; false if nothing has been said yet. If true, the connection may
 * be gone. */
bool cvg_conn_receive(struct cvg_conn *conn)
{
    struct cvg_listener *listener = conn->listener;
    ssize_t len;

    do
        len = recv(conn->fd, listener->buffer, sizeof listener->buffer, MSG_DONTWAIT | MSG_TRUNC);
    while (len < 0 && errno == EINTR);
    if (len < 0 && errno == EAGAIN)
        return false;
    if (len <= 0 || (size_t)len > sizeof listener->buffer) {
        cvg_conn_close(conn);
        return true;
    }
    conn->asked = true;
    /* What could not be sent at once has its own watch by now. */
    if (listener->events.message(conn, listener->buffer, (size_t)len, listener->events.user) &&
        conn->unsent == NULL && !cvg_conn_watch(conn, EPOLLRDHUP))
        lose(conn);
    return true;
}

static void on_writable(struct cvg_conn *conn)
{
    struct cvg_listener *listener = conn->listener;
    enum cvg_error err = try_send(conn, conn->unsent, conn->unsent_len);

    if (err == CVG_ERR_BUSY)
        return;
    free(conn->unsent);
    conn->unsent = NULL;
    if (err != CVG_OK || !cvg_conn_watch(conn, EPOLLRDHUP))
        lose(conn);
    else
        listener->events.drained(conn, listener->events.user);
}

void cvg_conn_on_event(struct cvg_conn *conn, uint32_t events)
{
    /* Read first, even if the asker has hung up since: the question still counts. */
    if (!conn->asked && (events & EPOLLIN) != 0 && cvg_conn_receive(conn))
        return;
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
        lose(conn);
    else if ((events & EPOLLOUT) != 0 && conn->unsent != NULL)
        on_writable(conn);
}

enum cvg_error cvg_conn_send(struct cvg_conn *conn, const void *data, size_t len)
{
    enum cvg_error err = try_send(conn, data, len);

    if (err != CVG_ERR_BUSY)
        return err;
    conn->unsent = malloc(len);
    if (conn->unsent == NULL)
        return CVG_ERR_NOMEM;
    memcpy(conn->unsent, data, len);
    conn->unsent_len = len;
    return cvg_conn_watch(conn, EPOLLOUT | EPOLLRDHUP) ? CVG_ERR_BUSY : CVG_ERR_IO;
}

void cvg_conn_finish(struct cvg_conn *conn, const void *data, size_t len)
{
    if (try_send(conn, data, len) != CVG_OK)
        cvg_log(CVG_LOG_DEBUG, "pid %d did not take its answer", (int)conn->pid);
    cvg_conn_close(conn);
}
