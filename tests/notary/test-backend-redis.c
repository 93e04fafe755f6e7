/* SPDX-License-Identifier: MIT */
/* The Redis backend against a real redis-server: what is absorbed is found again by whoever has the
 * key, several merge, nothing that others wrote is believed, and a store that goes away and comes
 * back has everything in the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/log.h"
#include "notary/backend-redis.h"
#include "notary/observations.h"
#include "tests/notary/redis-server.h"

static struct redis_server server;
static uv_loop_t loop;
static struct cvg_settings settings;
static struct cvg_metrics metrics;
static struct cvg_record_keys *key;
static struct cvg_backend *all[8];  /* that were made, and are freed with the test at the latest */
static struct cvg_backend *backend; /* the first of them */
static char logged[4096];

struct got {
    int count;
    enum cvg_error err;
    struct cvg_observations seen;
};

static void log_line(enum cvg_log_level level, const char *line, void *user)
{
    size_t used = strlen(logged);
    (void)level;
    (void)user;
    snprintf(logged + used, sizeof(logged) - used, "%s\n", line);
}

static struct cvg_record_keys *new_key(void)
{
    struct cvg_signing_key *signing = NULL;
    struct cvg_record_keys *made = NULL;
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    BIO *bio = BIO_new(BIO_s_mem());
    char *pem = NULL;
    assert_int_equal(PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
    long len = BIO_get_mem_data(bio, &pem);
    assert_int_equal(cvg_signing_key_parse(pem, (size_t)len, &signing, NULL), CVG_OK);
    BIO_free(bio);
    EVP_PKEY_free(pkey);
    const struct cvg_record_sources sources = {.key = signing, .path = "/nonexistent/key"};
    assert_int_equal(cvg_record_keys_new(&sources, &made, NULL), CVG_OK);
    cvg_signing_key_free(signing);
    return made;
}

static struct cvg_backend *new_backend(struct cvg_record_keys *with)
{
    struct cvg_backend *made = NULL;
    struct cvg_why why = {.text = ""};
    if (cvg_backend_redis_new(&loop, &settings, with, &metrics, &made, &why) != CVG_OK)
        fail_msg("%s", why.text);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i] == NULL) {
            all[i] = made;
            return made;
        }
    fail_msg("too many backends");
    return NULL;
}

static void end_backend(struct cvg_backend *one)
{
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i] == one)
            all[i] = NULL;
    one->free(one);
}

static void close_loop(void)
{
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static int set_up_with(const char *extra)
{
    if (!redis_server_is_there()) {
        server.pid = 0;
        return 0;
    }
    redis_server_make(&server, extra);
    logged[0] = '\0';
    cvg_log_set_handler(log_line, CVG_LOG_NOTICE, NULL);
    memset(&metrics, 0, sizeof(metrics));
    cvg_settings_init(&settings);
    strcpy(settings.redis.server[0].host, "127.0.0.1");
    settings.redis.server[0].port = server.port;
    settings.redis.count = 1;
    key = new_key();
    assert_int_equal(uv_loop_init(&loop), 0);
    backend = new_backend(key);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    return set_up_with("");
}

static int tear_down(void **state)
{
    (void)state;
    if (server.port == 0)
        return 0;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i] != NULL)
            end_backend(all[i]);
    close_loop();
    cvg_record_keys_free(key);
    redis_server_free(&server);
    memset(&server, 0, sizeof(server));
    return 0;
}

static void needs_redis(void)
{
    if (server.port == 0) {
        print_message("# redis-server is not installed\n");
        skip();
    }
}

static void on_got(enum cvg_error err, const void *value, size_t len, void *user)
{
    struct got *got = user;
    got->count++;
    got->err = err;
    if (err == CVG_OK)
        assert_int_equal(cvg_observations_parse(value, len, &got->seen), CVG_OK);
    else
        assert_null(value);
}

/* How many certificates the store has of the target; -1: none, and why is the error. */
static int look(struct cvg_backend *at, const char *target, enum cvg_error *ret_err)
{
    struct got got = {.count = 0};
    at->get(at, target, strlen(target), on_got, &got);
    while (got.count == 0)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(got.count, 1);
    int count = got.err == CVG_OK ? (int)got.seen.count : -1;
    cvg_observations_free(&got.seen);
    *ret_err = got.err;
    return count;
}

static void finds(struct cvg_backend *at, const char *target, int certificates)
{
    enum cvg_error err;
    assert_int_equal(look(at, target, &err), certificates);
}

static void finds_nothing(struct cvg_backend *at, const char *target, enum cvg_error why)
{
    enum cvg_error err;
    assert_int_equal(look(at, target, &err), -1);
    assert_int_equal(err, why);
}

/* A value that says: that certificate was seen at that time. */
static void value_of(unsigned certificate, int64_t at_s, struct cvg_buffer *ret_value)
{
    struct cvg_observations seen = {.count = 0};
    struct cvg_leaf leaf = {.key_type = CVG_KEY_EC};
    const struct cvg_address address = {.family = 4, .bytes = {192, 0, 2, 1}};
    memset(leaf.sha256, (int)certificate, sizeof(leaf.sha256));
    cvg_buffer_init(ret_value, CVG_VALUE_MAX);
    assert_int_equal(cvg_observations_add(&seen, &leaf, &address, at_s), CVG_OK);
    assert_int_equal(cvg_observations_write(&seen, ret_value), CVG_OK);
    cvg_observations_free(&seen);
}

struct portion {
    char path[96];
    struct cvg_segment *segment;
    int done;
    enum cvg_error err;
};

static void portion_begin(struct portion *portion)
{
    static int number;
    struct cvg_why why = {.text = ""};
    memset(portion, 0, sizeof(*portion));
    snprintf(portion->path, sizeof(portion->path), "%s/segment.%d", server.directory, ++number);
    if (cvg_segment_open(portion->path, &portion->segment, &why) != CVG_OK)
        fail_msg("%s", why.text);
}

static void portion_add(struct portion *portion, const char *target, unsigned certificate,
                        int64_t at_s)
{
    struct cvg_buffer value;
    uint64_t at;
    value_of(certificate, at_s, &value);
    assert_int_equal(
        cvg_segment_append(portion->segment, target, strlen(target), value.data, value.len, &at),
        CVG_OK);
    cvg_buffer_free(&value);
}

static void on_absorbed(enum cvg_error err, void *user)
{
    struct portion *portion = user;
    portion->done++;
    portion->err = err;
}

static void portion_send(struct portion *portion, struct cvg_backend *to)
{
    cvg_segment_seal(portion->segment);
    to->absorb(to, portion->segment, on_absorbed, portion);
}

static void portion_end(struct portion *portion, enum cvg_error wanted)
{
    while (portion->done == 0)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(portion->done, 1);
    assert_int_equal(portion->err, wanted);
    cvg_segment_free(portion->segment);
}

static void absorb_one(struct cvg_backend *to, const char *target, unsigned certificate)
{
    struct portion portion;
    portion_begin(&portion);
    portion_add(&portion, target, certificate, (int64_t)time(NULL));
    portion_send(&portion, to);
    portion_end(&portion, CVG_OK);
}

static redisReply *ask(const char *command, const char *target, const char *more, size_t more_len)
{
    redisReply *reply = more == NULL ? redisCommand(server.in, command, target)
                                     : redisCommand(server.in, command, target, more, more_len);
    assert_non_null(reply);
    assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
    return reply;
}

static void tell(const char *command, const char *target, const char *more, size_t more_len)
{
    freeReplyObject(ask(command, target, more, more_len));
}

static void absorbed_is_found_by_whoever_has_the_key(void **state)
{
    (void)state;
    needs_redis();
    finds_nothing(backend, "target", CVG_ERR_NOT_FOUND);
    absorb_one(backend, "target", 1);
    finds(backend, "target", 1);
    finds_nothing(backend, "other", CVG_ERR_NOT_FOUND);
    struct cvg_backend *second = new_backend(key);
    finds(second, "target", 1);
    end_backend(second);
    assert_true(backend->is_up(backend));
    assert_int_equal(metrics.value[CVG_METRIC_STORE_REJECTED], 0);
}

static void expires_when_it_is_forgotten(void **state)
{
    (void)state;
    needs_redis();
    absorb_one(backend, "target", 1);
    redisReply *reply = ask("PTTL converge/%s", "target", NULL, 0);
    long long most = (long long)settings.forget_after_s * 1000;
    assert_in_range(reply->integer, most - 600000, most);
    freeReplyObject(reply);
    struct portion portion;
    portion_begin(&portion);
    portion_add(&portion, "old", 1, (int64_t)(time(NULL) - (time_t)settings.forget_after_s - 10));
    portion_send(&portion, backend);
    portion_end(&portion, CVG_OK);
    finds_nothing(backend, "old", CVG_ERR_NOT_FOUND);
}

static void two_notaries_merge(void **state)
{
    (void)state;
    needs_redis();
    struct cvg_backend *second = new_backend(key);
    absorb_one(backend, "target", 1);
    absorb_one(second, "target", 2);
    absorb_one(backend, "target", 3);
    finds(backend, "target", 3);
    absorb_one(second, "target", 2); /* nothing new */
    finds(second, "target", 3);
    end_backend(second);
}

/* Both send at the same time, for the same targets. */
static void two_notaries_at_once(void **state)
{
    enum { TARGETS = 300 };
    struct portion one, two;
    char target[32];
    (void)state;
    needs_redis();
    struct cvg_backend *second = new_backend(key);
    portion_begin(&one);
    portion_begin(&two);
    for (int i = 0; i < TARGETS; i++) {
        snprintf(target, sizeof(target), "target %d", i);
        portion_add(&one, target, 1, (int64_t)time(NULL));
        portion_add(&two, target, 2, (int64_t)time(NULL));
    }
    portion_send(&one, backend);
    portion_send(&two, second);
    portion_end(&one, CVG_OK);
    portion_end(&two, CVG_OK);
    for (int i = 0; i < TARGETS; i++) {
        snprintf(target, sizeof(target), "target %d", i);
        finds(backend, target, 2);
    }
    end_backend(second);
}

static void newest_of_a_key_wins(void **state)
{
    struct portion portion;
    (void)state;
    needs_redis();
    portion_begin(&portion);
    for (unsigned i = 1; i <= 3; i++)
        portion_add(&portion, "target", i, (int64_t)time(NULL));
    portion_send(&portion, backend);
    portion_end(&portion, CVG_OK);
    finds(backend, "target", 1);
}

static void not_believed(const char *command, const char *octets, size_t len)
{
    int64_t rejected = metrics.value[CVG_METRIC_STORE_REJECTED];
    tell("DEL converge/%s", "target", NULL, 0);
    tell(command, "target", octets, len);
    finds_nothing(backend, "target", CVG_ERR_SIGNATURE);
    assert_int_equal(metrics.value[CVG_METRIC_STORE_REJECTED], rejected + 1);
    absorb_one(backend, "target", 1); /* and replaced */
    finds(backend, "target", 1);
}

static void what_others_wrote_is_not_believed(void **state)
{
    static char longest[100000];
    (void)state;
    needs_redis();
    absorb_one(backend, "target", 1);
    redisReply *record = ask("GET converge/%s", "target", NULL, 0);
    assert_int_equal(record->type, REDIS_REPLY_STRING);
    not_believed("SET converge/%s %b", "rubbish", 7);
    not_believed("SET converge/%s %b", longest, sizeof(longest));
    not_believed("SET converge/%s %b", record->str, record->len - 1);
    record->str[record->len - 1] ^= 1;
    not_believed("SET converge/%s %b", record->str, record->len);
    not_believed("RPUSH converge/%s %b", "a", 1);
    not_believed("HSET converge/%s a %b", "a", 1);
    freeReplyObject(record);
}

static void another_targets_record_is_not_believed(void **state)
{
    (void)state;
    needs_redis();
    absorb_one(backend, "target", 1);
    redisReply *record = ask("GET converge/%s", "target", NULL, 0);
    tell("SET converge/%s %b", "other", record->str, record->len);
    finds_nothing(backend, "other", CVG_ERR_SIGNATURE);
    freeReplyObject(record);
}

static void another_notarys_record_is_not_believed(void **state)
{
    (void)state;
    needs_redis();
    struct cvg_record_keys *foreign = new_key();
    struct cvg_backend *stranger = new_backend(foreign);
    absorb_one(stranger, "target", 1);
    finds_nothing(backend, "target", CVG_ERR_SIGNATURE);
    absorb_one(backend, "target", 2);
    finds(backend, "target", 1);
    end_backend(stranger);
    cvg_record_keys_free(foreign);
}

/* What a replayed record can do: it is an older state of the same target, and is merged with what
 * this notary has seen since. */
static void replayed_record_is_merged(void **state)
{
    (void)state;
    needs_redis();
    absorb_one(backend, "target", 1);
    redisReply *record = ask("GET converge/%s", "target", NULL, 0);
    absorb_one(backend, "target", 2);
    tell("SET converge/%s %b", "target", record->str, record->len);
    finds(backend, "target", 1);
    absorb_one(backend, "target", 2);
    finds(backend, "target", 2);
    freeReplyObject(record);
}

static void scripts_may_be_lost(void **state)
{
    (void)state;
    needs_redis();
    absorb_one(backend, "target", 1);
    freeReplyObject(redisCommand(server.in, "SCRIPT FLUSH"));
    absorb_one(backend, "target", 2);
    finds(backend, "target", 2);
}

static void store_is_killed_and_comes_back(void **state)
{
    struct portion portion;
    char target[32];
    (void)state;
    needs_redis();
    absorb_one(backend, "before", 1);
    portion_begin(&portion);
    for (int i = 0; i < 500; i++) {
        snprintf(target, sizeof(target), "target %d", i);
        portion_add(&portion, target, 1, (int64_t)time(NULL));
    }
    portion_send(&portion, backend);
    uv_run(&loop, UV_RUN_ONCE); /* some are under way */
    redis_server_kill(&server);
    while (backend->is_up(backend))
        uv_run(&loop, UV_RUN_ONCE);
    finds_nothing(backend, "before", CVG_ERR_IO);
    assert_int_equal(portion.done, 0);
    redis_server_start(&server);
    portion_end(&portion, CVG_OK);
    while (!backend->is_up(backend))
        uv_run(&loop, UV_RUN_ONCE);
    finds(backend, "before", 1);
    for (int i = 0; i < 500; i++) {
        snprintf(target, sizeof(target), "target %d", i);
        finds(backend, target, 1);
    }
    assert_non_null(strstr(logged, "is away"));
    assert_non_null(strstr(logged, "answers"));
}

static void absorb_waiting(unsigned certificate, enum cvg_error wanted)
{
    struct portion portion;
    settings.redis_wait_replicas = 1;
    struct cvg_backend *waiting = new_backend(key);
    portion_begin(&portion);
    portion_add(&portion, "target", certificate, (int64_t)time(NULL));
    portion_send(&portion, waiting);
    portion_end(&portion, wanted);
    end_backend(waiting);
}

static void replicas_are_waited_for(void **state)
{
    struct redis_server replica;
    char extra[64];
    (void)state;
    needs_redis();
    absorb_waiting(1, CVG_ERR_IO);
    assert_non_null(strstr(logged, "redis_wait_replicas"));
    absorb_waiting(1, CVG_ERR_IO); /* also when nothing new is to be written */
    freeReplyObject(redisCommand(server.in, "CONFIG SET repl-diskless-sync-delay 0"));
    snprintf(extra, sizeof(extra), "replicaof 127.0.0.1 %u\n", server.port);
    redis_server_make(&replica, extra);
    redisReply *reply = redisCommand(server.in, "WAIT 1 0"); /* until it is there */
    assert_int_equal(reply->integer, 1);
    freeReplyObject(reply);
    absorb_waiting(1, CVG_OK);
    absorb_waiting(2, CVG_OK);
    finds(backend, "target", 2);
    redis_server_free(&replica);
}

static void freed_with_everything_under_way(void **state)
{
    struct portion portion;
    struct got got = {.count = 0};
    (void)state;
    needs_redis();
    absorb_one(backend, "before", 1);
    portion_begin(&portion);
    for (int i = 0; i < 500; i++) {
        char target[32];
        snprintf(target, sizeof(target), "target %d", i);
        portion_add(&portion, target, 1, (int64_t)time(NULL));
    }
    portion_send(&portion, backend);
    uv_run(&loop, UV_RUN_ONCE);
    backend->get(backend, "before", 6, on_got, &got);
    end_backend(backend);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(portion.done + got.count, 0);
    cvg_segment_free(portion.segment);
}

static void write_password(const char *password)
{
    snprintf(settings.redis_password, sizeof(settings.redis_password), "%s/password",
             server.directory);
    FILE *file = fopen(settings.redis_password, "w");
    assert_non_null(file);
    fprintf(file, "%s\n", password);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(settings.redis_password, 0600), 0);
}

static int set_up_users(void **state)
{
    (void)state;
    return set_up_with("requirepass geheim\n"
                       "user notary on >wort ~converge/* -@all +ping +getrange +eval +evalsha "
                       "+set +del +cluster|slots\n");
}

static void password_and_user(void **state)
{
    (void)state;
    needs_redis();
    finds_nothing(backend, "target", CVG_ERR_IO);
    assert_non_null(strstr(logged, "without redis_password: NOAUTH"));
    write_password("falsch");
    struct cvg_backend *wrong = new_backend(key);
    finds_nothing(wrong, "target", CVG_ERR_IO);
    assert_non_null(strstr(logged, "it refuses redis_user or redis_password: WRONGPASS"));
    end_backend(wrong);
    write_password("geheim");
    struct cvg_backend *right = new_backend(key);
    absorb_one(right, "target", 1);
    end_backend(right);
    strcpy(settings.redis_user, "notary");
    write_password("wort");
    struct cvg_backend *user = new_backend(key);
    absorb_one(user, "target", 2);
    finds(user, "target", 2);
    end_backend(user);
}

static void forbidden_is_told(void **state)
{
    (void)state;
    needs_redis();
    strcpy(settings.redis_user, "notary");
    write_password("wort");
    strcpy(settings.redis_prefix, "elsewhere/");
    struct cvg_backend *user = new_backend(key);
    finds_nothing(user, "target", CVG_ERR_IO);
    assert_non_null(strstr(logged, "NOPERM"));
    end_backend(user);
}

static void unreadable_password(void **state)
{
    struct cvg_backend *made = NULL;
    struct cvg_why why = {.text = ""};
    (void)state;
    needs_redis();
    write_password("");
    assert_int_not_equal(cvg_backend_redis_new(&loop, &settings, key, &metrics, &made, &why),
                         CVG_OK);
    assert_non_null(strstr(why.text, "is empty"));
    strcpy(settings.redis_password, "/nonexistent/password");
    assert_int_not_equal(cvg_backend_redis_new(&loop, &settings, key, &metrics, &made, &why),
                         CVG_OK);
    assert_non_null(strstr(why.text, "/nonexistent/password"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(absorbed_is_found_by_whoever_has_the_key),
        TEST(expires_when_it_is_forgotten),
        TEST(two_notaries_merge),
        TEST(two_notaries_at_once),
        TEST(newest_of_a_key_wins),
        TEST(what_others_wrote_is_not_believed),
        TEST(another_targets_record_is_not_believed),
        TEST(another_notarys_record_is_not_believed),
        TEST(replayed_record_is_merged),
        TEST(scripts_may_be_lost),
        TEST(store_is_killed_and_comes_back),
        TEST(replicas_are_waited_for),
        TEST(freed_with_everything_under_way),
        cmocka_unit_test_setup_teardown(password_and_user, set_up_users, tear_down),
        cmocka_unit_test_setup_teardown(forbidden_is_told, set_up_users, tear_down),
        cmocka_unit_test_setup_teardown(unreadable_password, set_up_users, tear_down),
    };

    signal(SIGPIPE, SIG_IGN); /* as the notary does: a server that is gone is an error */
    alarm(300); /* what never happens is a failure, too */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
