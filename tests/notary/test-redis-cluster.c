/* SPDX-License-Identifier: MIT */
/* A store of several servers: who is asked, and what becomes of redirections, refusals and servers
 * that go away. The servers are in the same loop and speak as the test wants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "notary/redis-cluster.h"

#define SERVERS 3

struct server {
    uv_tcp_t listener;
    struct peer *peers;
    unsigned port;
    char slots[1024]; /* the answer to CLUSTER SLOTS; "": none is given */
    const char *says; /* to GET; NULL: none is given */
    int once;         /* so often; then "$2\r\nok\r\n" */
    int gets, slot_questions, askings;
};

struct peer {
    uv_tcp_t tcp;
    struct server *server;
    struct peer *next;
    redisReader *reader;
    char chunk[4096];
};

static uv_loop_t loop;
static struct server server[SERVERS];
static struct cvg_redis_login login;
static struct cvg_redis *redis;
static int oks, losses;
static char got[64];

static void say(struct peer *peer, const char *text)
{
    uv_buf_t out = uv_buf_init((char *)(uintptr_t)text, (unsigned)strlen(text));
    assert_int_equal(uv_try_write((uv_stream_t *)&peer->tcp, &out, 1), (int)strlen(text));
}

static void answer(struct peer *peer, const redisReply *command)
{
    struct server *one = peer->server;
    const char *word = command->element[0]->str;
    if (strcmp(word, "CLUSTER") == 0) {
        one->slot_questions++;
        if (one->slots[0] != '\0')
            say(peer, one->slots);
    } else if (strcmp(word, "GET") == 0) {
        one->gets++;
        if (one->once > 0) {
            one->once--;
            if (one->says != NULL)
                say(peer, one->says);
        } else {
            say(peer, "$2\r\nok\r\n");
        }
    } else {
        one->askings += strcmp(word, "ASKING") == 0;
        say(peer, "+OK\r\n");
    }
}

static void lend(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
    struct peer *peer = handle->data;
    (void)suggested;
    *ret_buf = uv_buf_init(peer->chunk, sizeof(peer->chunk));
}

static void hear(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct peer *peer = stream->data;
    void *command = NULL;
    if (len <= 0)
        return;
    assert_int_equal(redisReaderFeed(peer->reader, buf->base, (size_t)len), REDIS_OK);
    while (redisReaderGetReply(peer->reader, &command) == REDIS_OK && command != NULL) {
        answer(peer, command);
        freeReplyObject(command);
    }
}

static void accept_one(uv_stream_t *listener, int status)
{
    struct peer *peer = calloc(1, sizeof(*peer));
    assert_int_equal(status, 0);
    assert_non_null(peer);
    peer->server = listener->data;
    peer->next = peer->server->peers;
    peer->server->peers = peer;
    peer->reader = redisReaderCreate();
    uv_tcp_init(&loop, &peer->tcp);
    peer->tcp.data = peer;
    assert_int_equal(uv_accept(listener, (uv_stream_t *)&peer->tcp), 0);
    uv_read_start((uv_stream_t *)&peer->tcp, lend, hear);
}

static void listen_at(struct server *one, unsigned port)
{
    struct sockaddr_in any;
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
    } bound;
    int len = sizeof(bound);
    uv_tcp_init(&loop, &one->listener);
    one->listener.data = one;
    uv_ip4_addr("127.0.0.1", (int)port, &any);
    assert_int_equal(uv_tcp_bind(&one->listener, (struct sockaddr *)&any, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&one->listener, 16, accept_one), 0);
    assert_int_equal(uv_tcp_getsockname(&one->listener, &bound.sa, &len), 0);
    one->port = ntohs(bound.in.sin_port);
}

static void peer_closed(uv_handle_t *handle)
{
    struct peer *peer = handle->data;
    redisReaderFree(peer->reader);
    free(peer);
}

static void stop(struct server *one)
{
    if (!uv_is_closing((uv_handle_t *)&one->listener))
        uv_close((uv_handle_t *)&one->listener, NULL);
    while (one->peers != NULL) {
        struct peer *peer = one->peers;
        one->peers = peer->next;
        uv_close((uv_handle_t *)&peer->tcp, peer_closed);
    }
}

static int set_up(void **state)
{
    (void)state;
    memset(server, 0, sizeof(server));
    login = (struct cvg_redis_login){.user = "", .password = "", .timeout_ms = 2000};
    oks = losses = 0;
    assert_int_equal(uv_loop_init(&loop), 0);
    for (int i = 0; i < SERVERS; i++) {
        listen_at(&server[i], 0);
        strcpy(server[i].slots, "-ERR This instance has cluster support disabled\r\n");
    }
    redis = NULL;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cvg_redis_free(redis);
    for (int i = 0; i < SERVERS; i++)
        stop(&server[i]);
    uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop);
}

static void begin(int seeds)
{
    struct cvg_redis_node node[SERVERS] = {{.port = 0}};
    for (int i = 0; i < seeds; i++) {
        strcpy(node[i].host, "127.0.0.1");
        node[i].port = (uint16_t)server[i].port;
    }
    assert_int_equal(cvg_redis_new(&loop, node, (size_t)seeds, &login, &redis), CVG_OK);
}

/* All servers say: the lower half is a's, the upper b's. */
static void map(const struct server *a, const struct server *b)
{
    for (int i = 0; i < SERVERS; i++)
        snprintf(server[i].slots, sizeof(server[i].slots),
                 "*2\r\n*3\r\n:0\r\n:8191\r\n*2\r\n$0\r\n\r\n:%u\r\n"
                 "*3\r\n:8192\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:%u\r\n",
                 a->port, b->port);
}

static void done(enum cvg_error err, const redisReply *reply, void *user)
{
    (void)user;
    if (err == CVG_OK) {
        oks++;
        snprintf(got, sizeof(got), "%s", reply->str == NULL ? "" : reply->str);
    } else {
        assert_int_equal(err, CVG_ERR_UNREACHABLE);
        losses++;
    }
}

/* "bar" is in the lower half (5061), "foo" in the upper (12182). */
static void get(const char *key, unsigned patience_ms)
{
    const struct cvg_redis_word word[2] = {{"GET", 3}, {key, strlen(key)}};
    cvg_redis_call(redis, &word[1], word, 2, patience_ms, done, NULL);
}

static void run_until(const int *counter, int value)
{
    while (*counter < value)
        uv_run(&loop, UV_RUN_ONCE);
}

static void run_until_up(bool up)
{
    while (cvg_redis_up(redis) != up)
        uv_run(&loop, UV_RUN_ONCE);
}

static void single_server(void **state)
{
    (void)state;
    begin(1);
    get("foo", 0); /* waits until it is known whom to ask */
    run_until(&oks, 1);
    assert_string_equal(got, "ok");
    assert_true(cvg_redis_up(redis));
    assert_int_equal(server[0].slot_questions, 1);
}

static void each_half_has_its_master(void **state)
{
    (void)state;
    map(&server[1], &server[2]);
    begin(1);
    get("foo", 0);
    get("bar", 0);
    run_until(&oks, 2);
    assert_int_equal(server[0].gets, 0);
    assert_int_equal(server[1].gets, 1);
    assert_int_equal(server[2].gets, 1);
    run_until_up(true);
}

static void moved_is_followed_and_kept(void **state)
{
    char moved[64];
    (void)state;
    map(&server[0], &server[1]);
    begin(1);
    run_until_up(true);
    snprintf(moved, sizeof(moved), "-MOVED 12182 127.0.0.1:%u\r\n", server[2].port);
    server[1].says = moved;
    server[1].once = 2;
    map(&server[0], &server[2]);
    get("foo", 0);
    run_until(&oks, 1);
    get("foo", 0);
    run_until(&oks, 2);
    assert_int_equal(server[1].gets, 1);
    assert_int_equal(server[2].gets, 2);
}

static void ask_is_followed_once(void **state)
{
    char ask[64];
    (void)state;
    map(&server[0], &server[1]);
    begin(1);
    run_until_up(true);
    snprintf(ask, sizeof(ask), "-ASK 12182 127.0.0.1:%u\r\n", server[2].port);
    server[1].says = ask;
    server[1].once = 1;
    get("foo", 0);
    run_until(&oks, 1);
    assert_int_equal(server[2].askings, 1);
    assert_int_equal(server[2].gets, 1);
    get("foo", 0);
    run_until(&oks, 2);
    assert_int_equal(server[1].gets, 2);
}

static void redirections_in_a_circle_end(void **state)
{
    char moved[2][64];
    (void)state;
    map(&server[0], &server[1]);
    begin(1);
    run_until_up(true);
    for (int i = 0; i < 2; i++) {
        snprintf(moved[i], sizeof(moved[i]), "-MOVED 12182 127.0.0.1:%u\r\n", server[i].port);
        server[1 - i].says = moved[i];
        server[1 - i].once = 1000;
    }
    get("foo", 300);
    run_until(&losses, 1);
    assert_in_range(server[0].gets + server[1].gets, 9, 90);
}

static void another_slots_redirection_is_not_followed(void **state)
{
    char moved[64];
    (void)state;
    map(&server[0], &server[1]);
    begin(1);
    run_until_up(true);
    snprintf(moved, sizeof(moved), "-MOVED 1 127.0.0.1:%u\r\n", server[2].port);
    server[1].says = moved;
    server[1].once = 1;
    get("foo", 0);
    run_until(&losses, 1);
    assert_int_equal(server[2].gets, 0);
}

static void what_passes_is_tried_again(void **state)
{
    static const char *const says[] = {
        "-TRYAGAIN Multiple keys request\r\n", "-CLUSTERDOWN The cluster is down\r\n",
        "-LOADING Redis is loading\r\n", "-READONLY You can't write\r\n"};
    (void)state;
    map(&server[0], &server[1]);
    begin(1);
    run_until_up(true);
    for (int i = 0; i < 4; i++) {
        server[1].says = says[i];
        server[1].once = 2;
        get("foo", 5000);
        run_until(&oks, i + 1);
        server[1].once = 1;
        get("foo", 0); /* no patience */
        run_until(&losses, i + 1);
    }
}

static void denied_is_final(void **state)
{
    (void)state;
    begin(1);
    run_until_up(true);
    server[0].says = "-NOPERM this user has no permissions\r\n";
    server[0].once = 1;
    get("foo", 5000);
    run_until(&losses, 1);
    assert_int_equal(server[0].gets, 1);
}

static void other_errors_are_the_callers(void **state)
{
    (void)state;
    begin(1);
    server[0].says = "-WRONGTYPE Operation against a key\r\n";
    server[0].once = 1;
    get("foo", 0);
    run_until(&oks, 1);
    assert_memory_equal(got, "WRONGTYPE ", 10);
}

static void master_dies_and_replica_takes_over(void **state)
{
    (void)state;
    map(&server[0], &server[1]);
    begin(1);
    run_until_up(true);
    stop(&server[1]);
    run_until_up(false);
    get("foo", 0);
    run_until(&losses, 1);
    get("bar", 0); /* the other half goes on */
    run_until(&oks, 1);
    get("foo", 20000);
    map(&server[0], &server[2]);
    run_until(&oks, 2);
    assert_int_equal(server[2].gets, 1);
    run_until_up(true);
}

static void silent_master_is_away(void **state)
{
    (void)state;
    login.timeout_ms = 200;
    map(&server[0], &server[1]);
    begin(1);
    run_until_up(true);
    server[1].says = NULL;
    server[1].once = 1;
    get("foo", 0);
    run_until(&losses, 1);
    assert_int_equal(server[1].gets, 1);
}

static void nobody_there(void **state)
{
    (void)state;
    begin(2);
    stop(&server[0]);
    stop(&server[1]);
    get("foo", 0);
    run_until(&losses, 1);
    assert_false(cvg_redis_up(redis));
}

static void replica_of_a_single_server_gives_way(void **state)
{
    (void)state;
    begin(2);
    run_until_up(true);
    server[0].says = "-READONLY You can't write against a read only replica.\r\n";
    server[0].once = 1000;
    get("foo", 5000);
    run_until(&oks, 1);
    assert_int_equal(server[1].gets, 1);
}

static void single_server_falls_back_to_the_next(void **state)
{
    (void)state;
    begin(2);
    while (server[0].gets == 0) { /* the second may have answered before it */
        int asked = oks;
        get("foo", 0);
        run_until(&oks, asked + 1);
    }
    int before = server[1].gets, asked = oks;
    stop(&server[0]);
    run_until_up(false);
    get("foo", 5000);
    run_until(&oks, asked + 1);
    assert_int_equal(server[1].gets, before + 1);
}

static void map_without_sense_changes_nothing(void **state)
{
    (void)state;
    map(&server[0], &server[1]);
    begin(1);
    run_until_up(true);
    int asked = server[0].slot_questions;
    for (int i = 0; i < SERVERS; i++)
        strcpy(server[i].slots, "*1\r\n:1\r\n");
    server[1].says = "-CLUSTERDOWN The cluster is down\r\n";
    server[1].once = 1;
    get("foo", 5000);
    run_until(&oks, 1);
    assert_true(server[0].slot_questions + server[1].slot_questions >= asked);
    assert_true(cvg_redis_up(redis));
}

static void freed_with_requests_under_way(void **state)
{
    (void)state;
    map(&server[0], &server[1]);
    begin(1);
    run_until_up(true);
    server[1].says = "-TRYAGAIN later\r\n";
    server[1].once = 1;
    get("foo", 5000); /* will be parked */
    run_until(&server[1].gets, 1);
    uv_run(&loop, UV_RUN_ONCE);
    server[1].says = NULL;
    server[1].once = 1;
    get("foo", 5000); /* will be on the wire */
    run_until(&server[1].gets, 2);
    cvg_redis_free(redis);
    redis = NULL;
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(oks + losses, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(single_server),
        TEST(each_half_has_its_master),
        TEST(moved_is_followed_and_kept),
        TEST(ask_is_followed_once),
        TEST(redirections_in_a_circle_end),
        TEST(another_slots_redirection_is_not_followed),
        TEST(what_passes_is_tried_again),
        TEST(denied_is_final),
        TEST(other_errors_are_the_callers),
        TEST(master_dies_and_replica_takes_over),
        TEST(silent_master_is_away),
        TEST(nobody_there),
        TEST(replica_of_a_single_server_gives_way),
        TEST(single_server_falls_back_to_the_next),
        TEST(map_without_sense_changes_nothing),
        TEST(freed_with_requests_under_way),
    };
    alarm(300); /* what never happens is a failure, too */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
