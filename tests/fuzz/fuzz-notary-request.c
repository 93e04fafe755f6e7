/* SPDX-License-Identifier: MIT */
/* A notary's HTTP requests: the first octet says in how large pieces the rest arrives. However it
 * is cut, the requests and what they ask for are the same as in one piece. */
#include "notary/route.h"
#include "tests/fuzz/fuzz.h"

#define REQUESTS_MAX 8

/* What one request came to. */
struct outcome {
    enum cvg_http_state state;
    unsigned problem;
    size_t end;
    struct cvg_route route;
    struct cvg_http_request request;
    unsigned body_sum;
};

static void look(struct cvg_http *http, struct outcome *ret_outcome)
{
    const struct cvg_http_request *request = cvg_http_request(http);
    struct cvg_endpoint endpoint;
    FUZZ_CHECK(strlen(request->path) == request->path_len);
    FUZZ_CHECK(request->path_len <= CVG_HTTP_PATH_MAX && request->body_len <= CVG_HTTP_BODY_MAX);
    cvg_route_find(request, &ret_outcome->route);
    FUZZ_CHECK(ret_outcome->route.kind != CVG_ROUTE_PROBLEM || ret_outcome->route.status >= 400);
    FUZZ_CHECK(ret_outcome->route.kind != CVG_ROUTE_V2 || ret_outcome->route.v2.count > 0);
    (void)!cvg_route_relay(request->path, request->path_len, &endpoint);
    for (size_t i = 0; i < request->alternate_count; i++)
        (void)!cvg_route_relay(request->alternate[i], strlen(request->alternate[i]), &endpoint);
    for (size_t i = 0; i < request->body_len; i++)
        ret_outcome->body_sum = ret_outcome->body_sum * 31 + request->body[i];
    ret_outcome->request = *request;
}

static size_t run(const uint8_t *data, size_t size, size_t piece, struct outcome *ret_outcomes)
{
    struct cvg_http *http = NULL;
    size_t count = 0, at = 0;
    FUZZ_CHECK(cvg_http_new(&http) == CVG_OK);
    memset(ret_outcomes, 0, REQUESTS_MAX * sizeof(*ret_outcomes));
    while (at < size && count < REQUESTS_MAX) {
        struct outcome *outcome = &ret_outcomes[count];
        size_t len = size - at < piece ? size - at : piece;
        size_t taken = 0;
        outcome->state = cvg_http_feed(http, data + at, len, &taken);
        FUZZ_CHECK(taken <= len);
        at += taken;
        outcome->end = at;
        FUZZ_CHECK(outcome->state != CVG_HTTP_COMPLETE || cvg_http_begun(http));
        FUZZ_CHECK(!cvg_http_expects(http) || outcome->state != CVG_HTTP_COMPLETE);
        if (outcome->state == CVG_HTTP_MORE)
            continue;
        count++;
        outcome->problem = cvg_http_problem(http);
        if (outcome->state == CVG_HTTP_BAD)
            break;
        look(http, outcome);
        cvg_http_next(http);
    }
    cvg_http_free(http);
    return count;
}

static bool same_route(const struct cvg_route *a, const struct cvg_route *b)
{
    if (a->kind != b->kind || a->status != b->status || a->have_sha1 != b->have_sha1 ||
        memcmp(a->sha1, b->sha1, CVG_SHA1_LEN) != 0 || a->v2.count != b->v2.count)
        return false;
    for (size_t i = 0; i < a->v2.count; i++)
        if (cvg_endpoint_cmp(&a->v2.target[i].endpoint, &b->v2.target[i].endpoint) != 0)
            return false;
    return a->kind != CVG_ROUTE_V1 || cvg_endpoint_cmp(&a->target, &b->target) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct outcome whole[REQUESTS_MAX], pieces[REQUESTS_MAX];
    if (size < 1 || size > 65536)
        return 0;
    size_t count = run(data + 1, size - 1, size, whole);
    FUZZ_CHECK(run(data + 1, size - 1, data[0] + (size_t)1, pieces) == count);
    for (size_t i = 0; i < count; i++) {
        FUZZ_CHECK(whole[i].state == pieces[i].state);
        if (whole[i].state == CVG_HTTP_BAD)
            continue;
        FUZZ_CHECK(whole[i].end == pieces[i].end);
        FUZZ_CHECK(same_route(&whole[i].route, &pieces[i].route));
        FUZZ_CHECK(whole[i].request.method == pieces[i].request.method);
        FUZZ_CHECK(whole[i].request.body_len == pieces[i].request.body_len);
        FUZZ_CHECK(whole[i].body_sum == pieces[i].body_sum);
        FUZZ_CHECK(whole[i].request.keep_alive == pieces[i].request.keep_alive);
        FUZZ_CHECK(whole[i].request.alternate_count == pieces[i].request.alternate_count);
    }
    return 0;
}
