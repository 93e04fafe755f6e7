/* SPDX-License-Identifier: MIT */
/* HTTP requests: whole, in pieces, several at once, too large, malformed; and what they ask for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "notary/http-date.h"
#include "notary/route.h"

#define SHA1_TEXT "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13"

static const char post[] = "POST /target/www.example.com+443 HTTP/1.0\r\n"
                           "Content-Type: application/x-www-form-urlencoded\r\n"
                           "Connection: close\r\nContent-Length: 71\r\n\r\n"
                           "fingerprint=" SHA1_TEXT;

static struct cvg_http *new_http(void)
{
    struct cvg_http *http = NULL;
    assert_int_equal(cvg_http_new(&http), CVG_OK);
    return http;
}

/* Feeds the text in pieces of that size up to the end of one request. */
static enum cvg_http_state feed(struct cvg_http *http, const char *text, size_t len, size_t piece,
                                size_t *ret_taken)
{
    enum cvg_http_state state = CVG_HTTP_MORE;
    *ret_taken = 0;
    while (state == CVG_HTTP_MORE && *ret_taken < len) {
        size_t taken = 0;
        size_t rest = len - *ret_taken;
        state = cvg_http_feed(http, text + *ret_taken, rest < piece ? rest : piece, &taken);
        *ret_taken += taken;
    }
    return state;
}

static void the_original_clients_request(void **state)
{
    (void)state;
    for (size_t piece = 1; piece <= sizeof(post); piece++) {
        struct cvg_http *http = new_http();
        struct cvg_route route;
        size_t taken = 0;
        assert_int_equal(feed(http, post, sizeof(post) - 1, piece, &taken), CVG_HTTP_COMPLETE);
        const struct cvg_http_request *request = cvg_http_request(http);
        assert_int_equal(request->method, CVG_HTTP_POST);
        assert_true(request->http_1_0);
        assert_false(request->keep_alive);
        cvg_route_find(request, &route);
        assert_int_equal(route.kind, CVG_ROUTE_V1);
        assert_string_equal(route.target.host, "www.example.com");
        assert_int_equal(route.target.port, 443);
        assert_true(route.have_sha1);
        assert_int_equal(route.sha1[19], 0x13);
        cvg_http_free(http);
    }
}

static void requests_back_to_back(void **state)
{
    static const char text[] = "GET /target/a.example+1 HTTP/1.1\r\nHost: n\r\n\r\n"
                               "POST /target/b.example+2 HTTP/1.1\r\nHost: n\r\n"
                               "Content-Length: 3\r\n\r\nabc"
                               "GET /target/c.example+3 HTTP/1.1\r\nHost: n\r\n\r\n";
    static const char *const paths[] = {"/target/a.example+1", "/target/b.example+2",
                                        "/target/c.example+3"};
    (void)state;
    for (size_t piece = 1; piece <= sizeof(text); piece++) {
        struct cvg_http *http = new_http();
        const char *rest = text;
        for (size_t i = 0; i < 3; i++) {
            size_t taken = 0;
            assert_int_equal(feed(http, rest, strlen(rest), piece, &taken), CVG_HTTP_COMPLETE);
            assert_string_equal(cvg_http_request(http)->path, paths[i]);
            assert_true(cvg_http_request(http)->keep_alive);
            assert_int_equal(cvg_http_request(http)->body_len, i == 1 ? 3 : 0);
            rest += taken;
            cvg_http_next(http);
            assert_false(cvg_http_begun(http));
        }
        assert_string_equal(rest, "");
        cvg_http_free(http);
    }
}

static unsigned problem_of(const char *text, size_t len)
{
    struct cvg_http *http = new_http();
    size_t taken = 0;
    unsigned problem = 0;
    if (feed(http, text, len, 1000, &taken) == CVG_HTTP_BAD)
        problem = cvg_http_problem(http);
    cvg_http_free(http);
    return problem;
}

static void problems(void **state)
{
    static char large[32768];
    (void)state;
    assert_int_equal(problem_of("nonsense\r\n\r\n", 12), 405);
    assert_int_equal(problem_of("GET  \r\n\r\n", 9), 400);
    assert_int_equal(problem_of("GET / HTTP/9.9\r\n\r\n", 18), 505);
    assert_int_equal(problem_of("GET / HTTP/1.1\r\nA B\r\n\r\n", 23), 400);
    assert_int_equal(problem_of("POST / HTTP/1.0\r\nContent-Length: 8193\r\n\r\n", 41), 413);
    assert_int_equal(problem_of("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 39), 400);
    memset(large, 'a', sizeof(large));
    memcpy(large, "GET /", 5);
    assert_int_equal(problem_of(large, sizeof(large)), 414);
    memcpy(large, "GET / HTTP/1.1\r\nX: ", 19);
    assert_int_equal(problem_of(large, sizeof(large)), 431);
}

static void both_length_and_chunks_are_refused(void **state)
{
    static const char text[] = "POST / HTTP/1.1\r\nContent-Length: 3\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    (void)state;
    assert_int_equal(problem_of(text, sizeof(text) - 1), 400);
}

static void chunked_body(void **state)
{
    static const char text[] = "POST /v2/query HTTP/1.1\r\nHost: n\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    struct cvg_http *http = new_http();
    size_t taken = 0;
    (void)state;
    assert_int_equal(feed(http, text, sizeof(text) - 1, 7, &taken), CVG_HTTP_COMPLETE);
    assert_int_equal(cvg_http_request(http)->body_len, 5);
    assert_memory_equal(cvg_http_request(http)->body, "abcde", 5);
    cvg_http_free(http);
}

static void connect_with_alternates(void **state)
{
    static const char text[] = "CONNECT b.example+4242 HTTP/1.0\r\n"
                               "X-Convergence-Notary: c.example+4242\r\n"
                               "Other: x\r\n"
                               "x-CONVERGENCE-notary:  d.example:4242\r\n\r\nTLS";
    (void)state;
    for (size_t piece = 1; piece <= sizeof(text); piece++) {
        struct cvg_http *http = new_http();
        size_t taken = 0;
        assert_int_equal(feed(http, text, sizeof(text) - 1, piece, &taken), CVG_HTTP_COMPLETE);
        const struct cvg_http_request *request = cvg_http_request(http);
        assert_int_equal(request->method, CVG_HTTP_CONNECT);
        assert_string_equal(request->path, "b.example+4242");
        assert_int_equal(request->alternate_count, 2);
        assert_string_equal(request->alternate[0], "c.example+4242");
        assert_string_equal(request->alternate[1], "d.example:4242");
        assert_string_equal(text + taken, "TLS");
        cvg_http_free(http);
    }
}

static void relay_destinations(void **state)
{
    static const char *const bad[] = {"",
                                      "+",
                                      "a.example",
                                      "a.example+",
                                      "a.example+0",
                                      "a.example+65536",
                                      "a.example+123456",
                                      "+4242",
                                      "4242",
                                      "a..example+4242",
                                      "a.example 4242",
                                      "a.example/4242",
                                      "user@a.example:4242"};
    struct cvg_endpoint endpoint;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_not_equal(cvg_route_relay(bad[i], strlen(bad[i]), &endpoint), CVG_OK);
    assert_int_equal(cvg_route_relay("B.example.+4242", 15, &endpoint), CVG_OK);
    assert_string_equal(endpoint.host, "b.example");
    assert_int_equal(endpoint.port, 4242);
    assert_int_equal(cvg_route_relay("[2001:db8::1]:4242", 18, &endpoint), CVG_OK);
    assert_int_equal(endpoint.kind, CVG_HOST_IPV6);
    assert_int_equal(cvg_route_relay("192.0.2.1+65535", 15, &endpoint), CVG_OK);
    assert_int_equal(endpoint.port, 65535);
}

static void find_route(const char *line, struct cvg_route *ret_route)
{
    struct cvg_http *http = new_http();
    size_t taken = 0;
    char text[512];
    int len = snprintf(text, sizeof(text), "%s HTTP/1.0\r\n\r\n", line);
    assert_int_equal(feed(http, text, (size_t)len, 512, &taken), CVG_HTTP_COMPLETE);
    cvg_route_find(cvg_http_request(http), ret_route);
    cvg_http_free(http);
}

static void route_is(const char *line, enum cvg_route_kind kind, unsigned status)
{
    struct cvg_route route;
    find_route(line, &route);
    assert_int_equal(route.kind, kind);
    assert_int_equal(route.status, status);
    assert_null(route.allow);
}

static void allows(const char *line, const char *methods)
{
    struct cvg_route route;
    find_route(line, &route);
    assert_int_equal(route.kind, CVG_ROUTE_PROBLEM);
    assert_int_equal(route.status, 405);
    assert_string_equal(route.allow, methods);
}

static void routes(void **state)
{
    (void)state;
    route_is("GET /target/a.example+443", CVG_ROUTE_V1, 0);
    route_is("GET /target/a.example+443?x=y", CVG_ROUTE_V1, 0);
    route_is("GET /target/", CVG_ROUTE_PROBLEM, 400);
    route_is("GET /target/a.example", CVG_ROUTE_PROBLEM, 400);
    route_is("POST /target/a.example+443", CVG_ROUTE_PROBLEM, 400);
    allows("DELETE /target/a.example+443", "GET, HEAD, POST");
    allows("GET /v2/query", "POST");
    route_is("POST /v2/query", CVG_ROUTE_PROBLEM, 400);
    route_is("GET /bundle.notary", CVG_ROUTE_BUNDLE, 0);
    route_is("GET /bundle-v1.notary", CVG_ROUTE_BUNDLE_V1, 0);
    allows("POST /bundle.notary", "GET, HEAD");
    allows("DELETE /bundle-v1.notary", "GET, HEAD");
    route_is("GET /", CVG_ROUTE_PROBLEM, 404);
    route_is("GET /target", CVG_ROUTE_PROBLEM, 404);
    allows("OPTIONS *", "GET, HEAD, POST");
}

static void heads(void **state)
{
    struct cvg_buffer head;
    (void)state;
    cvg_buffer_init(&head, 1024);
    const struct cvg_http_answer good = {
        .status = 200,
        .http_1_0 = true,
        .content_type = "application/json",
        .content_len = 12,
        .date = "Date: then\r\n",
    };
    assert_int_equal(cvg_http_head(&good, &head), CVG_OK);
    assert_string_equal((char *)head.data,
                        "HTTP/1.0 200 OK\r\nServer: converge-notaryd\r\nDate: then\r\n"
                        "Content-Type: application/json\r\nContent-Length: 12\r\n"
                        "Connection: close\r\n\r\n");
    cvg_buffer_clear(&head);
    const struct cvg_http_answer busy = {
        .status = 429, .keep_alive = true, .retry_after_s = 17, .date = ""};
    assert_int_equal(cvg_http_head(&busy, &head), CVG_OK);
    assert_string_equal((char *)head.data,
                        "HTTP/1.1 429 Too Many Requests\r\nServer: converge-notaryd\r\n"
                        "Retry-After: 17\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
    cvg_buffer_clear(&head);
    const struct cvg_http_answer wrong = {.status = 405, .allow = "POST", .date = ""};
    assert_int_equal(cvg_http_head(&wrong, &head), CVG_OK);
    assert_non_null(strstr((char *)head.data, "\r\nAllow: POST\r\n"));
    cvg_buffer_free(&head);
}

static void dates(void **state)
{
    struct cvg_http_date date = {.wall_s = 0};
    (void)state;
    assert_string_equal(cvg_http_date(&date, 784111777), "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    assert_string_equal(cvg_http_date(&date, 1709251199),
                        "Date: Thu, 29 Feb 2024 23:59:59 GMT\r\n");
    assert_string_equal(cvg_http_date(&date, 784111777), "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    assert_string_equal(cvg_http_date(&date, 253402300799),
                        "Date: Fri, 31 Dec 9999 23:59:59 GMT\r\n");
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(cvg_http_date(&date, (int64_t[]){0, -1, 253402300800, INT64_MAX}[i]),
                            "");
}

/* The second decides, and nothing is put together twice in it. */
static void dates_are_kept(void **state)
{
    struct cvg_http_date date = {.wall_s = 0};
    (void)state;
    (void)cvg_http_date(&date, 784111777);
    date.line[0] = 'd';
    assert_int_equal(cvg_http_date(&date, 784111777)[0], 'd');
    assert_int_equal(cvg_http_date(&date, 784111778)[0], 'D');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_original_clients_request),
        cmocka_unit_test(requests_back_to_back),
        cmocka_unit_test(problems),
        cmocka_unit_test(both_length_and_chunks_are_refused),
        cmocka_unit_test(chunked_body),
        cmocka_unit_test(connect_with_alternates),
        cmocka_unit_test(relay_destinations),
        cmocka_unit_test(routes),
        cmocka_unit_test(heads),
        cmocka_unit_test(dates),
        cmocka_unit_test(dates_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
