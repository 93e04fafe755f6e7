/* SPDX-License-Identifier: MIT */
/* HTTP requests out of octets. */
#include "notary/http.h"

#include <llhttp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct cvg_http {
    llhttp_t parser; /* of the head alone */
    struct cvg_http_request request;
    unsigned problem; /* the status, once something is wrong */
    struct cvg_http_lines lines;
    struct cvg_http_body framing;
    bool head_done;
    bool complete;
    bool expects; /* ... 100 Continue */
    unsigned hosts;
    unsigned codings;
    char target[CVG_HTTP_PATH_MAX + 1];
    size_t target_len;
    char field[32]; /* the header field that is being read, cut */
    size_t field_len;
    char value[CVG_HTTP_ALTERNATE_MAX];
    size_t value_len;
    bool value_cut;
    struct cvg_buffer body;
};

static struct cvg_http *http_of(llhttp_t *parser)
{
    return parser->data;
}

static int fail(struct cvg_http *http, unsigned status)
{
    if (http->problem == 0)
        http->problem = status;
    return HPE_USER;
}

static int on_target(llhttp_t *parser, const char *at, size_t len)
{
    struct cvg_http *http = http_of(parser);
    if (len > CVG_HTTP_PATH_MAX - http->target_len)
        return fail(http, 414);
    memcpy(http->target + http->target_len, at, len);
    http->target_len += len;
    return HPE_OK;
}

static int on_field(llhttp_t *parser, const char *at, size_t len)
{
    struct cvg_http *http = http_of(parser);
    for (size_t i = 0; i < len; i++, http->field_len++)
        if (http->field_len < sizeof(http->field))
            http->field[http->field_len] = at[i];
    return HPE_OK;
}

static int on_value(llhttp_t *parser, const char *at, size_t len)
{
    struct cvg_http *http = http_of(parser);
    size_t room = sizeof(http->value) - 1 - http->value_len;
    http->value_cut = http->value_cut || len > room;
    memcpy(http->value + http->value_len, at, len < room ? len : room);
    http->value_len += len < room ? len : room;
    return HPE_OK;
}

static int take_alternate(struct cvg_http *http)
{
    struct cvg_http_request *request = &http->request;
    if (!http->value_cut && request->alternate_count < CVG_HTTP_ALTERNATES_MAX)
        memcpy(request->alternate[request->alternate_count++], http->value, http->value_len + 1);
    return HPE_OK;
}

static int take_host(struct cvg_http *http)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "-._~%!$&'()*+,;=:[]";
    if (++http->hosts > 1 || http->value_cut || strspn(http->value, allowed) != http->value_len)
        return fail(http, 400);
    return HPE_OK;
}

/* Whether that is the whole value, in letters of either case. */
static bool value_is(const struct cvg_http *http, const char *text)
{
    return !http->value_cut && strcasecmp(http->value, text) == 0;
}

/* Chunked alone, and once: nothing else is ever sent to a notary. */
static int take_coding(struct cvg_http *http)
{
    if (!value_is(http, "chunked"))
        return fail(http, 501);
    return ++http->codings > 1 ? fail(http, 400) : HPE_OK;
}

static int take_expectation(struct cvg_http *http)
{
    if (!value_is(http, "100-continue"))
        return fail(http, 417);
    http->expects = true;
    return HPE_OK;
}

static int take_field(struct cvg_http *http)
{
    static const struct {
        const char *name;
        int (*take)(struct cvg_http *http);
    } fields[] = {
        {"Host", take_host},
        {"Transfer-Encoding", take_coding},
        {"Expect", take_expectation},
        {"X-Convergence-Notary", take_alternate},
    };
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (strlen(fields[i].name) == http->field_len &&
            strncasecmp(http->field, fields[i].name, http->field_len) == 0)
            return fields[i].take(http);
    return HPE_OK;
}

static int on_value_complete(llhttp_t *parser)
{
    struct cvg_http *http = http_of(parser);
    while (http->value_len > 0 && strchr(" \t", http->value[http->value_len - 1]) != NULL)
        http->value_len--;
    http->value[http->value_len] = '\0';
    int result = take_field(http);
    http->field_len = 0;
    http->value_len = 0;
    http->value_cut = false;
    return result;
}

/* Takes scheme and authority off an absolute target. */
static bool find_path(struct cvg_http *http)
{
    struct cvg_http_request *request = &http->request;
    char *target = http->target;
    size_t scheme = strncasecmp(target, "http://", 7) == 0    ? 7
                    : strncasecmp(target, "https://", 8) == 0 ? 8
                                                              : 0;
    if (scheme > 0) {
        size_t authority = strcspn(target + scheme, "/?#");
        if (authority == 0 || memchr(target + scheme, '@', authority) != NULL)
            return false;
        target += scheme + authority;
    }
    request->path = *target == '\0' && scheme > 0 ? "/" : target;
    request->path_len = strlen(request->path);
    return true;
}

static enum cvg_http_method method_of(uint8_t method)
{
    return method == HTTP_GET       ? CVG_HTTP_GET
           : method == HTTP_HEAD    ? CVG_HTTP_HEAD
           : method == HTTP_POST    ? CVG_HTTP_POST
           : method == HTTP_CONNECT ? CVG_HTTP_CONNECT
                                    : CVG_HTTP_OTHER;
}

static void begin_body(struct cvg_http *http)
{
    if (http->request.method == CVG_HTTP_CONNECT)
        cvg_http_body_by_length(&http->framing, 0);
    else if (http->codings > 0)
        cvg_http_body_by_chunks(&http->framing);
    else
        cvg_http_body_by_length(&http->framing, (size_t)http->parser.content_length);
}

static int on_headers_complete(llhttp_t *parser)
{
    struct cvg_http *http = http_of(parser);
    struct cvg_http_request *request = &http->request;
    http->target[http->target_len] = '\0';
    request->method = method_of(parser->method);
    request->http_1_0 = parser->http_minor == 0;
    request->keep_alive =
        llhttp_should_keep_alive(parser) != 0 && request->method != CVG_HTTP_CONNECT;
    if (parser->http_major != 1)
        return fail(http, parser->http_major == 0 ? 400 : 505);
    if ((!request->http_1_0 && http->hosts == 0) || !find_path(http))
        return fail(http, 400);
    if (http->codings > 0 && (request->http_1_0 || (parser->flags & F_CONTENT_LENGTH) != 0))
        return fail(http, 400);
    if (parser->content_length > CVG_HTTP_BODY_MAX)
        return fail(http, 413);
    http->expects = http->expects && !request->http_1_0;
    begin_body(http);
    return 1; /* no body, for llhttp */
}

static int on_complete(llhttp_t *parser)
{
    (void)parser;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_url = on_target,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_header_value_complete = on_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_message_complete = on_complete,
};

static void start(struct cvg_http *http)
{
    llhttp_init(&http->parser, HTTP_REQUEST, &settings);
    http->parser.data = http;
}

enum cvg_error cvg_http_new(struct cvg_http **ret_http)
{
    struct cvg_http *http = calloc(1, sizeof(*http));
    if (http == NULL)
        return CVG_ERR_NOMEM;
    cvg_buffer_init(&http->body, CVG_HTTP_BODY_MAX);
    start(http);
    *ret_http = http;
    return CVG_OK;
}

void cvg_http_free(struct cvg_http *http)
{
    if (http == NULL)
        return;
    cvg_buffer_free(&http->body);
    free(http);
}

/* Both parsers must agree about where the head ends. */
static void take_head(struct cvg_http *http, const char *data, size_t len, size_t *ret_taken)
{
    enum cvg_http_lines_state state = cvg_http_lines_scan(&http->lines, data, len, ret_taken);
    llhttp_errno_t err = llhttp_execute(&http->parser, data, *ret_taken);
    http->head_done = state == CVG_HTTP_LINES_END;
    if (err == HPE_INVALID_METHOD)
        (void)fail(http, 405);
    else if (err == HPE_INVALID_VERSION)
        (void)fail(http, 505);
    else if ((err != HPE_OK && err != HPE_PAUSED) || state == CVG_HTTP_LINES_BAD)
        (void)fail(http, 400);
    else if (http->lines.len > CVG_HTTP_HEAD_MAX)
        (void)fail(http, 431);
    else if (http->head_done != (err == HPE_PAUSED))
        (void)fail(http, 400);
}

static void take_body(struct cvg_http *http, const char *data, size_t len, size_t *ret_taken)
{
    enum cvg_http_body_state state =
        cvg_http_body_feed(&http->framing, data, len, &http->body, ret_taken);
    http->complete = state == CVG_HTTP_BODY_END;
    http->expects = http->expects && len == 0 && !http->complete;
    if (state == CVG_HTTP_BODY_BAD || state == CVG_HTTP_BODY_LARGE)
        (void)fail(http, state == CVG_HTTP_BODY_BAD ? 400 : 413);
}

enum cvg_http_state cvg_http_feed(struct cvg_http *http, const void *data, size_t len,
                                  size_t *ret_taken)
{
    size_t taken = 0, at = 0;
    *ret_taken = 0;
    if (len == 0)
        return CVG_HTTP_MORE;
    if (!http->head_done) {
        take_head(http, data, len, &taken);
        at += taken;
    }
    if (http->head_done && http->problem == 0) {
        take_body(http, (const char *)data + at, len - at, &taken);
        at += taken;
    }
    *ret_taken = http->problem == 0 ? at : len;
    http->request.body = http->body.len > 0 ? http->body.data : (const uint8_t *)"";
    http->request.body_len = http->body.len;
    return http->problem != 0 ? CVG_HTTP_BAD : http->complete ? CVG_HTTP_COMPLETE : CVG_HTTP_MORE;
}

const struct cvg_http_request *cvg_http_request(const struct cvg_http *http)
{
    return &http->request;
}

unsigned cvg_http_problem(const struct cvg_http *http)
{
    return http->problem;
}

bool cvg_http_begun(const struct cvg_http *http)
{
    return http->lines.begun;
}

bool cvg_http_expects(struct cvg_http *http)
{
    bool expects = http->head_done && http->expects;
    http->expects = http->expects && !expects;
    return expects;
}

void cvg_http_next(struct cvg_http *http)
{
    http->lines = (struct cvg_http_lines){.len = 0};
    http->head_done = http->complete = http->expects = false;
    http->problem = http->hosts = http->codings = 0;
    http->target_len = http->field_len = http->value_len = 0;
    http->value_cut = false;
    http->request = (struct cvg_http_request){.method = CVG_HTTP_OTHER};
    cvg_buffer_clear(&http->body);
    start(http);
}
