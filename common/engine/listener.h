/* SPDX-License-Identifier: MIT */
/* The agent's socket: connections of programs that ask, one message each, and what is sent back.
 * No user can starve the others, by silence or by numbers. One thread. */
#ifndef CVG_ENGINE_LISTENER_H
#define CVG_ENGINE_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <uv.h>

#include "common/base/error.h"

struct cvg_listener;
struct cvg_conn; /* one asker */

struct cvg_listener_limits {
    size_t connections; /* in all */
    size_t connections_per_uid;
    unsigned silence_ms; /* how long an asker may take to say something */
};

struct cvg_listener_events {
    /* The asker's one message; valid during the call. False if the connection was finished or
     * closed meanwhile; true if that comes later. */
    bool (*message)(struct cvg_conn *conn, const void *data, size_t len, void *user);
    /* What cvg_conn_send could not send at once is out now. */
    void (*drained)(struct cvg_conn *conn, void *user);
    /* The asker hung up after its message and before its answer. The connection is gone after the
     * call. */
    void (*gone)(struct cvg_conn *conn, void *user);
    void *user;
};

/* fd: a listening SOCK_SEQPACKET socket, taken over (also on failure). */
CVG_MUST_USE enum cvg_error cvg_listener_new(uv_loop_t *loop, int fd,
                                             const struct cvg_listener_limits *limits,
                                             const struct cvg_listener_events *events,
                                             struct cvg_listener **ret_listener);
/* Closes everything. The loop must run once more, for handles to close. */
void cvg_listener_free(struct cvg_listener *listener);

/* Takes in who is waiting in the queue; for the end, when the socket's name is gone already. */
void cvg_listener_drain(struct cvg_listener *listener);
/* Closes the connections that have not said anything. */
void cvg_listener_dismiss(struct cvg_listener *listener);
size_t cvg_listener_connections(const struct cvg_listener *listener);

uid_t cvg_conn_uid(const struct cvg_conn *conn);
pid_t cvg_conn_pid(const struct cvg_conn *conn);
void cvg_conn_set_data(struct cvg_conn *conn, void *data);
void *cvg_conn_data(const struct cvg_conn *conn);

/* Sends one message. BUSY: it was kept and drained will be called; do not send before. Other
 * errors: the asker cannot be reached, close. */
CVG_MUST_USE enum cvg_error cvg_conn_send(struct cvg_conn *conn, const void *data, size_t len);
/* Sends the last message, as far as the asker takes it, and closes. */
void cvg_conn_finish(struct cvg_conn *conn, const void *data, size_t len);
void cvg_conn_close(struct cvg_conn *conn);

#endif
