/* SPDX-License-Identifier: MIT */
/* The old process's side of a hand-over. */
#include "notary/handover.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/log.h"
#include "notary/handover-wire.h"

/* A descriptor that the loop watches. The handle outlives it by a turn of the loop. */
struct watch {
    uv_poll_t *poll; /* NULL: there is none */
    int fd;
};

/* One process at a time asks: both of two would begin to serve with the same sockets. */
struct cvg_handover {
    uv_loop_t *loop;
    struct cvg_handover_host host;
    struct watch listener, peer;
    bool asked;  /* the peer wants the sockets */
    size_t sent; /* that many it has; one more than there are: it knows that these were all */
    char path[CVG_PATH_MAX];
    struct stat made; /* the path as we made it, to know it again */
};

static void free_poll(uv_handle_t *handle)
{
    free(handle);
}

static void unwatch(struct watch *watch)
{
    if (watch->poll == NULL)
        return;
    uv_close((uv_handle_t *)watch->poll, free_poll);
    close(watch->fd);
    watch->poll = NULL;
}

/* Takes the descriptor over on success. */
static enum cvg_error watch_start(struct cvg_handover *handover, int fd, struct watch *watch,
                                  uv_poll_cb ready)
{
    uv_poll_t *poll = calloc(1, sizeof(*poll));
    if (poll == NULL)
        return CVG_ERR_NOMEM;
    if (uv_poll_init(handover->loop, poll, fd) != 0) {
        free(poll);
        return CVG_ERR_IO;
    }
    poll->data = handover;
    *watch = (struct watch){.poll = poll, .fd = fd};
    (void)uv_poll_start(poll, UV_READABLE, ready);
    return CVG_OK;
}

static void give_up(struct cvg_handover *handover, const char *reason)
{
    cvg_log(CVG_LOG_WARNING, "another process asked for the sockets and then %s; going on", reason);
    unwatch(&handover->peer);
}

/* Sends what the peer has room for; the end after the last socket. */
static enum cvg_error send_more(struct cvg_handover *handover)
{
    const struct cvg_sockets *sockets = handover->host.sockets;
    enum cvg_error err = CVG_OK;
    while (err == CVG_OK && handover->sent <= sockets->count) {
        size_t sent = 1;
        err = handover->sent < sockets->count
                  ? cvg_handover_send_sockets(handover->peer.fd, sockets, handover->sent, &sent)
                  : cvg_handover_send(handover->peer.fd, 'E');
        if (err == CVG_OK)
            handover->sent += sent;
    }
    return err == CVG_ERR_BUSY ? CVG_OK : err;
}

/* What the peer says; *ret_ready if it is ready. */
static enum cvg_error listen_to(struct cvg_handover *handover, bool *ret_ready)
{
    char kind = 0;
    enum cvg_error err = cvg_handover_receive(handover->peer.fd, NULL, &kind);
    if (err == CVG_ERR_BUSY)
        return CVG_OK;
    if (err != CVG_OK)
        return err;
    if (kind == 'T' && !handover->asked)
        handover->asked = true;
    else if (kind == 'R' && handover->sent > handover->host.sockets->count)
        *ret_ready = true;
    else
        return CVG_ERR_PROTOCOL;
    return CVG_OK;
}

static void on_peer(uv_poll_t *poll, int status, int events)
{
    struct cvg_handover *handover = poll->data;
    bool ready = false;
    enum cvg_error err = status == 0 ? CVG_OK : CVG_ERR_UNREACHABLE;
    if (err == CVG_OK && (events & UV_READABLE) != 0)
        err = listen_to(handover, &ready);
    if (err == CVG_OK && handover->asked && !ready)
        err = send_more(handover);
    if (err != CVG_OK) {
        give_up(handover, err == CVG_ERR_UNREACHABLE ? "hung up" : cvg_strerror(err));
        return;
    }
    if (ready) {
        cvg_log(CVG_LOG_NOTICE, "another process has taken the sockets over");
        unwatch(&handover->peer);
        handover->host.taken(handover->host.user);
        return;
    }
    bool more = handover->asked && handover->sent <= handover->host.sockets->count;
    (void)uv_poll_start(poll, more ? UV_READABLE | UV_WRITABLE : UV_READABLE, on_peer);
}

/* Whether a process has asked already and still goes on. */
static bool is_busy(const struct cvg_handover *handover)
{
    char octet;
    if (handover->peer.poll == NULL || !handover->asked)
        return false;
    ssize_t n = recv(handover->peer.fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT);
    return n > 0 || (n < 0 && errno == EAGAIN);
}

static void on_listener(uv_poll_t *poll, int status, int events)
{
    struct cvg_handover *handover = poll->data;
    (void)events;
    int fd =
        status != 0 ? -1 : accept4(handover->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    if (!cvg_handover_peer_is_ours(fd)) {
        cvg_log(CVG_LOG_WARNING, "a process of another user asked for the sockets");
        close(fd);
        return;
    }
    if (is_busy(handover)) {
        cvg_log(CVG_LOG_WARNING, "a second process asked for the sockets and was turned away");
        close(fd);
        return;
    }
    if (handover->peer.poll != NULL)
        give_up(handover, "made room for another");
    handover->asked = false;
    handover->sent = 0;
    if (watch_start(handover, fd, &handover->peer, on_peer) != CVG_OK)
        close(fd);
}

/* Bound beside the path and moved into its place: at every moment somebody listens there. */
static enum cvg_error bind_at(const char *path, int fd, struct stat *ret_made, struct cvg_why *why)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int len = snprintf(address.sun_path, sizeof(address.sun_path), "%s.%ld", path, (long)getpid());
    if (len < 0 || (size_t)len >= sizeof(address.sun_path))
        return cvg_fail(why, CVG_ERR_RANGE, "control: %s is too long for a socket's path", path);
    (void)unlink(address.sun_path);
    /* The mode of the socket becomes the path's. */
    int result =
        fchmod(fd, 0600) == 0 ? bind(fd, (const struct sockaddr *)&address, sizeof(address)) : -1;
    int problem = errno;
    if (result == 0 && (listen(fd, 8) != 0 || lstat(address.sun_path, ret_made) != 0 ||
                        rename(address.sun_path, path) != 0)) {
        problem = errno;
        (void)unlink(address.sun_path);
        result = -1;
    }
    if (result != 0)
        return cvg_fail(why, CVG_ERR_IO, "control: %s: %s", path, strerror(problem));
    return CVG_OK;
}

enum cvg_error cvg_handover_new(uv_loop_t *loop, const char *path,
                                const struct cvg_handover_host *host,
                                struct cvg_handover **ret_handover, struct cvg_why *ret_why)
{
    struct cvg_handover *handover = calloc(1, sizeof(*handover));
    if (handover == NULL)
        return CVG_ERR_NOMEM;
    handover->loop = loop;
    handover->host = *host;
    snprintf(handover->path, sizeof(handover->path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    enum cvg_error err = fd < 0
                             ? cvg_fail(ret_why, CVG_ERR_IO, "control: socket: %s", strerror(errno))
                             : bind_at(path, fd, &handover->made, ret_why);
    if (err == CVG_OK)
        err = watch_start(handover, fd, &handover->listener, on_listener);
    if (err == CVG_OK) {
        *ret_handover = handover;
        return CVG_OK;
    }
    if (fd >= 0)
        close(fd);
    free(handover);
    return err;
}

void cvg_handover_free(struct cvg_handover *handover)
{
    struct stat now;
    if (handover == NULL)
        return;
    if (lstat(handover->path, &now) == 0 && now.st_dev == handover->made.st_dev &&
        now.st_ino == handover->made.st_ino)
        (void)unlink(handover->path);
    unwatch(&handover->peer);
    unwatch(&handover->listener);
    free(handover);
}
