/* SPDX-License-Identifier: MIT */
/* Connects, logs in, and pairs commands with replies by their order. */
#include "notary/redis-link.h"

#include <hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "notary/list.h"
#include "notary/redis-refusal.h"
#include "notary/redis-wire.h"

#define RETRY_FIRST_MS 100
#define RETRY_MAX_MS   5000
#define IDLE_MS        2000 /* without a command; then it is asked whether it lives */

struct command {
    struct cvg_link link;
    cvg_redis_done *done; /* NULL: our own */
    void *user;
    uint64_t deadline_ms; /* once sent */
    size_t len;
    char data[];
};

struct cvg_redis_link {
    uv_timer_t timer; /* first: casts */
    uv_loop_t *loop;
    struct cvg_redis_node node;
    const struct cvg_redis_login *login;
    cvg_redis_changed *changed;
    void *user;
    struct cvg_redis_wire *wire; /* NULL between two attempts */
    bool up;
    bool freed;
    unsigned failures;    /* since it was up */
    char told[128];       /* why it is away, as the log has it */
    uint64_t due_ms;      /* the deadline of connecting and logging in; the next attempt */
    uint64_t spoken_ms;   /* when it was last asked something */
    size_t count;         /* commands in the rings */
    struct cvg_link wait; /* until it is up */
    struct cvg_link sent; /* in the order in which replies come */
    struct cvg_link lost; /* whose connection has gone, to be told */
};

static void connect_now(struct cvg_redis_link *link);
static void on_timer(uv_timer_t *timer);

static struct command *first_of(struct cvg_link *ring)
{
    return cvg_list_empty(ring) ? NULL : CVG_CONTAINER_OF(ring->next, struct command, link);
}

/* Takes the command out and calls its done. */
static void finish(struct cvg_redis_link *link, struct command *command, enum cvg_error err,
                   const redisReply *reply)
{
    cvg_list_remove(&command->link);
    link->count--;
    cvg_redis_done *done = command->done;
    void *user = command->user;
    free(command);
    if (done != NULL)
        done(err, reply, user);
}

/* Wakes up at the next instant at which something is due. */
static void schedule(struct cvg_redis_link *link)
{
    if (link->freed)
        return;
    uint64_t now_ms = uv_now(link->loop), at_ms = link->due_ms;
    const struct command *head = first_of(&link->sent);
    if (link->up)
        at_ms = head != NULL ? head->deadline_ms : link->spoken_ms + IDLE_MS;
    uv_timer_start(&link->timer, on_timer, at_ms > now_ms ? at_ms - now_ms : 0, 0);
}

static void move_all(struct cvg_link *from, struct cvg_link *to)
{
    while (!cvg_list_empty(from)) {
        struct cvg_link *one = from->next;
        cvg_list_remove(one);
        cvg_list_push(to, one);
    }
}

/* Some time between the half and the whole of the interval: notaries that lost a server together
 * shall not come back together. */
static uint64_t retry_after(unsigned failures)
{
    uint8_t random = 0;
    uint64_t interval_ms = RETRY_FIRST_MS << (failures < 10 ? failures : 10);
    if (interval_ms > RETRY_MAX_MS)
        interval_ms = RETRY_MAX_MS;
    (void)uv_random(NULL, NULL, &random, sizeof(random), 0, NULL);
    return interval_ms / 2 + interval_ms / 2 * random / UINT8_MAX;
}

/* Each reason once, until the server is back. */
static void tell(struct cvg_redis_link *link, const char *reason)
{
    if (strncmp(link->told, reason, sizeof(link->told) - 1) == 0)
        return;
    snprintf(link->told, sizeof(link->told), "%s", reason);
    cvg_log(CVG_LOG_WARNING, "redis %s port %u is away: %s", link->node.host, link->node.port,
            link->told);
}

/* The connection is of no use: tells all who wait, and tries again later. */
static void lose(struct cvg_redis_link *link, const char *reason)
{
    tell(link, reason);
    cvg_redis_wire_free(link->wire);
    link->wire = NULL;
    link->up = false;
    link->due_ms = uv_now(link->loop) + retry_after(link->failures);
    link->failures++;
    move_all(&link->sent, &link->lost);
    move_all(&link->wait, &link->lost);
    schedule(link);
    while (!cvg_list_empty(&link->lost))
        finish(link, first_of(&link->lost), CVG_ERR_UNREACHABLE, NULL);
    if (!link->freed)
        link->changed(link, link->user);
}

static void on_lost(const char *reason, void *user)
{
    lose(user, reason);
}

/* Puts the command on the wire; the reply belongs to it. */
static bool transmit(struct cvg_redis_link *link, struct command *command)
{
    link->spoken_ms = uv_now(link->loop);
    command->deadline_ms = link->spoken_ms + link->login->timeout_ms;
    cvg_list_remove(&command->link);
    cvg_list_push(&link->sent, &command->link);
    return cvg_redis_wire_write(link->wire, command->data, command->len) == CVG_OK;
}

static struct command *enqueue(struct cvg_redis_link *link, const void *data, size_t len,
                               cvg_redis_done *done, void *user)
{
    struct command *command = malloc(sizeof(*command) + len);
    if (command == NULL)
        return NULL;
    memset(command, 0, sizeof(*command));
    command->done = done;
    command->user = user;
    command->len = len;
    memcpy(command->data, data, len);
    cvg_list_push(&link->wait, &command->link);
    link->count++;
    return command;
}

/* The login was taken: what has waited goes out. */
static void come_up(struct cvg_redis_link *link)
{
    if (link->failures > 0)
        cvg_log(CVG_LOG_NOTICE, "redis %s port %u answers", link->node.host, link->node.port);
    link->up = true;
    link->failures = 0;
    link->told[0] = '\0';
    while (!cvg_list_empty(&link->wait))
        if (!transmit(link, first_of(&link->wait))) {
            lose(link, "it cannot be written to");
            return;
        }
    schedule(link);
    link->changed(link, link->user);
}

/* The first reply: to AUTH, or to PING where no password is set. */
static void logged_in(enum cvg_error err, const redisReply *reply, void *user)
{
    struct cvg_redis_link *link = user;
    unsigned slot;
    struct cvg_redis_node node;
    if (err != CVG_OK)
        return;
    if (reply->type == REDIS_REPLY_STATUS) {
        come_up(link);
    } else if (reply->type != REDIS_REPLY_ERROR) {
        lose(link, "it answers another question");
    } else if (link->login->password[0] != '\0' ||
               cvg_redis_refusal(reply->str, reply->len, link->node.host, &slot, &node) ==
                   CVG_REDIS_DENIED) {
        char reason[160];
        snprintf(reason, sizeof(reason), "it refuses %s: %.100s",
                 link->login->password[0] != '\0' ? "redis_user or redis_password"
                                                  : "a client without redis_password",
                 reply->str);
        lose(link, reason);
    } else {
        come_up(link); /* LOADING, MASTERDOWN: it is there, and commands will be told the same */
    }
}

static void say_hello(void *user)
{
    struct cvg_redis_link *link = user;
    const struct cvg_redis_login *login = link->login;
    const char *argv[3] = {"PING"};
    int argc = 1;
    char *data = NULL;
    if (login->password[0] != '\0') {
        argv[0] = "AUTH";
        if (login->user[0] != '\0')
            argv[argc++] = login->user;
        argv[argc++] = login->password;
    }
    int len = redisFormatCommandArgv(&data, argc, argv, NULL);
    struct command *command = len < 0 ? NULL : enqueue(link, data, (size_t)len, logged_in, link);
    redisFreeCommand(data);
    if (command == NULL || !transmit(link, command))
        lose(link, "it cannot be written to");
}

static void on_reply(const redisReply *reply, void *user)
{
    struct cvg_redis_link *link = user;
    struct command *command = first_of(&link->sent);
    if (command == NULL) {
        lose(link, reply->type == REDIS_REPLY_ERROR ? reply->str : "it speaks without being asked");
        return;
    }
    finish(link, command, CVG_OK, reply);
    schedule(link);
}

static const struct cvg_redis_wire_calls calls = {say_hello, on_reply, on_lost};

static void connect_now(struct cvg_redis_link *link)
{
    link->due_ms = uv_now(link->loop) + link->login->timeout_ms;
    if (cvg_redis_wire_new(link->loop, &link->node, link->failures, &calls, link, &link->wire) !=
        CVG_OK)
        lose(link, "memory is exhausted");
    else
        schedule(link);
}

static void on_timer(uv_timer_t *timer)
{
    static const char ping[] = "*1\r\n$4\r\nPING\r\n";
    struct cvg_redis_link *link = (struct cvg_redis_link *)(void *)timer;
    uint64_t now_ms = uv_now(link->loop);
    const struct command *head = first_of(&link->sent);
    if (link->wire == NULL && now_ms >= link->due_ms) {
        connect_now(link);
    } else if ((!link->up && link->wire != NULL && now_ms >= link->due_ms) ||
               (link->up && head != NULL && now_ms >= head->deadline_ms)) {
        lose(link, "it does not answer in time");
    } else if (link->up && head == NULL && now_ms >= link->spoken_ms + IDLE_MS) {
        struct command *command = enqueue(link, ping, sizeof(ping) - 1, NULL, NULL);
        if (command == NULL || !transmit(link, command))
            lose(link, "it cannot be written to");
        else
            schedule(link);
    } else {
        schedule(link);
    }
}

enum cvg_error cvg_redis_link_new(uv_loop_t *loop, const struct cvg_redis_node *node,
                                  const struct cvg_redis_login *login, cvg_redis_changed *changed,
                                  void *user, struct cvg_redis_link **ret_link)
{
    struct cvg_redis_link *link = calloc(1, sizeof(*link));
    if (link == NULL)
        return CVG_ERR_NOMEM;
    link->loop = loop;
    link->node = *node;
    link->login = login;
    link->changed = changed;
    link->user = user;
    cvg_list_init(&link->wait);
    cvg_list_init(&link->sent);
    cvg_list_init(&link->lost);
    uv_timer_init(loop, &link->timer);
    uv_timer_start(&link->timer, on_timer, 0, 0); /* due at once: it connects from the loop */
    *ret_link = link;
    return CVG_OK;
}

static void drop_all(struct cvg_link *ring)
{
    while (!cvg_list_empty(ring)) {
        struct command *command = first_of(ring);
        cvg_list_remove(&command->link);
        free(command);
    }
}

static void closed(uv_handle_t *handle)
{
    free(handle);
}

void cvg_redis_link_free(struct cvg_redis_link *link)
{
    if (link == NULL)
        return;
    link->freed = true;
    cvg_redis_wire_free(link->wire);
    link->wire = NULL;
    drop_all(&link->wait);
    drop_all(&link->sent);
    drop_all(&link->lost);
    uv_close((uv_handle_t *)&link->timer, closed);
}

enum cvg_error cvg_redis_link_send(struct cvg_redis_link *link, const void *command, size_t len,
                                   cvg_redis_done *done, void *user)
{
    if (!link->up && link->failures > 0)
        return CVG_ERR_UNREACHABLE;
    if (link->count >= CVG_REDIS_COMMANDS_MAX)
        return CVG_ERR_BUSY;
    struct command *one = enqueue(link, command, len, done, user);
    if (one == NULL)
        return CVG_ERR_NOMEM;
    /* A connection that cannot be written to any more is told of by reading, or by the deadline. */
    if (link->up)
        (void)transmit(link, one);
    schedule(link);
    return CVG_OK;
}

bool cvg_redis_link_up(const struct cvg_redis_link *link)
{
    return link->up;
}

bool cvg_redis_link_away(const struct cvg_redis_link *link)
{
    return !link->up && link->failures > 0;
}

size_t cvg_redis_link_busy(const struct cvg_redis_link *link)
{
    return link->count;
}

const struct cvg_redis_node *cvg_redis_link_node(const struct cvg_redis_link *link)
{
    return &link->node;
}
