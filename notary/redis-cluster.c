/* SPDX-License-Identifier: MIT */
/* Requests and the redirections that they meet. Who has which slot is redis-nodes' business. */
#include "notary/redis-cluster.h"

#include <hiredis.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "notary/list.h"
#include "notary/redis-nodes.h"
#include "notary/redis-refusal.h"

#define REDIRECTIONS_MAX 8
#define WORDS_MAX        16
#define AGAIN_MS         100  /* until a request that could not be done is tried again */
#define SETTLE_MS        2000 /* for the first answer of all, where there is no patience */

struct cvg_redis {
    uv_timer_t timer; /* first: casts */
    uv_loop_t *loop;
    struct cvg_redis_nodes *nodes;
    struct cvg_link all;   /* requests, but for those of the round */
    struct cvg_link round; /* that are about to be tried again */
    size_t parked;         /* of them, those that wait for their next try */
    bool denied_told;      /* once: it would be said at every command */
    bool freed;
};

struct request {
    struct cvg_link link;
    struct cvg_redis *redis;
    unsigned slot;
    unsigned redirections;
    bool parked;
    bool patient;
    uint64_t deadline_ms;
    struct cvg_redis_link *asked; /* valid while the command is under way there */
    cvg_redis_done *done;
    void *user;
    char *data;
    size_t len;
};

static void on_reply(enum cvg_error err, const redisReply *reply, void *user);

static void finish(struct request *request, enum cvg_error err, const redisReply *reply)
{
    cvg_redis_done *done = request->done;
    void *user = request->user;
    cvg_list_remove(&request->link);
    if (request->parked)
        request->redis->parked--;
    redisFreeCommand(request->data);
    free(request);
    done(err, reply, user);
}

static void on_timer(uv_timer_t *timer);

/* It cannot be done now: later, or never. */
static void park(struct request *request)
{
    struct cvg_redis *redis = request->redis;
    cvg_redis_nodes_doubt(redis->nodes);
    if ((!request->patient && cvg_redis_nodes_settled(redis->nodes)) ||
        uv_now(redis->loop) + AGAIN_MS > request->deadline_ms) {
        finish(request, CVG_ERR_UNREACHABLE, NULL);
        return;
    }
    request->parked = true;
    redis->parked++;
    if (!uv_is_active((uv_handle_t *)&redis->timer))
        uv_timer_start(&redis->timer, on_timer, AGAIN_MS, AGAIN_MS);
}

static void send_to(struct request *request, struct cvg_redis_link *link)
{
    request->asked = link;
    if (link == NULL ||
        cvg_redis_link_send(link, request->data, request->len, on_reply, request) != CVG_OK)
        park(request);
}

static void dispatch(struct request *request)
{
    send_to(request, cvg_redis_nodes_owner(request->redis->nodes, request->slot));
}

/* Requests come and go while done is called, so those of this round are set apart first; what is
 * parked anew waits for the next. */
static void on_timer(uv_timer_t *timer)
{
    struct cvg_redis *redis = (struct cvg_redis *)(void *)timer;
    for (struct cvg_link *at = redis->all.next, *next; at != &redis->all; at = next) {
        next = at->next;
        if (CVG_CONTAINER_OF(at, struct request, link)->parked) {
            cvg_list_remove(at);
            cvg_list_push(&redis->round, at);
        }
    }
    while (!cvg_list_empty(&redis->round)) {
        struct request *request = CVG_CONTAINER_OF(redis->round.next, struct request, link);
        cvg_list_remove(&request->link);
        cvg_list_push(&redis->all, &request->link);
        request->parked = false;
        redis->parked--;
        dispatch(request);
    }
    if (!redis->freed && redis->parked == 0)
        uv_timer_stop(&redis->timer);
}

static void ignore(enum cvg_error err, const redisReply *reply, void *user)
{
    (void)err;
    (void)reply;
    (void)user;
}

/* To the server that a redirection names. MOVED holds from now on, ASK only this once. */
static void redirect(struct request *request, enum cvg_redis_refusal refusal,
                     const struct cvg_redis_node *node)
{
    static const char asking[] = "*1\r\n$6\r\nASKING\r\n";
    struct cvg_redis *redis = request->redis;
    if (++request->redirections > REDIRECTIONS_MAX) {
        request->redirections = 0;
        park(request);
        return;
    }
    struct cvg_redis_link *link = cvg_redis_nodes_at(redis->nodes, node);
    if (refusal == CVG_REDIS_MOVED) {
        cvg_redis_nodes_moved(redis->nodes, request->slot, node);
    } else if (link != NULL &&
               cvg_redis_link_send(link, asking, sizeof(asking) - 1, ignore, NULL) != CVG_OK) {
        link = NULL;
    }
    send_to(request, link);
}

static void denied(struct cvg_redis *redis, const redisReply *reply)
{
    if (!redis->denied_told)
        cvg_log(CVG_LOG_ERROR, "redis refuses redis_user a command: %s", reply->str);
    redis->denied_told = true;
}

static void refused(struct request *request, const redisReply *reply)
{
    struct cvg_redis *redis = request->redis;
    unsigned slot = CVG_REDIS_SLOTS;
    struct cvg_redis_node node;
    const char *asked = cvg_redis_link_node(request->asked)->host;
    enum cvg_redis_refusal refusal = cvg_redis_refusal(reply->str, reply->len, asked, &slot, &node);
    switch (refusal) {
    case CVG_REDIS_MOVED:
    case CVG_REDIS_ASK:
        if (slot == request->slot)
            redirect(request, refusal, &node);
        else
            park(request);
        break;
    case CVG_REDIS_READONLY:
        cvg_redis_nodes_replica(redis->nodes, request->asked);
        park(request);
        break;
    case CVG_REDIS_LATER:
        park(request);
        break;
    case CVG_REDIS_DENIED:
        denied(redis, reply);
        finish(request, CVG_ERR_UNREACHABLE, NULL);
        break;
    case CVG_REDIS_OTHER:
    case CVG_REDIS_NO_CLUSTER:
    case CVG_REDIS_NO_SCRIPT:
    case CVG_REDIS_WRONG_TYPE:
        finish(request, CVG_OK, reply);
        break;
    }
}

static void on_reply(enum cvg_error err, const redisReply *reply, void *user)
{
    struct request *request = user;
    if (err != CVG_OK) {
        park(request);
    } else if (reply->type == REDIS_REPLY_ERROR) {
        refused(request, reply);
    } else {
        request->redis->denied_told = false;
        finish(request, CVG_OK, reply);
    }
}

enum cvg_error cvg_redis_new(uv_loop_t *loop, const struct cvg_redis_node *server, size_t count,
                             const struct cvg_redis_login *login, struct cvg_redis **ret_redis)
{
    struct cvg_redis *redis = calloc(1, sizeof(*redis));
    if (redis == NULL)
        return CVG_ERR_NOMEM;
    enum cvg_error err = cvg_redis_nodes_new(loop, server, count, login, &redis->nodes);
    if (err != CVG_OK) {
        free(redis);
        return err;
    }
    redis->loop = loop;
    cvg_list_init(&redis->all);
    cvg_list_init(&redis->round);
    uv_timer_init(loop, &redis->timer);
    *ret_redis = redis;
    return CVG_OK;
}

static void closed(uv_handle_t *handle)
{
    free(handle);
}

static void drop_all(struct cvg_link *ring)
{
    while (!cvg_list_empty(ring)) {
        struct request *request = CVG_CONTAINER_OF(ring->next, struct request, link);
        cvg_list_remove(&request->link);
        redisFreeCommand(request->data);
        free(request);
    }
}

void cvg_redis_free(struct cvg_redis *redis)
{
    if (redis == NULL)
        return;
    redis->freed = true;
    cvg_redis_nodes_free(redis->nodes);
    drop_all(&redis->all);
    drop_all(&redis->round);
    uv_close((uv_handle_t *)&redis->timer, closed);
}

/* The command in Redis' form; NULL without memory. */
static char *format(const struct cvg_redis_word *word, size_t count, size_t *ret_len)
{
    const char *argv[WORDS_MAX];
    size_t argv_len[WORDS_MAX];
    char *data = NULL;
    for (size_t i = 0; i < count && i < WORDS_MAX; i++) {
        argv[i] = word[i].data;
        argv_len[i] = word[i].len;
    }
    int len = count > WORDS_MAX ? -1 : redisFormatCommandArgv(&data, (int)count, argv, argv_len);
    if (len < 0)
        return NULL;
    *ret_len = (size_t)len;
    return data;
}

void cvg_redis_call(struct cvg_redis *redis, const struct cvg_redis_word *key,
                    const struct cvg_redis_word *word, size_t count, unsigned patience_ms,
                    cvg_redis_done *done, void *user)
{
    struct request *request = calloc(1, sizeof(*request));
    if (request != NULL)
        request->data = format(word, count, &request->len);
    if (request == NULL || request->data == NULL) {
        free(request);
        done(CVG_ERR_UNREACHABLE, NULL, user);
        return;
    }
    request->redis = redis;
    request->slot = cvg_redis_slot(key->data, key->len);
    request->patient = patience_ms > 0;
    request->deadline_ms = uv_now(redis->loop) + (patience_ms > 0 ? patience_ms : SETTLE_MS);
    request->done = done;
    request->user = user;
    cvg_list_push(&redis->all, &request->link);
    dispatch(request);
}

static void count_wait(struct cvg_redis_wait *wait, bool held)
{
    wait->failed = wait->failed || !held;
    if (--wait->pending == 0)
        wait->done(!wait->failed, wait->user);
}

static void on_wait(enum cvg_error err, const redisReply *reply, void *user)
{
    struct cvg_redis_wait *wait = user;
    count_wait(wait, err == CVG_OK && reply->type == REDIS_REPLY_INTEGER &&
                         reply->integer >= (long long)wait->replicas);
}

void cvg_redis_wait(struct cvg_redis *redis, unsigned timeout_ms, struct cvg_redis_wait *wait)
{
    struct cvg_redis_link *master[CVG_REDIS_NODES_MAX];
    size_t count = cvg_redis_nodes_masters(redis->nodes, master, CVG_REDIS_NODES_MAX);
    char *data = NULL;
    int len = redisFormatCommand(&data, "WAIT %u %u", wait->replicas, timeout_ms);
    wait->pending = count + 1; /* one for ourselves, so that done comes after the last is sent */
    wait->failed = len < 0 || count == 0;
    for (size_t i = 0; i < count; i++)
        if (len < 0 || cvg_redis_link_send(master[i], data, (size_t)len, on_wait, wait) != CVG_OK)
            count_wait(wait, false);
    redisFreeCommand(data);
    count_wait(wait, true);
}

unsigned cvg_redis_losses(const struct cvg_redis *redis)
{
    return cvg_redis_nodes_losses(redis->nodes);
}

bool cvg_redis_up(const struct cvg_redis *redis)
{
    return cvg_redis_nodes_up(redis->nodes);
}
