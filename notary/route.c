/* SPDX-License-Identifier: MIT */
/* What an HTTP request asks a notary for. */
#include "notary/route.h"

#include <string.h>

static const char v1_prefix[] = "/target/";

static bool path_is(const struct cvg_http_request *request, const char *path)
{
    return request->path_len == strlen(path) && memcmp(request->path, path, request->path_len) == 0;
}

/* HEAD is a GET whose answer has no body. */
static bool is_get(const struct cvg_http_request *request)
{
    return request->method == CVG_HTTP_GET || request->method == CVG_HTTP_HEAD;
}

static void problem(struct cvg_route *route, unsigned status)
{
    route->kind = CVG_ROUTE_PROBLEM;
    route->status = status;
}

static void wrong_method(struct cvg_route *route, const char *allow)
{
    problem(route, 405);
    route->allow = allow;
}

static void route_v1(const struct cvg_http_request *request, struct cvg_route *route)
{
    const char *query = memchr(request->path, '?', request->path_len);
    size_t len = query == NULL ? request->path_len : (size_t)(query - request->path);
    route->kind = CVG_ROUTE_V1;
    if (!is_get(request) && request->method != CVG_HTTP_POST)
        wrong_method(route, "GET, HEAD, POST");
    else if (cvg_v1_path_parse(request->path, len, &route->target, NULL) != CVG_OK)
        problem(route, 400);
    else if (request->method == CVG_HTTP_POST) {
        if (cvg_v1_body_parse((const char *)request->body, request->body_len, route->sha1, NULL) !=
            CVG_OK)
            problem(route, 400);
        route->have_sha1 = true;
    }
}

static void route_v2(const struct cvg_http_request *request, struct cvg_route *route)
{
    route->kind = CVG_ROUTE_V2;
    if (request->method != CVG_HTTP_POST)
        wrong_method(route, "POST");
    else if (cvg_v2_request_parse(request->body, request->body_len, &route->v2, NULL) != CVG_OK)
        problem(route, 400);
}

static void route_bundle(const struct cvg_http_request *request, enum cvg_route_kind kind,
                         struct cvg_route *route)
{
    route->kind = kind;
    if (!is_get(request))
        wrong_method(route, "GET, HEAD");
}

void cvg_route_find(const struct cvg_http_request *request, struct cvg_route *ret_route)
{
    size_t prefix_len = sizeof(v1_prefix) - 1;
    ret_route->kind = CVG_ROUTE_PROBLEM;
    ret_route->status = 0;
    ret_route->allow = NULL;
    ret_route->have_sha1 = false;
    if (path_is(request, CVG_V2_PATH))
        route_v2(request, ret_route);
    else if (request->path_len >= prefix_len && memcmp(request->path, v1_prefix, prefix_len) == 0)
        route_v1(request, ret_route);
    else if (path_is(request, CVG_PATH_BUNDLE))
        route_bundle(request, CVG_ROUTE_BUNDLE, ret_route);
    else if (path_is(request, CVG_PATH_BUNDLE_V1))
        route_bundle(request, CVG_ROUTE_BUNDLE_V1, ret_route);
    else if (request->method == CVG_HTTP_OTHER || request->method == CVG_HTTP_CONNECT)
        wrong_method(ret_route, CVG_HTTP_METHODS);
    else
        problem(ret_route, 404);
}

enum cvg_error cvg_route_relay(const char *text, size_t len, struct cvg_endpoint *ret_endpoint)
{
    size_t split = len;
    unsigned port = 0;
    while (split > 0 && text[split - 1] >= '0' && text[split - 1] <= '9')
        split--;
    if (split == 0 || split == len || len - split > 5 ||
        (text[split - 1] != '+' && text[split - 1] != ':'))
        return CVG_ERR_SYNTAX;
    for (size_t i = split; i < len; i++)
        port = port * 10 + (unsigned)(text[i] - '0');
    return cvg_endpoint_set(text, split - 1, port, ret_endpoint, NULL);
}
