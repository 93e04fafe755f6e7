/* SPDX-License-Identifier: MIT */
/* HTTP/1.0 and 1.1, case by case: what is a request and where it ends, and with which status
 * everything else is refused. Each case is fed whole and octet by octet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "notary/http.h"

struct good {
    const char *name;
    const char *octets;
    const char *path;
    const char *body;
    const char *rest; /* belongs to the next request */
    bool keep_alive;
    bool expects;
};

#define POST    "POST /p HTTP/1.1\r\nHost: n\r\n"
#define GET     "GET /p HTTP/1.1\r\nHost: n\r\n"
#define BLANKS  "                                                                                "
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"

static const struct good goods[] = {
    {"1.0 without Host", "GET /p HTTP/1.0\r\n\r\n", "/p", "", "", false, false},
    {"1.0 kept alive", "GET /p HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "/p", "", "", true,
     false},
    {"1.1", GET "\r\n", "/p", "", "", true, false},
    {"1.1 that closes", GET "Connection: close\r\n\r\n", "/p", "", "", false, false},
    {"close among other tokens", GET "Connection: TE, Close\r\n\r\n", "/p", "", "", false, false},
    {"close in the second of two fields", GET "Connection: TE\r\nConnection: close\r\n\r\n", "/p",
     "", "", false, false},
    {"another token", GET "Connection: TE\r\n\r\n", "/p", "", "", true, false},
    {"an upgrade, which is not taken", GET "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\nGET", "/p",
     "", "GET", true, false},
    {"empty Host", "GET /p HTTP/1.1\r\nHost:\r\n\r\n", "/p", "", "", true, false},
    {"Host with port", "GET /p HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n\r\n", "/p", "", "", true,
     false},
    {"absolute target", "GET https://n.example:443/p?q HTTP/1.1\r\nHost: n\r\n\r\n", "/p?q", "", "",
     true, false},
    {"absolute target, other scheme and case", "GET HTTP://n/p HTTP/1.1\r\nHost: n\r\n\r\n", "/p",
     "", "", true, false},
    {"absolute target without path", "GET https://n HTTP/1.1\r\nHost: n\r\n\r\n", "/", "", "", true,
     false},
    {"empty lines before", "\r\n\r\n" GET "\r\n", "/p", "", "", true, false},
    {"length", POST "Content-Length: 3\r\n\r\nabcGET", "/p", "abc", "GET", true, false},
    {"length with blanks", POST "Content-Length: \t 3 \r\n\r\nabc", "/p", "abc", "", true, false},
    {"length zero", POST "Content-Length: 0\r\n\r\nabc", "/p", "", "abc", true, false},
    {"length with leading zeros", POST "Content-Length: 0003\r\n\r\nabc", "/p", "abc", "", true,
     false},
    {"no length", POST "\r\nabc", "/p", "", "abc", true, false},
    {"pipelined", GET "\r\n" GET "\r\n", "/p", "", GET "\r\n", true, false},
    {"GET with a body", GET "Content-Length: 3\r\n\r\nabcGET", "/p", "abc", "GET", true, false},
    {"chunks", CHUNKED "3\r\nabc\r\n02\r\nde\r\n0\r\n\r\nGET", "/p", "abcde", "GET", true, false},
    {"chunks in other letters",
     POST "TRANSFER-ENCODING: CHUNKED \r\n\r\nA\r\n0123456789\r\n0\r\n\r\n", "/p", "0123456789", "",
     true, false},
    {"no chunks", CHUNKED "0\r\n\r\nGET", "/p", "", "GET", true, false},
    {"chunk extensions", CHUNKED "3;a;b=\"c\"\r\nabc\r\n0;d\r\n\r\n", "/p", "abc", "", true, false},
    {"trailers", CHUNKED "3\r\nabc\r\n0\r\nA: b\r\nContent-Length: 5\r\n\r\nGET", "/p", "abc",
     "GET", true, false},
    {"a body held back", POST "Expect: 100-Continue\r\nContent-Length: 3\r\n\r\n", NULL, NULL, "",
     true, true},
    {"chunks held back", POST "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n", NULL,
     NULL, "", true, true},
    {"no body to hold back", GET "Expect: 100-continue\r\n\r\n", "/p", "", "", true, false},
    {"1.0 cannot expect",
     "POST /p HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc", "/p", "abc", "",
     false, false},
    {"octets beyond ASCII in a value", GET "X: \xc3\xa9\xff\r\n\r\n", "/p", "", "", true, false},
    {"an empty value", GET "X:\r\n\r\n", "/p", "", "", true, false},
    {"a tab in a value", GET "X: a\tb\r\n\r\n", "/p", "", "", true, false},
};

struct bad {
    const char *name;
    const char *octets;
    size_t len; /* 0: up to the NUL */
    unsigned status;
};

static const struct bad bads[] = {
    /* requests that two parsers may cut in different places */
    {"length and chunks", POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 0, 400},
    {"chunks and length", POST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 0, 400},
    {"chunks in 1.0", "POST /p HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 0, 400},
    {"two lengths", POST "Content-Length: 3\r\nContent-Length: 4\r\n\r\n", 0, 400},
    {"the same length twice", POST "Content-Length: 3\r\nContent-Length: 3\r\n\r\n", 0, 400},
    {"a list of lengths", POST "Content-Length: 3, 3\r\n\r\n", 0, 400},
    {"a signed length", POST "Content-Length: +3\r\n\r\n", 0, 400},
    {"a negative length", POST "Content-Length: -3\r\n\r\n", 0, 400},
    {"a hexadecimal length", POST "Content-Length: 0x3\r\n\r\n", 0, 400},
    {"an empty length", POST "Content-Length:\r\n\r\n", 0, 400},
    {"a length with a blank inside", POST "Content-Length: 1 2\r\n\r\n", 0, 400},
    {"a length that overflows", POST "Content-Length: 18446744073709551617\r\n\r\n", 0, 400},
    {"a blank before the colon", POST "Content-Length : 3\r\n\r\n", 0, 400},
    {"a folded line", GET "X: a\r\n b\r\n\r\n", 0, 400},
    {"a folded line with a tab", GET "X: a\r\n\tb\r\n\r\n", 0, 400},
    {"a folded coding", POST "Transfer-Encoding:\r\n chunked\r\n\r\n", 0, 400},
    {"a blank before the first field", "GET /p HTTP/1.1\r\n Host: n\r\n\r\n", 0, 400},
    {"bare LF after the request line", "GET /p HTTP/1.1\nHost: n\r\n\r\n", 0, 400},
    {"bare LF after a field", GET "X: a\nY: b\r\n\r\n", 0, 400},
    {"bare LF at the end", GET "\n", 0, 400},
    {"bare LF before", "\nGET /p HTTP/1.0\r\n\r\n", 0, 400},
    {"bare CR in a value", GET "X: a\rY: b\r\n\r\n", 0, 400},
    {"bare CR after a value", GET "X: a\r\r\n\r\n", 0, 400},
    {"bare CR at the end", GET "\rX: a\r\n\r\n", 0, 400},
    {"NUL in a value", GET "X: a\0b\r\n\r\n", sizeof(GET "X: a\0b\r\n\r\n") - 1, 400},
    {"NUL in a name", GET "X\0: a\r\n\r\n", sizeof(GET "X\0: a\r\n\r\n") - 1, 400},
    {"NUL in the target", "GET /p\0 HTTP/1.0\r\n\r\n", sizeof("GET /p\0 HTTP/1.0\r\n\r\n") - 1,
     400},
    {"a control character in a value", GET "X: \x1b[\r\n\r\n", 0, 400},
    {"DEL in a value", GET "X: \x7f\r\n\r\n", 0, 400},
    {"a chunked coding twice",
     POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 0, 400},
    {"bare LF after a chunk's size", CHUNKED "3\nabc\r\n0\r\n\r\n", 0, 400},
    {"bare CR after a chunk's size", CHUNKED "3\rXabc\r\n0\r\n\r\n", 0, 400},
    {"bare LF in an extension", CHUNKED "3;a\nabc\r\n0\r\n\r\n", 0, 400},
    {"bare CR in an extension", CHUNKED "3;a\rabc\r\nabc\r\n0\r\n\r\n", 0, 400},
    {"NUL in an extension", CHUNKED "3;\0\r\nabc\r\n0\r\n\r\n",
     sizeof(CHUNKED "3;\0\r\nabc\r\n0\r\n\r\n") - 1, 400},
    {"bare LF after a chunk", CHUNKED "3\r\nabc\n0\r\n\r\n", 0, 400},
    {"a chunk longer than its size", CHUNKED "3\r\nabcd\r\n0\r\n\r\n", 0, 400},
    {"a chunk without size", CHUNKED "\r\nabc\r\n0\r\n\r\n", 0, 400},
    {"a chunk with an extension and no size", CHUNKED ";a\r\nabc\r\n0\r\n\r\n", 0, 400},
    {"a chunk's size with a blank", CHUNKED "3 \r\nabc\r\n0\r\n\r\n", 0, 400},
    {"a chunk's size with 0x", CHUNKED "0x3\r\nabc\r\n0\r\n\r\n", 0, 400},
    {"a chunk's size with a sign", CHUNKED "+3\r\nabc\r\n0\r\n\r\n", 0, 400},
    {"bare LF behind the last chunk", CHUNKED "0\r\n\n", 0, 400},
    {"a trailer without colon", CHUNKED "0\r\nGET\r\n\r\n", 0, 400},
    {"bare LF in a trailer", CHUNKED "0\r\nA: b\n\r\n", 0, 400},
    {"a folded trailer", CHUNKED "0\r\nA: b\r\n c\r\n\r\n", 0, 400},
    /* heads */
    {"1.1 without Host", "GET /p HTTP/1.1\r\n\r\n", 0, 400},
    {"two Hosts", GET "Host: n\r\n\r\n", 0, 400},
    {"a Host with a blank", "GET /p HTTP/1.1\r\nHost: a b\r\n\r\n", 0, 400},
    {"a list of Hosts", "GET /p HTTP/1.1\r\nHost: a, b\r\n\r\n", 0, 400},
    {"a Host with a path", "GET /p HTTP/1.1\r\nHost: a/b\r\n\r\n", 0, 400},
    {"a Host with a user", "GET /p HTTP/1.1\r\nHost: a@b\r\n\r\n", 0, 400},
    {"no version", "GET /p\r\n\r\n", 0, 400},
    {"no target", "GET HTTP/1.1\r\n\r\n", 0, 400},
    {"two blanks", "GET  /p HTTP/1.1\r\nHost: n\r\n\r\n", 0, 400},
    {"a blank in the target", "GET /p q HTTP/1.1\r\nHost: n\r\n\r\n", 0, 400},
    {"a tab for a blank", "GET\t/p HTTP/1.1\r\nHost: n\r\n\r\n", 0, 400},
    {"a blank before the method", " GET /p HTTP/1.1\r\nHost: n\r\n\r\n", 0, 400},
    {"a blank behind the version", "GET /p HTTP/1.1 \r\nHost: n\r\n\r\n", 0, 505},
    {"another protocol", "GET /p ICY/1.1\r\nHost: n\r\n\r\n", 0, 400},
    {"a target that is no path", "GET p HTTP/1.1\r\nHost: n\r\n\r\n", 0, 400},
    {"an absolute target without authority", "GET https:///p HTTP/1.1\r\nHost: n\r\n\r\n", 0, 400},
    {"an absolute target with a user", "GET https://u@n/p HTTP/1.1\r\nHost: n\r\n\r\n", 0, 400},
    {"a field without colon", GET "X\r\n\r\n", 0, 400},
    {"a field without name", GET ": a\r\n\r\n", 0, 400},
    {"a blank in a name", GET "X Y: a\r\n\r\n", 0, 400},
    {"a TLS ClientHello", "\x16\x03\x01\x02", 0, 400},
    {"an unknown method", "BREW /p HTTP/1.1\r\nHost: n\r\n\r\n", 0, 405},
    {"a method in small letters", "get /p HTTP/1.1\r\nHost: n\r\n\r\n", 0, 405},
    {"a body too large", POST "Content-Length: 8193\r\n\r\n", 0, 413},
    {"a body too large that is held back",
     POST "Expect: 100-continue\r\nContent-Length: 8193\r\n\r\n", 0, 413},
    {"a chunk too large", CHUNKED "2001\r\n", 0, 413},
    {"a chunk's size that overflows", CHUNKED "10000000000000003\r\nabc", 0, 413},
    {"another expectation", POST "Expect: 200-ok\r\nContent-Length: 3\r\n\r\n", 0, 417},
    {"another coding", POST "Transfer-Encoding: gzip\r\n\r\n", 0, 501},
    {"chunks of another coding", POST "Transfer-Encoding: gzip, chunked\r\n\r\n", 0, 501},
    {"another coding of chunks", POST "Transfer-Encoding: chunked, gzip\r\n\r\n", 0, 400},
    {"almost chunked", POST "Transfer-Encoding: xchunked\r\n\r\n", 0, 501},
    {"something far behind a coding",
     POST "Transfer-Encoding: chunked" BLANKS BLANKS BLANKS BLANKS "x\r\n\r\n0\r\n\r\n", 0, 501},
    {"something far behind an expectation",
     POST "Expect: 100-continue" BLANKS BLANKS BLANKS BLANKS "x\r\nContent-Length: 3\r\n\r\n", 0,
     417},
    {"version 2", "GET /p HTTP/2.0\r\nHost: n\r\n\r\n", 0, 505},
    {"version 9.9", "GET /p HTTP/9.9\r\nHost: n\r\n\r\n", 0, 505},
};

/* Feeds the octets in pieces of that size up to the end of one request. */
static enum cvg_http_state feed(struct cvg_http *http, const char *octets, size_t len, size_t piece,
                                size_t *ret_taken)
{
    enum cvg_http_state state = CVG_HTTP_MORE;
    *ret_taken = 0;
    while (state == CVG_HTTP_MORE && *ret_taken < len) {
        size_t taken = 0, rest = len - *ret_taken;
        state = cvg_http_feed(http, octets + *ret_taken, rest < piece ? rest : piece, &taken);
        *ret_taken += taken;
    }
    return state;
}

static void check_good(const struct good *good, size_t piece)
{
    struct cvg_http *http = NULL;
    size_t taken = 0;
    assert_int_equal(cvg_http_new(&http), CVG_OK);
    enum cvg_http_state state = feed(http, good->octets, strlen(good->octets), piece, &taken);
    const struct cvg_http_request *request = cvg_http_request(http);
    if (state != (good->path == NULL ? CVG_HTTP_MORE : CVG_HTTP_COMPLETE))
        fail_msg("%s: state %d, problem %u", good->name, (int)state, cvg_http_problem(http));
    assert_string_equal(good->octets + taken, good->rest);
    assert_true(cvg_http_begun(http));
    if (cvg_http_expects(http) != good->expects || cvg_http_expects(http))
        fail_msg("%s: 100 Continue", good->name);
    if (good->path != NULL) {
        assert_string_equal(request->path, good->path);
        assert_int_equal(request->body_len, strlen(good->body));
        assert_memory_equal(request->body, good->body, request->body_len);
        assert_int_equal(request->keep_alive, good->keep_alive);
    }
    cvg_http_free(http);
}

static void requests(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(goods) / sizeof(goods[0]); i++) {
        check_good(&goods[i], 4096);
        check_good(&goods[i], 1);
    }
}

static void check_bad(const struct bad *bad, size_t piece)
{
    struct cvg_http *http = NULL;
    size_t taken = 0;
    size_t len = bad->len > 0 ? bad->len : strlen(bad->octets);
    assert_int_equal(cvg_http_new(&http), CVG_OK);
    enum cvg_http_state state = feed(http, bad->octets, len, piece, &taken);
    if (state != CVG_HTTP_BAD || cvg_http_problem(http) != bad->status)
        fail_msg("%s: state %d, problem %u, not %u", bad->name, (int)state, cvg_http_problem(http),
                 bad->status);
    cvg_http_free(http);
}

static void refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
        check_bad(&bads[i], 4096);
        check_bad(&bads[i], 1);
    }
}

/* A head, or a body's frame, that goes on for ever: a beginning, and what is repeated. */
static void endless(void **state)
{
    static const struct {
        const char *name, *begin, *again;
        unsigned status;
    } cases[] = {
        {"target", "GET /", "a", 414},
        {"value", GET "X: ", "a", 431},
        {"name", GET "X", "a", 431},
        {"fields", GET, "X: a\r\n", 431},
        {"empty lines before", "", "\r\n", 431},
        {"extension", CHUNKED "1;", "a", 413},
        {"zeros of a size", CHUNKED, "0", 413},
        {"small chunks", CHUNKED, "1\r\na\r\n", 413},
        {"trailers", CHUNKED "0\r\n", "X: a\r\n", 413},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cvg_http *http = NULL;
        size_t taken = 0, fed = 0;
        assert_int_equal(cvg_http_new(&http), CVG_OK);
        enum cvg_http_state last = feed(http, cases[i].begin, strlen(cases[i].begin), 4096, &taken);
        while (last == CVG_HTTP_MORE && fed < 65536) {
            last = feed(http, cases[i].again, strlen(cases[i].again), 4096, &taken);
            fed += taken;
        }
        if (last != CVG_HTTP_BAD || cvg_http_problem(http) != cases[i].status)
            fail_msg("%s: problem %u", cases[i].name, cvg_http_problem(http));
        cvg_http_free(http);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests),
        cmocka_unit_test(refusals),
        cmocka_unit_test(endless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
