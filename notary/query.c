/* SPDX-License-Identifier: MIT */
/* Answers requests from what memory and probes say. */
#include "notary/query.h"

#include <stdlib.h>
#include <string.h>

#include "notary/inquiry.h"
#include "notary/opinions.h"
#include "notary/route.h"
#include "notary/starttls.h"

static const char json_type[] = "application/json";
static const char bundle_type[] = "application/json";
static const char html_type[] = "text/html";

/* One target of a query. */
struct part {
    struct cvg_query *query;
    struct cvg_inquiry *inquiry; /* under way, or NULL */
    struct cvg_finding finding;
};

struct cvg_query {
    struct cvg_worker *worker;
    struct cvg_connection *connection;
    bool v1;
    bool starting; /* the answer must wait for the rest of the targets to be asked */
    size_t count;
    size_t waiting;
    uint64_t began_ns;
    struct part *failed; /* why the query as a whole cannot be answered */
    struct part part[];
};

static void answer_status(struct cvg_connection *connection, unsigned status)
{
    char body[128];
    int len = snprintf(body, sizeof(body), "<html><body>%u %s</body></html>\n", status,
                       cvg_http_phrase(status));
    cvg_connection_answer(connection, status, html_type, body, (size_t)len);
}

static void decline(struct cvg_connection *connection, const struct cvg_finding *finding)
{
    bool busy = finding->error == CVG_ERR_BUSY;
    cvg_connection_decline(connection, busy && finding->over_budget ? 429 : 503,
                           busy ? finding->retry_after_s : 0);
}

/* Where the answer came from, and how long it took. */
static void count_finding(struct cvg_worker *worker, const struct cvg_finding *finding,
                          uint64_t began_ns)
{
    static const enum cvg_metric sources[] = {
        [CVG_FROM_MEMORY] = CVG_METRIC_TARGETS_HIT,
        [CVG_FROM_STORE] = CVG_METRIC_TARGETS_STORE,
        [CVG_FROM_PROBE] = CVG_METRIC_TARGETS_MISS,
    };
    if (finding->error != CVG_OK)
        return;
    cvg_metrics_add(worker->metrics, sources[finding->source], 1);
    cvg_metrics_time(worker->metrics,
                     finding->source == CVG_FROM_MEMORY ? CVG_TIMING_HIT : CVG_TIMING_MISS,
                     (uv_hrtime() - began_ns) / 1000);
}

static unsigned v1_status(const struct cvg_settings *settings, const struct cvg_finding *finding)
{
    return cvg_opinions_v1_status(settings->v1_verdict, settings->verifiers, finding->status,
                                  finding->found, finding->opinion);
}

/* The answer about a single target; takes the finding's body. */
static void answer_one(const struct cvg_worker *worker, struct cvg_connection *connection, bool v1,
                       const struct cvg_finding *finding)
{
    const struct cvg_settings *settings = &worker->settings;
    if (finding->error != CVG_OK)
        decline(connection, finding);
    else if (!v1)
        cvg_connection_answer_blob(connection, 200, CVG_V2_CONTENT_TYPE, finding->body);
    else if (finding->body != NULL)
        cvg_connection_answer_blob(connection, v1_status(settings, finding), json_type,
                                   finding->body);
    else
        answer_status(connection, v1_status(settings, finding));
    cvg_blob_unref(finding->body);
}

static struct cvg_query *new_query(struct cvg_worker *worker, struct cvg_connection *connection,
                                   size_t count)
{
    struct cvg_query *query = calloc(1, sizeof(*query) + count * sizeof(struct part));
    if (query == NULL)
        return NULL;
    query->worker = worker;
    query->connection = connection;
    query->count = count;
    query->began_ns = uv_hrtime();
    for (size_t i = 0; i < count; i++)
        query->part[i].query = query;
    return query;
}

void cvg_query_cancel(struct cvg_query *query)
{
    if (query == NULL)
        return;
    for (size_t i = 0; i < query->count; i++) {
        cvg_inquiry_cancel(query->part[i].inquiry);
        cvg_blob_unref(query->part[i].finding.body);
    }
    free(query);
}

/* Puts the items of all parts into one body. */
static void answer_many(struct cvg_query *query)
{
    struct cvg_buffer body;
    cvg_buffer_init(&body, CVG_V2_ANSWER_MAX);
    enum cvg_error err = cvg_v2_answer_begin(query->count, &body);
    for (size_t i = 0; err == CVG_OK && i < query->count; i++) {
        const struct cvg_blob *one = query->part[i].finding.body;
        err =
            cvg_buffer_put(&body, one->octets + CVG_ANSWER_V2_ITEM, one->len - CVG_ANSWER_V2_ITEM);
    }
    if (err == CVG_OK)
        cvg_connection_answer(query->connection, 200, CVG_V2_CONTENT_TYPE, body.data, body.len);
    else
        answer_status(query->connection, 503);
    cvg_buffer_free(&body);
}

/* Answers once nothing is under way any more. */
static bool finish_if_done(struct cvg_query *query)
{
    if (query->starting || (query->waiting > 0 && query->failed == NULL))
        return false;
    if (query->failed != NULL) {
        decline(query->connection, &query->failed->finding);
    } else if (query->count == 1) {
        struct cvg_finding *finding = &query->part[0].finding;
        answer_one(query->worker, query->connection, query->v1, finding);
        finding->body = NULL;
    } else {
        answer_many(query);
    }
    cvg_query_cancel(query);
    return true;
}

static void take(struct part *part, const struct cvg_finding *finding)
{
    struct cvg_query *query = part->query;
    part->finding = *finding;
    count_finding(query->worker, finding, query->began_ns);
    if (finding->error != CVG_OK && query->failed == NULL)
        query->failed = part;
}

static void found(const struct cvg_finding *finding, void *user)
{
    struct part *part = user;
    struct cvg_query *query = part->query;
    part->inquiry = NULL;
    query->waiting--;
    take(part, finding);
    (void)finish_if_done(query);
}

static void inquire(struct part *part, const struct cvg_asked *question)
{
    struct cvg_finding finding;
    struct cvg_query *query = part->query;
    part->inquiry = cvg_inquiry_start(query->worker->inquirer, question, found, part, &finding);
    if (part->inquiry == NULL)
        take(part, &finding);
    else
        query->waiting++;
}

/* A single target: without any state of its own where memory has the answer. */
static struct cvg_query *ask_one(struct cvg_worker *worker, struct cvg_connection *connection,
                                 const struct cvg_asked *question)
{
    struct cvg_finding finding;
    uint64_t began_ns = uv_hrtime();
    if (cvg_inquiry_try(worker->inquirer, question, &finding)) {
        count_finding(worker, &finding, began_ns);
        answer_one(worker, connection, question->v1, &finding);
        return NULL;
    }
    struct cvg_query *query = new_query(worker, connection, 1);
    if (query == NULL) {
        answer_status(connection, 503);
        return NULL;
    }
    query->v1 = question->v1;
    inquire(&query->part[0], question);
    return finish_if_done(query) ? NULL : query;
}

static struct cvg_query *start_v1(struct cvg_worker *worker, struct cvg_connection *connection,
                                  const struct cvg_route *route)
{
    struct cvg_asked question = {
        .endpoint = &route->target,
        .hint = CVG_STARTTLS_AUTO,
        .v1 = true,
        .wanted = {.len = route->have_sha1 ? CVG_SHA1_LEN : 0},
        .client = cvg_connection_client(connection),
    };
    if (route->have_sha1)
        memcpy(question.wanted.digest, route->sha1, CVG_SHA1_LEN);
    return ask_one(worker, connection, &question);
}

static struct cvg_asked question_v2(struct cvg_connection *connection,
                                    const struct cvg_v2_target *target)
{
    struct cvg_asked question = {
        .endpoint = &target->endpoint,
        .hint = target->hint,
        .wanted = {.len = CVG_SHA256_LEN},
        .client = cvg_connection_client(connection),
    };
    memcpy(question.wanted.digest, target->leaf_sha256, CVG_SHA256_LEN);
    return question;
}

/* A notary stands aside where it does not know how TLS begins. */
static void stand_aside(struct part *part, const struct cvg_asked *question)
{
    struct cvg_finding finding = {.status = CVG_V2_ASIDE};
    finding.error = cvg_answer_aside(&part->query->worker->answerer, question->endpoint,
                                     question->hint, &finding.body);
    take(part, &finding);
}

static struct cvg_query *start_v2(struct cvg_worker *worker, struct cvg_connection *connection,
                                  const struct cvg_v2_request *request)
{
    bool known = cvg_starttls_known(request->target[0].hint);
    if (request->count == 1 && known) {
        struct cvg_asked question = question_v2(connection, &request->target[0]);
        return ask_one(worker, connection, &question);
    }
    struct cvg_query *query = new_query(worker, connection, request->count);
    if (query == NULL) {
        answer_status(connection, 503);
        return NULL;
    }
    query->starting = true;
    for (size_t i = 0; query->failed == NULL && i < request->count; i++) {
        struct cvg_asked question = question_v2(connection, &request->target[i]);
        if (cvg_starttls_known(question.hint))
            inquire(&query->part[i], &question);
        else
            stand_aside(&query->part[i], &question);
    }
    query->starting = false;
    return finish_if_done(query) ? NULL : query;
}

static void answer_bundle(struct cvg_connection *connection, const struct cvg_buffer *bundle)
{
    if (bundle->len == 0)
        answer_status(connection, 404);
    else
        cvg_connection_answer(connection, 200, bundle_type, bundle->data, bundle->len);
}

/* Takes the targets asked about from the client's budget, or declines the request. */
static bool within_budget(struct cvg_worker *worker, struct cvg_connection *connection,
                          size_t targets)
{
    struct cvg_budget_client *client = cvg_connection_client(connection);
    unsigned wait_s = 0;
    for (size_t i = 0; i < targets && wait_s == 0; i++)
        wait_s = cvg_budget_query(worker->budget, client, uv_now(&worker->loop));
    if (wait_s > 0)
        cvg_connection_decline(connection, 429, wait_s);
    return wait_s == 0;
}

static void count_request(struct cvg_worker *worker, enum cvg_route_kind kind)
{
    cvg_metrics_add(worker->metrics,
                    kind == CVG_ROUTE_V1   ? CVG_METRIC_REQUESTS_V1
                    : kind == CVG_ROUTE_V2 ? CVG_METRIC_REQUESTS_V2
                                           : CVG_METRIC_REQUESTS_OTHER,
                    1);
}

struct cvg_query *cvg_query_start(struct cvg_worker *worker, struct cvg_connection *connection,
                                  const struct cvg_http_request *request)
{
    struct cvg_route route;
    cvg_route_find(request, &route);
    count_request(worker, route.kind);
    switch (route.kind) {
    case CVG_ROUTE_V1:
        return within_budget(worker, connection, 1) ? start_v1(worker, connection, &route) : NULL;
    case CVG_ROUTE_V2:
        return within_budget(worker, connection, route.v2.count)
                   ? start_v2(worker, connection, &route.v2)
                   : NULL;
    case CVG_ROUTE_BUNDLE:
        answer_bundle(connection, &worker->identity->bundle);
        return NULL;
    case CVG_ROUTE_BUNDLE_V1:
        answer_bundle(connection, &worker->identity->bundle_v1);
        return NULL;
    case CVG_ROUTE_PROBLEM:
        if (route.allow != NULL)
            cvg_connection_refuse_method(connection, route.allow);
        else
            answer_status(connection, route.status);
        return NULL;
    }
    return NULL;
}
