/* SPDX-License-Identifier: MIT */
/* Looks records up in Redis and checks them; absorbing is redis-absorb's. */
#include "notary/backend-redis.h"

#include <hiredis.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "notary/list.h"
#include "notary/redis-absorb.h"
#include "notary/redis-refusal.h"
#include "notary/table.h"

#define TIMEOUT_MS     1000 /* of a connection and of a command */
#define PASSWORD_MAX   512
#define PORTION_OCTETS (UINT64_C(1) << 18)
#define PORTION_MS     1000

struct cvg_backend_redis {
    struct cvg_backend backend; /* first: casts */
    struct cvg_redis *redis;
    struct cvg_redis_login login;
    struct cvg_record_keys *keys; /* borrowed */
    struct cvg_metrics *metrics;
    struct cvg_link gets;
    struct cvg_redis_absorb *absorb; /* NULL: none is under way */
    struct cvg_buffer password;
    char user[CVG_MESSAGE_NAME_MAX];
    char prefix[CVG_MESSAGE_NAME_MAX];
    int64_t forget_after_s;
    unsigned wait_replicas;
};

struct get {
    struct cvg_link link;
    struct cvg_backend_redis *redis;
    cvg_backend_got *done;
    void *user;
    size_t key_len;
    uint8_t key[];
};

static struct cvg_backend_redis *redis_of(struct cvg_backend *backend)
{
    return (struct cvg_backend_redis *)(void *)backend;
}

static void finish_get(struct get *get, enum cvg_error err, const void *value, size_t len)
{
    if (err == CVG_ERR_SIGNATURE)
        cvg_metrics_add(get->redis->metrics, CVG_METRIC_STORE_REJECTED, 1);
    cvg_list_remove(&get->link);
    get->done(err, value, len, get->user);
    free(get);
}

static bool is_wrong_type(const redisReply *reply)
{
    unsigned slot;
    struct cvg_redis_node node;
    return reply->type == REDIS_REPLY_ERROR &&
           cvg_redis_refusal(reply->str, reply->len, "", &slot, &node) == CVG_REDIS_WRONG_TYPE;
}

static void on_value(enum cvg_error err, const redisReply *reply, void *user)
{
    struct get *get = user;
    const void *value = NULL;
    size_t len = 0;
    if (err != CVG_OK)
        err = CVG_ERR_IO;
    else if (is_wrong_type(reply))
        err = CVG_ERR_SIGNATURE;
    else if (reply->type != REDIS_REPLY_STRING)
        err = CVG_ERR_IO;
    else if (reply->len == 0)
        err = CVG_ERR_NOT_FOUND;
    else
        err = cvg_record_open(get->redis->keys, get->key, get->key_len, reply->str, reply->len,
                              &value, &len);
    finish_get(get, err, value, len);
}

/* GETRANGE rather than GET: whoever else may write to Redis chooses how long values are. */
static void redis_get(struct cvg_backend *backend, const void *key, size_t key_len,
                      cvg_backend_got *done, void *user)
{
    struct cvg_backend_redis *redis = redis_of(backend);
    struct get *get = calloc(1, sizeof(*get) + key_len);
    struct cvg_buffer name;
    if (get == NULL || cvg_redis_key(redis->prefix, key, key_len, &name) != CVG_OK) {
        free(get);
        done(CVG_ERR_IO, NULL, 0, user);
        return;
    }
    get->redis = redis;
    get->done = done;
    get->user = user;
    get->key_len = key_len;
    memcpy(get->key, key, key_len);
    cvg_list_push(&redis->gets, &get->link);
    const struct cvg_redis_word word[] = {
        {"GETRANGE", 8},
        {name.data, name.len},
        {"0", 1},
        {CVG_RECORD_LAST, sizeof(CVG_RECORD_LAST) - 1},
    };
    cvg_redis_call(redis->redis, &word[1], word, sizeof(word) / sizeof(word[0]), 0, on_value, get);
    cvg_buffer_free(&name);
}

static void redis_absorb(struct cvg_backend *backend, const struct cvg_segment *segment,
                         cvg_backend_absorbed *done, void *user)
{
    struct cvg_backend_redis *redis = redis_of(backend);
    const struct cvg_redis_absorb_parts parts = {
        .redis = redis->redis,
        .keys = redis->keys,
        .metrics = redis->metrics,
        .prefix = redis->prefix,
        .forget_after_s = redis->forget_after_s,
        .wait_replicas = redis->wait_replicas,
    };
    cvg_redis_absorb_start(&parts, segment, done, user, &redis->absorb);
}

static void redis_portion(const struct cvg_backend *backend, uint64_t *ret_octets,
                          uint64_t *ret_age_ms)
{
    (void)backend;
    *ret_octets = PORTION_OCTETS;
    *ret_age_ms = PORTION_MS;
}

static bool redis_is_up(const struct cvg_backend *backend)
{
    return cvg_redis_up(((const struct cvg_backend_redis *)(const void *)backend)->redis);
}

/* Redis may hold much else, and counting our keys would be reading them all. */
static uint64_t redis_count(const struct cvg_backend *backend)
{
    (void)backend;
    return 0;
}

static void redis_free(struct cvg_backend *backend)
{
    struct cvg_backend_redis *redis = redis_of(backend);
    cvg_redis_free(redis->redis);
    cvg_redis_absorb_free(redis->absorb);
    while (!cvg_list_empty(&redis->gets)) {
        struct get *get = CVG_CONTAINER_OF(redis->gets.next, struct get, link);
        cvg_list_remove(&get->link);
        free(get);
    }
    if (redis->password.data != NULL)
        OPENSSL_cleanse(redis->password.data, redis->password.len);
    cvg_buffer_free(&redis->password);
    free(redis);
}

/* The file's first line. */
static enum cvg_error read_password(struct cvg_backend_redis *redis, const char *path,
                                    struct cvg_why *why)
{
    if (*path == '\0')
        return CVG_OK;
    enum cvg_error err = cvg_file_read(path, geteuid(), PASSWORD_MAX, false, &redis->password, why);
    if (err != CVG_OK)
        return err;
    char *text = (char *)redis->password.data;
    if (text != NULL)
        text[strcspn(text, "\r\n")] = '\0';
    return text != NULL && *text != '\0'
               ? CVG_OK
               : cvg_fail(why, CVG_ERR_CONFIG, "%s: the password is empty", path);
}

static enum cvg_error begin(struct cvg_backend_redis *redis, uv_loop_t *loop,
                            const struct cvg_settings *settings, struct cvg_why *why)
{
    enum cvg_error err = read_password(redis, settings->redis_password, why);
    if (err != CVG_OK)
        return err;
    strcpy(redis->user, settings->redis_user);
    strcpy(redis->prefix, settings->redis_prefix);
    redis->forget_after_s = (int64_t)settings->forget_after_s;
    redis->wait_replicas = settings->redis_wait_replicas;
    redis->login = (struct cvg_redis_login){
        .user = redis->user,
        .password = redis->password.data == NULL ? "" : (const char *)redis->password.data,
        .timeout_ms = TIMEOUT_MS,
    };
    return cvg_redis_new(loop, settings->redis.server, settings->redis.count, &redis->login,
                         &redis->redis);
}

enum cvg_error cvg_backend_redis_new(uv_loop_t *loop, const struct cvg_settings *settings,
                                     struct cvg_record_keys *keys, struct cvg_metrics *metrics,
                                     struct cvg_backend **ret_backend, struct cvg_why *ret_why)
{
    struct cvg_backend_redis *redis = calloc(1, sizeof(*redis));
    if (redis == NULL)
        return CVG_ERR_NOMEM;
    redis->backend = (struct cvg_backend){
        .name = "redis",
        .get = redis_get,
        .absorb = redis_absorb,
        .portion = redis_portion,
        .is_up = redis_is_up,
        .count = redis_count,
        .free = redis_free,
    };
    redis->keys = keys;
    redis->metrics = metrics;
    cvg_list_init(&redis->gets);
    enum cvg_error err = begin(redis, loop, settings, ret_why);
    if (err != CVG_OK) {
        redis_free(&redis->backend);
        return err;
    }
    *ret_backend = &redis->backend;
    return CVG_OK;
}
