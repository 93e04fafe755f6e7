/* SPDX-License-Identifier: MIT */
/* HTTP requests out of octets. */
#include "notary/http.h"

#include <llhttp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct cvg_http {
    llhttp_t parser;
    struct cvg_http_request request;
    unsigned problem; /* the status, once something is wrong */
    bool begun;
    size_t head_len;
    char path[CVG_HTTP_PATH_MAX + 1];
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

/* Counts octets of the head; what llhttp does not hand out (blanks, colons) is not counted. */
static int count_head(struct cvg_http *http, size_t len)
{
    http->head_len += len;
    return http->head_len > CVG_HTTP_HEAD_MAX ? fail(http, 431) : HPE_OK;
}

static int on_begin(llhttp_t *parser)
{
    http_of(parser)->begun = true;
    return HPE_OK;
}

static int on_url(llhttp_t *parser, const char *at, size_t len)
{
    struct cvg_http *http = http_of(parser);
    if (len > CVG_HTTP_PATH_MAX - http->request.path_len)
        return fail(http, 414);
    memcpy(http->path + http->request.path_len, at, len);
    http->request.path_len += len;
    return count_head(http, len);
}

static int on_field(llhttp_t *parser, const char *at, size_t len)
{
    struct cvg_http *http = http_of(parser);
    for (size_t i = 0; i < len; i++, http->field_len++)
        if (http->field_len < sizeof(http->field))
            http->field[http->field_len] = at[i];
    return count_head(http, len + 2);
}

static int on_value(llhttp_t *parser, const char *at, size_t len)
{
    struct cvg_http *http = http_of(parser);
    size_t room = sizeof(http->value) - 1 - http->value_len;
    http->value_cut = http->value_cut || len > room;
    memcpy(http->value + http->value_len, at, len < room ? len : room);
    http->value_len += len < room ? len : room;
    return count_head(http, len + 2);
}

static int on_value_complete(llhttp_t *parser)
{
    static const char alternate[] = "X-Convergence-Notary";
    struct cvg_http *http = http_of(parser);
    struct cvg_http_request *request = &http->request;
    if (http->field_len == sizeof(alternate) - 1 &&
        strncasecmp(http->field, alternate, sizeof(alternate) - 1) == 0 && !http->value_cut &&
        request->alternate_count < CVG_HTTP_ALTERNATES_MAX) {
        http->value[http->value_len] = '\0';
        memcpy(request->alternate[request->alternate_count++], http->value, http->value_len + 1);
    }
    http->field_len = 0;
    http->value_len = 0;
    http->value_cut = false;
    return HPE_OK;
}

static int on_headers_complete(llhttp_t *parser)
{
    struct cvg_http *http = http_of(parser);
    if (parser->content_length > CVG_HTTP_BODY_MAX)
        return fail(http, 413);
    return HPE_OK;
}

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
    struct cvg_http *http = http_of(parser);
    return cvg_buffer_put(&http->body, at, len) == CVG_OK ? HPE_OK : fail(http, 413);
}

static enum cvg_http_method method_of(uint8_t method)
{
    return method == HTTP_GET       ? CVG_HTTP_GET
           : method == HTTP_POST    ? CVG_HTTP_POST
           : method == HTTP_CONNECT ? CVG_HTTP_CONNECT
                                    : CVG_HTTP_OTHER;
}

static int on_complete(llhttp_t *parser)
{
    struct cvg_http *http = http_of(parser);
    struct cvg_http_request *request = &http->request;
    http->path[request->path_len] = '\0';
    request->path = http->path;
    request->method = method_of(parser->method);
    request->http_1_0 =
        parser->http_major == 0 || (parser->http_major == 1 && parser->http_minor == 0);
    request->keep_alive = llhttp_should_keep_alive(parser) != 0;
    request->body = http->body.len > 0 ? http->body.data : (const uint8_t *)"";
    request->body_len = http->body.len;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_message_begin = on_begin,
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_header_value_complete = on_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
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

enum cvg_http_state cvg_http_feed(struct cvg_http *http, const void *data, size_t len,
                                  size_t *ret_taken)
{
    *ret_taken = len;
    if (len == 0)
        return CVG_HTTP_MORE;
    llhttp_errno_t err = llhttp_execute(&http->parser, data, len);
    if (err == HPE_OK)
        return CVG_HTTP_MORE;
    if (err == HPE_PAUSED || err == HPE_PAUSED_UPGRADE) {
        *ret_taken = (size_t)(llhttp_get_error_pos(&http->parser) - (const char *)data);
        return CVG_HTTP_COMPLETE;
    }
    if (err == HPE_INVALID_METHOD)
        (void)fail(http, 405);
    (void)fail(http, 400);
    return CVG_HTTP_BAD;
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
    return http->begun;
}

void cvg_http_next(struct cvg_http *http)
{
    http->begun = false;
    http->head_len = 0;
    http->request = (struct cvg_http_request){.method = CVG_HTTP_OTHER};
    cvg_buffer_clear(&http->body);
    start(http);
}

const char *cvg_http_phrase(unsigned status)
{
    static const struct {
        unsigned status;
        const char *phrase;
    } phrases[] = {
        {200, "OK"},
        {303, "See Other"},
        {400, "Bad Request"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {413, "Payload Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {503, "Service Unavailable"},
    };
    for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return "Error";
}

enum cvg_error cvg_http_head(unsigned status, bool http_1_0, bool keep_alive,
                             const char *content_type, size_t content_len, unsigned retry_after_s,
                             struct cvg_buffer *ret_head)
{
    cvg_buffer_printf(ret_head, "HTTP/1.%d %u %s\r\nServer: converge-notaryd\r\n", http_1_0 ? 0 : 1,
                      status, cvg_http_phrase(status));
    if (content_type != NULL)
        cvg_buffer_printf(ret_head, "Content-Type: %s\r\n", content_type);
    if (status == 405)
        cvg_buffer_put_text(ret_head, "Allow: GET, POST\r\n");
    if (retry_after_s > 0)
        cvg_buffer_printf(ret_head, "Retry-After: %u\r\n", retry_after_s);
    return cvg_buffer_printf(ret_head, "Content-Length: %zu\r\nConnection: %s\r\n\r\n", content_len,
                             keep_alive ? "keep-alive" : "close");
}
