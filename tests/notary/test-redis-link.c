/* SPDX-License-Identifier: MIT */
/* One connection to a server that need not be Redis: answers, silence, garbage, refusals. The
 * server is in the same loop and says what the test tells it to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <hiredis.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "notary/redis-link.h"

#define COMMAND "*1\r\n$4\r\nPING\r\n"

struct server {
    uv_tcp_t listener;
    uv_tcp_t peer[16];
    int accepted;
    const char *answers; /* to whatever arrives; NULL: nothing */
    size_t answers_len;  /* 0: up to the NUL */
    bool hangs_up;       /* afterwards */
    char heard[4096];
    size_t heard_len;
    char chunk[4096];
};

static uv_loop_t loop;
static struct server server;
static struct cvg_redis_link *link_;
static struct cvg_redis_login login;
static char last_log[1024];
static int changes, oks, losses;
static char reply_text[64];
static bool free_in_done, free_in_changed;

static void log_line(enum cvg_log_level level, const char *line, void *user)
{
    (void)level;
    (void)user;
    snprintf(last_log, sizeof(last_log), "%s", line);
}

static void lend(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
    (void)handle;
    (void)suggested;
    *ret_buf = uv_buf_init(server.chunk, sizeof(server.chunk));
}

static void hear(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    if (len <= 0)
        return;
    for (ssize_t i = 0; i < len && server.heard_len < sizeof(server.heard) - 1; i++)
        server.heard[server.heard_len++] = buf->base[i];
    if (server.answers != NULL) {
        size_t answers_len = server.answers_len > 0 ? server.answers_len : strlen(server.answers);
        uv_buf_t out = uv_buf_init((char *)(uintptr_t)server.answers, (unsigned)answers_len);
        (void)uv_try_write(stream, &out, 1);
    }
    if (server.hangs_up)
        uv_close((uv_handle_t *)stream, NULL);
}

static void accept_one(uv_stream_t *listener, int status)
{
    assert_int_equal(status, 0);
    assert_in_range(server.accepted, 0, 15);
    uv_tcp_t *peer = &server.peer[server.accepted++];
    uv_tcp_init(&loop, peer);
    assert_int_equal(uv_accept(listener, (uv_stream_t *)peer), 0);
    uv_read_start((uv_stream_t *)peer, lend, hear);
}

static void changed(struct cvg_redis_link *one, void *user)
{
    (void)user;
    changes++;
    if (free_in_changed) {
        cvg_redis_link_free(one);
        link_ = NULL;
    }
}

static void done(enum cvg_error err, const redisReply *reply, void *user)
{
    (void)user;
    if (err == CVG_OK) {
        oks++;
        snprintf(reply_text, sizeof(reply_text), "%s", reply->str == NULL ? "" : reply->str);
    } else {
        assert_int_equal(err, CVG_ERR_UNREACHABLE);
        assert_null(reply);
        losses++;
    }
    if (free_in_done) {
        cvg_redis_link_free(link_);
        link_ = NULL;
    }
}

static int set_up(void **state)
{
    struct sockaddr_in any;
    struct cvg_redis_node node = {.host = "127.0.0.1"};
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
    } bound;
    int len = sizeof(bound);
    (void)state;
    memset(&server, 0, sizeof(server));
    login = (struct cvg_redis_login){.user = "", .password = "", .timeout_ms = 5000};
    changes = oks = losses = 0;
    free_in_done = free_in_changed = false;
    last_log[0] = '\0';
    cvg_log_set_handler(log_line, CVG_LOG_NOTICE, NULL);
    assert_int_equal(uv_loop_init(&loop), 0);
    uv_tcp_init(&loop, &server.listener);
    uv_ip4_addr("127.0.0.1", 0, &any);
    assert_int_equal(uv_tcp_bind(&server.listener, (struct sockaddr *)&any, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&server.listener, 16, accept_one), 0);
    assert_int_equal(uv_tcp_getsockname(&server.listener, &bound.sa, &len), 0);
    node.port = ntohs(bound.in.sin_port);
    assert_int_equal(cvg_redis_link_new(&loop, &node, &login, changed, NULL, &link_), CVG_OK);
    return 0;
}

static void close_one(uv_handle_t *handle, void *user)
{
    (void)user;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    cvg_redis_link_free(link_);
    link_ = NULL;
    uv_close((uv_handle_t *)&server.listener, NULL);
    for (int i = 0; i < server.accepted; i++)
        close_one((uv_handle_t *)&server.peer[i], NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop);
}

static void send_one(enum cvg_error wanted)
{
    assert_int_equal(cvg_redis_link_send(link_, COMMAND, strlen(COMMAND), done, NULL), wanted);
}

static void run_until(const int *counter, int value)
{
    while (*counter < value)
        uv_run(&loop, UV_RUN_ONCE);
}

static void says(const char *text)
{
    if (strstr(last_log, text) == NULL)
        fail_msg("the log says \"%s\", not \"%s\"", last_log, text);
}

static void answers_come_in_order(void **state)
{
    (void)state;
    server.answers = "+PONG\r\n";
    send_one(CVG_OK); /* waits for the connection */
    run_until(&oks, 1);
    assert_true(cvg_redis_link_up(link_));
    assert_string_equal(reply_text, "PONG");
    assert_int_equal(cvg_redis_link_busy(link_), 0);
    send_one(CVG_OK);
    assert_int_equal(cvg_redis_link_busy(link_), 1);
    run_until(&oks, 2);
    assert_int_equal(losses, 0);
    assert_int_equal(changes, 1);
}

static void login_comes_first(void **state)
{
    (void)state;
    login.user = "notary";
    login.password = "geheim";
    server.answers = "+OK\r\n";
    send_one(CVG_OK);
    run_until(&oks, 1);
    assert_memory_equal(server.heard,
                        "*3\r\n$4\r\nAUTH\r\n$6\r\nnotary\r\n$6\r\ngeheim\r\n" COMMAND, 54);
}

static void wrong_password_is_told(void **state)
{
    (void)state;
    login.password = "falsch";
    server.answers = "-WRONGPASS invalid username-password pair\r\n";
    send_one(CVG_OK);
    run_until(&losses, 1);
    says("redis_password: WRONGPASS");
    assert_true(cvg_redis_link_away(link_));
    send_one(CVG_ERR_UNREACHABLE);
}

static void missing_password_is_told(void **state)
{
    (void)state;
    server.answers = "-NOAUTH Authentication required.\r\n";
    run_until(&changes, 1);
    says("without redis_password: NOAUTH");
}

static void silence_is_away(void **state)
{
    (void)state;
    login.timeout_ms = 50;
    send_one(CVG_OK);
    run_until(&losses, 1);
    says("does not answer in time");
}

static void silence_after_login_is_away(void **state)
{
    (void)state;
    server.answers = "+PONG\r\n";
    run_until(&changes, 1);
    server.answers = NULL;
    login.timeout_ms = 50;
    send_one(CVG_OK);
    send_one(CVG_OK);
    run_until(&losses, 2);
    says("does not answer in time");
}

static void it_comes_back(void **state)
{
    (void)state;
    server.answers = "+PONG\r\n";
    run_until(&changes, 1);
    uv_close((uv_handle_t *)&server.peer[0], NULL);
    run_until(&changes, 2);
    says("hung up");
    send_one(CVG_ERR_UNREACHABLE);
    run_until(&changes, 3);
    says("answers");
    send_one(CVG_OK);
    run_until(&oks, 1);
}

static void hostile(const char *octets, size_t len)
{
    server.answers = "+PONG\r\n";
    run_until(&changes, 1);
    server.answers = octets;
    server.answers_len = len;
    send_one(CVG_OK);
    run_until(&losses, 1);
    assert_true(cvg_redis_link_away(link_));
}

static void garbage(void **state)
{
    (void)state;
    hostile("HTTP/1.1 400 Bad Request\r\n\r\n", 0);
    says("does not speak");
}

static void zeros(void **state)
{
    static const char octets[64];
    (void)state;
    hostile(octets, sizeof(octets));
}

static void array_without_end(void **state)
{
    (void)state;
    hostile("*2147483647\r\n:1\r\n", 0);
}

static void array_too_deep(void **state)
{
    (void)state;
    hostile("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", 0);
}

static void negative_length(void **state)
{
    (void)state;
    hostile("$-2\r\n", 0);
}

static void half_a_reply_and_the_end(void **state)
{
    (void)state;
    server.answers = "+PONG\r\n";
    run_until(&changes, 1);
    server.answers = "$100\r\nabc";
    server.hangs_up = true;
    send_one(CVG_OK);
    run_until(&losses, 1);
    says("hung up");
}

/* hiredis' own asynchronous connection ends the process here. */
static void answers_nobody_asked_for(void **state)
{
    (void)state;
    server.answers = "+PONG\r\n+PONG\r\n+PONG\r\n";
    run_until(&changes, 2);
    says("without being asked");
}

static void pump(uv_idle_t *idle)
{
    static char zero[65536];
    uv_buf_t out = uv_buf_init(zero, sizeof(zero));
    if (server.heard_len >= 2 * strlen(COMMAND)) /* and so the reply has begun */
        (void)uv_try_write((uv_stream_t *)&server.peer[0], &out, 1);
    (void)idle;
}

static void reply_without_end(void **state)
{
    uv_idle_t idle;
    (void)state;
    server.answers = "+PONG\r\n";
    run_until(&changes, 1);
    server.answers = "$500000000\r\n";
    send_one(CVG_OK);
    uv_idle_init(&loop, &idle);
    uv_idle_start(&idle, pump);
    run_until(&losses, 1);
    uv_close((uv_handle_t *)&idle, NULL);
    uv_run(&loop, UV_RUN_NOWAIT);
    says("too long");
}

static void too_many_commands(void **state)
{
    (void)state;
    for (int i = 0; i < CVG_REDIS_COMMANDS_MAX; i++)
        send_one(CVG_OK);
    send_one(CVG_ERR_BUSY);
    server.hangs_up = true;
    run_until(&losses, CVG_REDIS_COMMANDS_MAX);
}

static void freed_in_its_own_calls(void **state)
{
    (void)state;
    server.answers = "+PONG\r\n";
    free_in_done = true;
    send_one(CVG_OK);
    send_one(CVG_OK);
    run_until(&oks, 1);
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(oks + losses, 1);
}

static void freed_when_it_is_lost(void **state)
{
    (void)state;
    server.hangs_up = true;
    free_in_done = true;
    send_one(CVG_OK);
    send_one(CVG_OK);
    run_until(&losses, 1);
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(losses, 1);
    assert_int_equal(changes, 0);
}

static void freed_when_it_changes(void **state)
{
    (void)state;
    server.answers = "+PONG\r\n";
    free_in_changed = true;
    send_one(CVG_OK);
    run_until(&changes, 1);
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(oks + losses, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers_come_in_order),
        TEST(login_comes_first),
        TEST(wrong_password_is_told),
        TEST(missing_password_is_told),
        TEST(silence_is_away),
        TEST(silence_after_login_is_away),
        TEST(it_comes_back),
        TEST(garbage),
        TEST(zeros),
        TEST(array_without_end),
        TEST(array_too_deep),
        TEST(negative_length),
        TEST(half_a_reply_and_the_end),
        TEST(answers_nobody_asked_for),
        TEST(reply_without_end),
        TEST(too_many_commands),
        TEST(freed_in_its_own_calls),
        TEST(freed_when_it_is_lost),
        TEST(freed_when_it_changes),
    };
    alarm(300); /* what never happens is a failure, too */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
