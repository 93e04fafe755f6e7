/* SPDX-License-Identifier: MIT */
/* What the two parts of the listener share; for listener*.c only. */
#ifndef CVG_ENGINE_LISTENER_STATE_H
#define CVG_ENGINE_LISTENER_STATE_H

#include <stdint.h>

#include "common/engine/listener.h"
#include "common/protocol/message.h"

struct owner {
    struct owner *next;
    uid_t uid;
    size_t connections;
};

struct cvg_conn {
    struct cvg_conn *next, *prev; /* all connections, oldest first */
    struct cvg_listener *listener;
    struct owner *owner;
    pid_t pid;
    int fd;
    bool asked;   /* its message has come */
    bool watched; /* it is in the listener's epoll */
    uint64_t since_ms;
    void *data;
    void *unsent;
    size_t unsent_len;
};

struct cvg_listener {
    uv_loop_t *loop;
    int fd;
    int epoll_fd; /* the watched connections */
    uv_poll_t *poll, *watched;
    uv_timer_t *sweep;
    struct cvg_listener_limits limits;
    struct cvg_listener_events events;
    struct cvg_conn *first, *last;
    struct owner *owners;
    size_t connections;
    uint8_t buffer[CVG_MESSAGE_MAX];
};

/* listener-conn.c. Reads the message if it is there; false if nothing has been said yet. If true,
 * the connection may be gone. */
bool cvg_conn_receive(struct cvg_conn *conn);
/* Puts it into the listener's epoll, or changes what it is there for. */
bool cvg_conn_watch(struct cvg_conn *conn, uint32_t events);
/* Something has happened to a watched connection. */
void cvg_conn_on_event(struct cvg_conn *conn, uint32_t events);

/* listener.c. Takes the connection out of the listener's books. */
void cvg_listener_forget(struct cvg_conn *conn);

#endif
