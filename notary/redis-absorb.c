/* SPDX-License-Identifier: MIT */
/* A job for each key of the segment. A job offers its record on the condition that Redis has what
 * it was made from (at first nothing); otherwise Redis says what it has, and the job merges and
 * offers again. A command whose fate is unknown is simply sent again: what was stored by it is then
 * what Redis has. */
#include "notary/redis-absorb.h"

#include <hiredis.h>
#include <openssl/evp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/log.h"
#include "common/protocol/digest.h"
#include "notary/list.h"
#include "notary/redis-value.h"
#include "notary/table.h"

#define UNDER_WAY_MAX 64
#define WAIT_MS       500      /* for replicas; less than a command may take */
#define ROUNDS_MAX    16       /* of one job: others may change the same key meanwhile */
#define PATIENCE_MS   UINT_MAX /* while the store is away, the segment waits */

/* KEYS: the key. ARGV: what it shall have (empty: nothing), what it then gets, for how many
 * milliseconds. A key of another type counts as nothing, and goes. */
static const char script[] =
    "local present = redis.pcall('GETRANGE', KEYS[1], 0, " CVG_RECORD_LAST ")\n"
    "if type(present) == 'table' then redis.call('DEL', KEYS[1]) present = '' end\n"
    "if present ~= ARGV[1] then return present end\n"
    "redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])\n"
    "return 1\n";

struct job {
    struct cvg_node node; /* in the table, by key */
    struct cvg_link link; /* in the ring of those that wait, or of those under way */
    struct cvg_redis_absorb *absorb;
    uint64_t at; /* the key's newest record in the segment */
    unsigned rounds;
    struct cvg_buffer expected; /* what Redis has, as far as is known */
    struct cvg_buffer value;    /* what it shall have */
    size_t key_len;
    uint8_t key[];
};

struct cvg_redis_absorb {
    struct cvg_redis_absorb_parts parts;
    const struct cvg_segment *segment;
    cvg_backend_absorbed *done;
    void *user;
    struct cvg_redis_absorb **owner; /* whose pointer is cleared at the end */
    struct cvg_table *table;
    struct cvg_link waiting, under_way;
    size_t count;    /* under way */
    bool failed;     /* nothing new is begun */
    bool told;       /* why, once */
    bool whole;      /* EVAL, not EVALSHA: some server does not have the script */
    bool waited;     /* for replicas */
    bool busy;       /* in pump, or in an answer that will call it */
    unsigned losses; /* of servers, when it began */
    struct cvg_redis_wait wait;
    char digest[2 * CVG_SHA1_LEN + 1];
};

static void on_answer(enum cvg_error err, const redisReply *reply, void *user);

enum cvg_error cvg_redis_key(const char *prefix, const void *key, size_t key_len,
                             struct cvg_buffer *ret_word)
{
    cvg_buffer_init(ret_word, CVG_MESSAGE_NAME_MAX + CVG_KEY_MAX);
    cvg_buffer_put_text(ret_word, prefix);
    return cvg_buffer_put(ret_word, key, key_len);
}

static void job_free(struct job *job)
{
    cvg_list_remove(&job->link);
    cvg_buffer_free(&job->expected);
    cvg_buffer_free(&job->value);
    free(job);
}

void cvg_redis_absorb_free(struct cvg_redis_absorb *absorb)
{
    if (absorb == NULL)
        return;
    while (!cvg_list_empty(&absorb->waiting))
        job_free(CVG_CONTAINER_OF(absorb->waiting.next, struct job, link));
    while (!cvg_list_empty(&absorb->under_way))
        job_free(CVG_CONTAINER_OF(absorb->under_way.next, struct job, link));
    cvg_table_free(absorb->table);
    free(absorb);
}

static void fail(struct cvg_redis_absorb *absorb, const char *why)
{
    if (!absorb->told && why != NULL)
        cvg_log(CVG_LOG_WARNING, "redis does not take a record: %s", why);
    absorb->told = absorb->told || why != NULL;
    absorb->failed = true;
}

static void end_job(struct job *job)
{
    job->absorb->count--;
    job_free(job);
}

static int64_t now_s(void)
{
    return (int64_t)time(NULL);
}

/* Sends the script; the words are copied at once. */
static void call(struct job *job, const struct cvg_buffer *key, const struct cvg_buffer *record,
                 int64_t lifetime)
{
    struct cvg_redis_absorb *absorb = job->absorb;
    char milliseconds[24];
    const char *what = absorb->whole ? script : absorb->digest;
    const char *how = absorb->whole ? "EVAL" : "EVALSHA";
    snprintf(milliseconds, sizeof(milliseconds), "%lld", (long long)lifetime);
    const struct cvg_redis_word word[] = {
        {how, strlen(how)},
        {what, strlen(what)},
        {"1", 1},
        {key->data, key->len},
        {job->expected.data == NULL ? (const void *)"" : job->expected.data, job->expected.len},
        {record->data, record->len},
        {milliseconds, strlen(milliseconds)},
    };
    cvg_redis_call(absorb->parts.redis, &word[3], word, sizeof(word) / sizeof(word[0]), PATIENCE_MS,
                   on_answer, job);
}

/* Offers the job's value. */
static void offer(struct job *job)
{
    struct cvg_redis_absorb *absorb = job->absorb;
    struct cvg_buffer key, record;
    int64_t lifetime = 0;
    enum cvg_error err = cvg_redis_lifetime(job->value.data, job->value.len,
                                            absorb->parts.forget_after_s, now_s(), &lifetime);
    if (err == CVG_OK && lifetime <= 0) {
        end_job(job);
        return;
    }
    cvg_buffer_init(&key, 0);
    cvg_buffer_init(&record, CVG_RECORD_MAX);
    if (err == CVG_OK)
        err = cvg_redis_key(absorb->parts.prefix, job->key, job->key_len, &key);
    if (err == CVG_OK)
        err = cvg_record_seal(absorb->parts.keys, job->key, job->key_len, job->value.data,
                              job->value.len, &record);
    if (err == CVG_OK && ++job->rounds <= ROUNDS_MAX) {
        call(job, &key, &record, lifetime);
    } else {
        fail(absorb, err == CVG_OK ? "others change it all the time" : cvg_strerror(err));
        end_job(job);
    }
    cvg_buffer_free(&record);
    cvg_buffer_free(&key);
}

/* Redis has something else than was expected: merge, unless nobody may believe it, and again. */
static void offer_again(struct job *job, const void *present, size_t len)
{
    struct cvg_redis_absorb *absorb = job->absorb;
    const void *value = NULL;
    size_t value_len = 0;
    enum cvg_error err = CVG_ERR_NOT_FOUND;
    if (len > 0)
        err = cvg_record_open(absorb->parts.keys, job->key, job->key_len, present, len, &value,
                              &value_len);
    if (err == CVG_OK)
        err = cvg_redis_merge(&job->value, value, value_len, now_s());
    if (err == CVG_ERR_EXISTS && absorb->parts.wait_replicas > 0) {
        /* Only what this connection writes can be waited for. */
        cvg_buffer_clear(&job->value);
        err = cvg_buffer_put(&job->value, value, value_len);
    } else if (err == CVG_ERR_SIGNATURE) {
        cvg_metrics_add(absorb->parts.metrics, CVG_METRIC_STORE_REJECTED, 1);
    }
    if (err == CVG_OK || err == CVG_ERR_SIGNATURE || err == CVG_ERR_NOT_FOUND) {
        cvg_buffer_clear(&job->expected);
        err = cvg_buffer_put(&job->expected, present, len);
    }
    if (err == CVG_OK) {
        offer(job);
        return;
    }
    if (err != CVG_ERR_EXISTS)
        fail(absorb, cvg_strerror(err));
    end_job(job);
}

static void on_error(struct job *job, const redisReply *reply)
{
    struct cvg_redis_absorb *absorb = job->absorb;
    if (strncmp(reply->str, "NOSCRIPT ", 9) == 0) {
        absorb->whole = true;
        offer(job);
    } else {
        fail(absorb, reply->str);
        end_job(job);
    }
}

/* Reads the job's record from the segment. */
static enum cvg_error load(struct job *job)
{
    struct cvg_buffer buffer;
    struct cvg_segment_record record;
    cvg_buffer_init(&buffer, CVG_SEGMENT_BUFFER);
    enum cvg_error err = cvg_segment_read(job->absorb->segment, job->at, &buffer, &record);
    if (err == CVG_OK)
        err = cvg_buffer_put(&job->value, record.value, record.value_len);
    cvg_buffer_free(&buffer);
    return err;
}

static void begin_job(struct job *job)
{
    struct cvg_redis_absorb *absorb = job->absorb;
    cvg_list_remove(&job->link);
    cvg_list_push(&absorb->under_way, &job->link);
    absorb->count++;
    enum cvg_error err = load(job);
    if (err == CVG_OK) {
        offer(job);
    } else {
        fail(absorb, cvg_strerror(err));
        end_job(job);
    }
}

static void pump(struct cvg_redis_absorb *absorb);

static void on_waited(bool held, void *user)
{
    struct cvg_redis_absorb *absorb = user;
    if (!held)
        fail(absorb, "too few replicas have it: redis_wait_replicas");
    else if (cvg_redis_losses(absorb->parts.redis) != absorb->losses)
        fail(absorb, NULL);
    pump(absorb);
}

/* All is confirmed: replicas shall have it, too. False: nobody waits for that, or it is done. */
static bool wait_begun(struct cvg_redis_absorb *absorb)
{
    if (absorb->parts.wait_replicas == 0 || absorb->failed || absorb->waited)
        return false;
    absorb->waited = true;
    absorb->wait = (struct cvg_redis_wait){
        .replicas = absorb->parts.wait_replicas, .done = on_waited, .user = absorb};
    cvg_redis_wait(absorb->parts.redis, WAIT_MS, &absorb->wait);
    return true;
}

/* Begins as many jobs as may be under way; at the end says so. Answers may come within a call: only
 * the outermost one does this. */
static void pump(struct cvg_redis_absorb *absorb)
{
    if (absorb->busy)
        return;
    absorb->busy = true;
    while (!absorb->failed && absorb->count < UNDER_WAY_MAX && !cvg_list_empty(&absorb->waiting))
        begin_job(CVG_CONTAINER_OF(absorb->waiting.next, struct job, link));
    absorb->busy = false;
    if (absorb->count > 0 || wait_begun(absorb))
        return;
    cvg_backend_absorbed *done = absorb->done;
    void *user = absorb->user;
    enum cvg_error err = absorb->failed ? CVG_ERR_IO : CVG_OK;
    *absorb->owner = NULL;
    cvg_redis_absorb_free(absorb);
    done(err, user);
}

static void on_answer(enum cvg_error err, const redisReply *reply, void *user)
{
    struct job *job = user;
    struct cvg_redis_absorb *absorb = job->absorb;
    bool was_busy = absorb->busy;
    absorb->busy = true;
    if (err != CVG_OK) {
        fail(absorb, NULL);
        end_job(job);
    } else if (reply->type == REDIS_REPLY_INTEGER && reply->integer == 1) {
        end_job(job);
    } else if (reply->type == REDIS_REPLY_STRING && !absorb->failed) {
        offer_again(job, reply->str, reply->len);
    } else if (reply->type == REDIS_REPLY_ERROR) {
        on_error(job, reply);
    } else {
        fail(absorb, reply->type == REDIS_REPLY_STRING ? NULL : "it answers another question");
        end_job(job);
    }
    absorb->busy = was_busy;
    pump(absorb);
}

/* Notes the record; of a key the newest one counts. */
static enum cvg_error note(struct cvg_redis_absorb *absorb, const struct cvg_segment_record *record)
{
    struct cvg_node *node = cvg_table_find(absorb->table, record->key, record->key_len);
    if (node != NULL) {
        CVG_CONTAINER_OF(node, struct job, node)->at = record->at;
        return CVG_OK;
    }
    struct job *job = calloc(1, sizeof(*job) + record->key_len);
    if (job == NULL)
        return CVG_ERR_NOMEM;
    job->absorb = absorb;
    job->at = record->at;
    job->key_len = record->key_len;
    memcpy(job->key, record->key, record->key_len);
    cvg_buffer_init(&job->expected, CVG_RECORD_MAX + 1);
    cvg_buffer_init(&job->value, CVG_VALUE_MAX);
    job->node.key = job->key;
    job->node.key_len = job->key_len;
    cvg_table_add(absorb->table, &job->node);
    cvg_list_push(&absorb->waiting, &job->link);
    return CVG_OK;
}

static enum cvg_error note_all(struct cvg_redis_absorb *absorb)
{
    struct cvg_buffer buffer;
    struct cvg_segment_record record;
    uint64_t at = 0;
    enum cvg_error err;
    cvg_buffer_init(&buffer, CVG_SEGMENT_BUFFER);
    while ((err = cvg_segment_next(absorb->segment, &at, &buffer, &record)) == CVG_OK)
        if ((err = note(absorb, &record)) != CVG_OK)
            break;
    cvg_buffer_free(&buffer);
    return err == CVG_ERR_NOT_FOUND ? CVG_OK : err;
}

static void write_digest(char ret_digest[static 2 * CVG_SHA1_LEN + 1])
{
    uint8_t sha1[CVG_SHA1_LEN] = {0};
    (void)!cvg_sha1(script, sizeof(script) - 1, sha1); /* a wrong one is NOSCRIPT, then EVAL */
    for (size_t i = 0; i < CVG_SHA1_LEN; i++)
        snprintf(ret_digest + 2 * i, 3, "%02x", sha1[i]);
}

void cvg_redis_absorb_start(const struct cvg_redis_absorb_parts *parts,
                            const struct cvg_segment *segment, cvg_backend_absorbed *done,
                            void *user, struct cvg_redis_absorb **ret_absorb)
{
    struct cvg_redis_absorb *absorb = calloc(1, sizeof(*absorb));
    if (absorb == NULL || cvg_table_new(&absorb->table) != CVG_OK) {
        free(absorb);
        *ret_absorb = NULL;
        done(CVG_ERR_IO, user);
        return;
    }
    absorb->parts = *parts;
    absorb->segment = segment;
    absorb->losses = cvg_redis_losses(parts->redis);
    absorb->done = done;
    absorb->user = user;
    absorb->owner = ret_absorb;
    cvg_list_init(&absorb->waiting);
    cvg_list_init(&absorb->under_way);
    write_digest(absorb->digest);
    if (note_all(absorb) != CVG_OK)
        fail(absorb, "the journal cannot be read");
    *ret_absorb = absorb;
    pump(absorb);
}
