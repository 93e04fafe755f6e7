/* SPDX-License-Identifier: MIT */
/* Absorbing against a Redis of a few lines: memory runs out at every place, servers answer what
 * they like, and at no time is anything lost that was there, or said to be there that is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/log.h"
#include "notary/observations.h"
#include "notary/redis-absorb.h"

static const char pem[] = "-----BEGIN PRIVATE KEY-----\n"
                          "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
                          "-----END PRIVATE KEY-----\n";

#define TARGETS 4 /* "a" to "d" */

static struct cvg_record_keys *keys;
static struct cvg_metrics metrics;
static char path[64];

/* What Redis has, and how it behaves. */
static struct {
    struct cvg_buffer value[TARGETS];
    bool knows_script;
    bool always_another; /* what it has is never what was expected */
    const redisReply *instead;
    unsigned calls;
} redis;

static int allocations_left = -1; /* the one after these fails; below 0: none does */

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void __wrap_cvg_redis_call(struct cvg_redis *at, const struct cvg_redis_word *key,
                           const struct cvg_redis_word *word, size_t count, unsigned patience_ms,
                           cvg_redis_done *done, void *user);
void __wrap_cvg_redis_wait(struct cvg_redis *at, unsigned timeout_ms, struct cvg_redis_wait *wait);
unsigned __wrap_cvg_redis_losses(const struct cvg_redis *at);

static bool allocation_fails(void)
{
    return allocations_left >= 0 && allocations_left-- == 0;
}

void *__wrap_malloc(size_t size)
{
    return allocation_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return allocation_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return allocation_fails() ? NULL : __real_realloc(memory, size);
}

static void store(size_t target, const void *octets, size_t len)
{
    cvg_buffer_clear(&redis.value[target]);
    assert_int_equal(cvg_buffer_put(&redis.value[target], octets, len), CVG_OK);
}

/* The script. word: EVAL or EVALSHA, the script, "1", key, expected, new value, lifetime. */
static redisReply run_script(const struct cvg_redis_word *word)
{
    static char no_script[] = "NOSCRIPT No matching script.";
    size_t target = (size_t)(((const char *)word[3].data)[word[3].len - 1] - 'a');
    struct cvg_buffer *has = &redis.value[target];
    assert_true(target < TARGETS);
    if (strcmp(word[0].data, "EVAL") != 0 && !redis.knows_script)
        return (redisReply){
            .type = REDIS_REPLY_ERROR, .str = no_script, .len = sizeof(no_script) - 1};
    redis.knows_script = true;
    if (redis.always_another)
        store(target, &redis.calls, sizeof(redis.calls));
    if (has->len != word[4].len || (has->len > 0 && memcmp(has->data, word[4].data, has->len) != 0))
        return (redisReply){.type = REDIS_REPLY_STRING, .str = (char *)has->data, .len = has->len};
    store(target, word[5].data, word[5].len);
    return (redisReply){.type = REDIS_REPLY_INTEGER, .integer = 1};
}

void __wrap_cvg_redis_call(struct cvg_redis *at, const struct cvg_redis_word *key,
                           const struct cvg_redis_word *word, size_t count, unsigned patience_ms,
                           cvg_redis_done *done, void *user)
{
    static char empty[1];
    struct cvg_buffer copy;
    int left = allocations_left;
    (void)at;
    (void)patience_ms;
    assert_int_equal(count, 7);
    assert_ptr_equal(key, &word[3]);
    allocations_left = -1;
    redis.calls++;
    redisReply reply = redis.instead != NULL ? *redis.instead : run_script(word);
    cvg_buffer_init(&copy, CVG_RECORD_MAX + 2);
    if (reply.type == REDIS_REPLY_STRING) {
        assert_int_equal(cvg_buffer_put(&copy, reply.str == NULL ? "" : reply.str, reply.len),
                         CVG_OK);
        reply.str = copy.data == NULL ? empty : (char *)copy.data;
    }
    allocations_left = left;
    done(CVG_OK, &reply, user);
    cvg_buffer_free(&copy);
}

void __wrap_cvg_redis_wait(struct cvg_redis *at, unsigned timeout_ms, struct cvg_redis_wait *wait)
{
    (void)at;
    (void)timeout_ms;
    wait->done(true, wait->user);
}

unsigned __wrap_cvg_redis_losses(const struct cvg_redis *at)
{
    (void)at;
    return 0;
}

static int set_up(void **state)
{
    struct cvg_signing_key *key = NULL;
    (void)state;
    memset(&redis, 0, sizeof(redis));
    memset(&metrics, 0, sizeof(metrics));
    for (size_t i = 0; i < TARGETS; i++)
        cvg_buffer_init(&redis.value[i], CVG_RECORD_MAX);
    strcpy(path, "/tmp/converge-absorb-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    cvg_log_set_handler(NULL, CVG_LOG_ERROR, NULL);
    assert_int_equal(cvg_signing_key_parse(pem, sizeof(pem) - 1, &key, NULL), CVG_OK);
    const struct cvg_record_sources sources = {.key = key, .path = "/nonexistent/key"};
    assert_int_equal(cvg_record_keys_new(&sources, &keys, NULL), CVG_OK);
    cvg_signing_key_free(key);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < TARGETS; i++)
        cvg_buffer_free(&redis.value[i]);
    cvg_record_keys_free(keys);
    return unlink(path);
}

static struct cvg_segment *segment_new(void)
{
    struct cvg_segment *segment = NULL;
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(cvg_segment_open(path, &segment, NULL), CVG_OK);
    return segment;
}

/* That certificate was seen at the target just now. */
static void add(struct cvg_segment *segment, const char *target, uint8_t certificate)
{
    struct cvg_observations seen = {.count = 0};
    struct cvg_leaf leaf = {.key_type = CVG_KEY_EC};
    const struct cvg_address address = {.family = 4, .bytes = {192, 0, 2, 1}};
    struct cvg_buffer value;
    uint64_t at;
    memset(leaf.sha256, certificate, sizeof(leaf.sha256));
    cvg_buffer_init(&value, CVG_VALUE_MAX);
    assert_int_equal(cvg_observations_add(&seen, &leaf, &address, (int64_t)time(NULL)), CVG_OK);
    assert_int_equal(cvg_observations_write(&seen, &value), CVG_OK);
    assert_int_equal(
        cvg_segment_append(segment, target, strlen(target), value.data, value.len, &at), CVG_OK);
    cvg_buffer_free(&value);
    cvg_observations_free(&seen);
}

struct outcome {
    int count;
    enum cvg_error err;
};

static void on_done(enum cvg_error err, void *user)
{
    struct outcome *outcome = user;
    outcome->count++;
    outcome->err = err;
}

/* The segment is used up. */
static enum cvg_error absorb(struct cvg_segment *segment, int allocations, unsigned replicas)
{
    struct cvg_redis_absorb *under_way = NULL;
    struct outcome outcome = {.count = 0};
    const struct cvg_redis_absorb_parts parts = {
        .keys = keys,
        .metrics = &metrics,
        .prefix = "converge/",
        .forget_after_s = 86400,
        .wait_replicas = replicas,
    };
    cvg_segment_seal(segment);
    allocations_left = allocations;
    cvg_redis_absorb_start(&parts, segment, on_done, &outcome, &under_way);
    assert_int_equal(outcome.count, 1);
    assert_null(under_way);
    cvg_segment_free(segment);
    return outcome.err;
}

/* How many certificates Redis has of the target; -1: nothing that may be believed. */
static int certificates(const char *target)
{
    const struct cvg_buffer *record = &redis.value[*target - 'a'];
    struct cvg_observations seen = {.count = 0};
    const void *value = NULL;
    size_t len = 0;
    if (record->len == 0 || cvg_record_open(keys, target, strlen(target), record->data, record->len,
                                            &value, &len) != CVG_OK)
        return -1;
    assert_int_equal(cvg_observations_parse(value, len, &seen), CVG_OK);
    int count = (int)seen.count;
    cvg_observations_free(&seen);
    return count;
}

/* "a" and "b" have a certificate, "c" something that is no record, "d" nothing. */
static void fill(void)
{
    struct cvg_segment *segment = segment_new();
    for (size_t i = 0; i < TARGETS; i++)
        cvg_buffer_clear(&redis.value[i]);
    add(segment, "a", 1);
    add(segment, "b", 1);
    assert_int_equal(absorb(segment, -1, 0), CVG_OK);
    store(2, "rubbish", 7);
    redis.knows_script = false;
}

static void no_memory(void **state)
{
    int failed = 0, n = 0;
    bool was_reached = true;
    (void)state;
    for (; was_reached; n++) {
        fill();
        struct cvg_segment *segment = segment_new();
        add(segment, "a", 2);
        add(segment, "b", 1);
        add(segment, "c", 1);
        add(segment, "d", 1);
        add(segment, "d", 2);
        enum cvg_error err = absorb(segment, n, n % 2 == 0 ? 0 : 1);
        was_reached = allocations_left < 0;
        allocations_left = -1;
        failed += err != CVG_OK;
        if (err == CVG_OK) {
            assert_int_equal(certificates("a"), 2);
            assert_int_equal(certificates("c"), 1);
            assert_int_equal(certificates("d"), 1);
        } else {
            assert_int_equal(err, CVG_ERR_IO);
            assert_in_range(certificates("a"), 1, 2);
        }
        assert_int_equal(certificates("b"), 1);
    }
    assert_true(failed > 50);
}

/* Others change the same key faster than we: it is given up, and tried again later. */
static void always_another(void **state)
{
    struct cvg_segment *segment = segment_new();
    (void)state;
    redis.always_another = true;
    add(segment, "a", 1);
    assert_int_equal(absorb(segment, -1, 0), CVG_ERR_IO);
    assert_in_range(redis.calls, 2, 32);
}

/* No answer but the script's own says that a record is there. */
static void answers_to_another_question(void **state)
{
    static char ok[] = "OK", one[] = "1", error[] = "ERR no", no_script[] = "NOSCRIPT again";
    static char longest[CVG_RECORD_MAX + 2];
    const redisReply replies[] = {
        {.type = REDIS_REPLY_INTEGER, .integer = 0},
        {.type = REDIS_REPLY_INTEGER, .integer = 2},
        {.type = REDIS_REPLY_STATUS, .str = ok, .len = 2},
        {.type = REDIS_REPLY_NIL},
        {.type = REDIS_REPLY_ARRAY},
        {.type = REDIS_REPLY_STRING, .str = one, .len = 1},
        {.type = REDIS_REPLY_STRING, .str = longest, .len = sizeof(longest)},
        {.type = REDIS_REPLY_ERROR, .str = error, .len = sizeof(error) - 1},
        {.type = REDIS_REPLY_ERROR, .str = no_script, .len = sizeof(no_script) - 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        struct cvg_segment *segment = segment_new();
        redis.instead = &replies[i];
        redis.calls = 0;
        add(segment, "a", 1);
        add(segment, "b", 1);
        assert_int_equal(absorb(segment, -1, 0), CVG_ERR_IO);
        assert_in_range(redis.calls, 1, 64);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_memory),
        TEST(always_another),
        TEST(answers_to_another_question),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
