/* SPDX-License-Identifier: MIT */
/* What the operator's requests are answered with. */
#include "notary/admin-answer.h"

#include <string.h>

#include "notary/exposition.h"
#include "notary/http-date.h"
#include "notary/page.h"
#include "notary/route.h"

struct content {
    unsigned status;
    const char *type;
    struct cvg_buffer body;
    struct cvg_buffer policy; /* a Content-Security-Policy; empty: the strictest */
};

static enum cvg_error put(const struct cvg_admin_source *source, const struct content *content,
                          bool with_body, struct cvg_buffer *answer)
{
    const struct cvg_buffer *policy = &content->policy;
    struct cvg_http_date date = {.wall_s = 0};
    cvg_buffer_printf(answer,
                      "HTTP/1.1 %u %s\r\nServer: converge-notaryd\r\n%sContent-Type: %s\r\n"
                      "Content-Length: %zu\r\nConnection: close\r\nCache-Control: no-store\r\n"
                      "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
                      "Content-Security-Policy: %s\r\n%s\r\n",
                      content->status, cvg_http_phrase(content->status),
                      cvg_http_date(&date, cvg_clock_wall_s(source->clock)), content->type,
                      content->body.len,
                      policy->len > 0 ? (const char *)policy->data : "default-src 'none'",
                      content->status == 405 ? "Allow: GET, HEAD\r\n" : "");
    if (with_body)
        cvg_buffer_put(answer, content->body.data, content->body.len);
    return cvg_buffer_error(answer);
}

static void init(struct content *content)
{
    *content = (struct content){.status = 200, .type = "text/plain; charset=utf-8"};
    cvg_buffer_init(&content->body, CVG_ADMIN_ANSWER_MAX);
    cvg_buffer_init(&content->policy, 1024);
}

static void release(struct content *content)
{
    cvg_buffer_free(&content->body);
    cvg_buffer_free(&content->policy);
}

enum cvg_error cvg_admin_decline(const struct cvg_admin_source *source, unsigned status,
                                 bool with_body, struct cvg_buffer *ret_answer)
{
    struct content content;
    init(&content);
    content.status = status;
    cvg_buffer_printf(&content.body, "%s\n", cvg_http_phrase(status));
    enum cvg_error err = put(source, &content, with_body, ret_answer);
    release(&content);
    return err;
}

struct asked {
    const struct cvg_admin_source *source;
    const struct cvg_history *history;
    uint64_t now_ms;
};

static enum cvg_error answer_page(const struct asked *asked, struct content *content)
{
    const char *page = (const char *)cvg_page_template;
    struct cvg_status status;
    asked->source->status(asked->source->user, &status);
    content->type = "text/html; charset=utf-8";
    enum cvg_error err = cvg_page_policy(page, &content->policy);
    if (err == CVG_OK)
        err = cvg_page_write(page, &status, asked->history, asked->now_ms, &content->body);
    return err;
}

static enum cvg_error answer_metrics(const struct asked *asked, struct content *content)
{
    struct cvg_status status;
    asked->source->status(asked->source->user, &status);
    content->type = CVG_EXPOSITION_TYPE;
    return cvg_exposition_write(&status, &content->body);
}

static enum cvg_error answer_health(const struct asked *asked, struct content *content)
{
    struct cvg_status status;
    asked->source->status(asked->source->user, &status);
    content->status = cvg_status_health(&status, &content->body) ? 200 : 503;
    return cvg_buffer_error(&content->body);
}

static enum cvg_error put_bundle(const struct asked *asked, bool v1, struct content *content)
{
    const struct cvg_buffer *bundle = asked->source->bundle(asked->source->user, v1);
    if (bundle->len == 0)
        return CVG_ERR_NOT_FOUND;
    content->type = "application/json";
    return cvg_buffer_put(&content->body, bundle->data, bundle->len);
}

static enum cvg_error answer_bundle(const struct asked *asked, struct content *content)
{
    return put_bundle(asked, false, content);
}

static enum cvg_error answer_bundle_v1(const struct asked *asked, struct content *content)
{
    return put_bundle(asked, true, content);
}

static const struct {
    const char *path;
    enum cvg_error (*answer)(const struct asked *asked, struct content *content);
} paths[] = {
    {"/", answer_page},
    {"/metrics", answer_metrics},
    {"/healthz", answer_health},
    {CVG_PATH_BUNDLE, answer_bundle},
    {CVG_PATH_BUNDLE_V1, answer_bundle_v1},
};

/* A query string, which some monitors append, means nothing here. */
static enum cvg_error find(const struct asked *asked, const struct cvg_http_request *request,
                           struct content *content)
{
    const char *query = memchr(request->path, '?', request->path_len);
    size_t len = query == NULL ? request->path_len : (size_t)(query - request->path);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        if (strlen(paths[i].path) == len && memcmp(paths[i].path, request->path, len) == 0)
            return paths[i].answer(asked, content);
    return CVG_ERR_NOT_FOUND;
}

enum cvg_error cvg_admin_answer(const struct cvg_admin_source *source,
                                const struct cvg_history *history, uint64_t now_ms,
                                const struct cvg_http_request *request,
                                struct cvg_buffer *ret_answer)
{
    const struct asked asked = {.source = source, .history = history, .now_ms = now_ms};
    bool with_body = request->method != CVG_HTTP_HEAD;
    struct content content;
    if (with_body && request->method != CVG_HTTP_GET)
        return cvg_admin_decline(source, 405, true, ret_answer);
    init(&content);
    enum cvg_error err = find(&asked, request, &content);
    if (err == CVG_ERR_NOT_FOUND)
        err = cvg_admin_decline(source, 404, with_body, ret_answer);
    else if (err == CVG_OK)
        err = put(source, &content, with_body, ret_answer);
    release(&content);
    return err;
}
