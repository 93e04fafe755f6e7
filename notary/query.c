/* SPDX-License-Identifier: MIT */
/* Answers requests from what memory and probes say. */
#include "notary/query.h"

#include <stdlib.h>
#include <string.h>

#include "notary/route.h"

static const char json_type[] = "application/json";
static const char bundle_type[] = "application/json";
static const char html_type[] = "text/html";

/* One target of a query. */
struct part {
    struct cvg_query *query;
    struct cvg_inquiry *inquiry; /* under way, or NULL */
    struct cvg_buffer item;      /* version 2: its signed statement */
};

struct cvg_query {
    struct cvg_worker *worker;
    struct cvg_connection *connection;
    bool v1;
    bool have_sha1;
    bool starting;         /* the answer must wait for the rest of the targets to be asked */
    enum cvg_error failed; /* why the query as a whole cannot be answered */
    unsigned v1_status;
    size_t count;
    size_t waiting;
    struct part part[];
};

static void answer_status(struct cvg_connection *connection, unsigned status)
{
    char body[128];
    int len = snprintf(body, sizeof(body), "<html><body>%u %s</body></html>\n", status,
                       cvg_http_phrase(status));
    cvg_connection_answer(connection, status, html_type, body, (size_t)len);
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
    for (size_t i = 0; i < count; i++) {
        query->part[i].query = query;
        cvg_buffer_init(&query->part[i].item, CVG_V2_STATEMENT_MAX + 2 * CVG_SIGNATURE_MAX);
    }
    return query;
}

void cvg_query_cancel(struct cvg_query *query)
{
    if (query == NULL)
        return;
    for (size_t i = 0; i < query->count; i++) {
        cvg_inquiry_cancel(query->part[i].inquiry);
        cvg_buffer_free(&query->part[i].item);
    }
    free(query);
}

static unsigned status_of_failure(enum cvg_error err)
{
    return err == CVG_ERR_BUSY ? 429 : 503;
}

static void finish_v1(struct cvg_query *query)
{
    const struct cvg_buffer *json = &query->part[0].item;
    if (query->v1_status == 200 || query->v1_status == 409)
        cvg_connection_answer(query->connection, query->v1_status, json_type, json->data,
                              json->len);
    else
        answer_status(query->connection, query->v1_status);
}

static void finish_v2(struct cvg_query *query)
{
    struct cvg_buffer body;
    cvg_buffer_init(&body, CVG_V2_ANSWER_MAX);
    enum cvg_error err = cvg_v2_answer_begin(query->count, &body);
    for (size_t i = 0; err == CVG_OK && i < query->count; i++)
        err = cvg_buffer_put(&body, query->part[i].item.data, query->part[i].item.len);
    if (err == CVG_OK)
        cvg_connection_answer(query->connection, 200, CVG_V2_CONTENT_TYPE, body.data, body.len);
    else
        answer_status(query->connection, 503);
    cvg_buffer_free(&body);
}

/* Answers once nothing is under way any more. */
static bool finish_if_done(struct cvg_query *query)
{
    if (query->starting || (query->waiting > 0 && query->failed == CVG_OK))
        return false;
    if (query->failed != CVG_OK)
        answer_status(query->connection, status_of_failure(query->failed));
    else if (query->v1)
        finish_v1(query);
    else
        finish_v2(query);
    cvg_query_cancel(query);
    return true;
}

static void take_v1(struct cvg_query *query, const struct cvg_finding *finding, struct part *part)
{
    if (finding->status == CVG_V2_SEEN)
        query->v1_status = finding->found ? 200 : 409;
    else
        query->v1_status = finding->status == CVG_V2_ASIDE ? 303 : 503;
    if (finding->status == CVG_V2_SEEN)
        query->failed = cvg_answer_v1(&query->worker->answerer, finding->target, &part->item);
}

static void take(struct part *part, const struct cvg_finding *finding)
{
    struct cvg_query *query = part->query;
    if (query->v1) {
        take_v1(query, finding, part);
        return;
    }
    enum cvg_error err = cvg_answer_v2(&query->worker->answerer, finding, &part->item);
    if (err != CVG_OK)
        query->failed = err;
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

static enum cvg_error inquire(struct cvg_query *query, struct part *part,
                              const struct cvg_endpoint *endpoint, uint8_t hint,
                              const struct cvg_wanted *wanted)
{
    struct cvg_finding finding;
    enum cvg_error err = cvg_inquiry_start(query->worker->inquirer, endpoint, hint, wanted,
                                           cvg_connection_client(query->connection), found, part,
                                           &finding, &part->inquiry);
    if (err != CVG_OK)
        return err;
    if (part->inquiry == NULL)
        take(part, &finding);
    else
        query->waiting++;
    return CVG_OK;
}

/* Ends the starting phase; NULL if the query is answered already. */
static struct cvg_query *started(struct cvg_query *query, enum cvg_error err)
{
    query->starting = false;
    if (err != CVG_OK)
        query->failed = err;
    return finish_if_done(query) ? NULL : query;
}

static struct cvg_query *start_v1(struct cvg_worker *worker, struct cvg_connection *connection,
                                  const struct cvg_route *route)
{
    struct cvg_wanted wanted = {.len = route->have_sha1 ? CVG_SHA1_LEN : 0};
    struct cvg_query *query = new_query(worker, connection, 1);
    if (query == NULL) {
        answer_status(connection, 503);
        return NULL;
    }
    memcpy(wanted.digest, route->sha1, CVG_SHA1_LEN);
    query->v1 = true;
    query->starting = true;
    return started(query,
                   inquire(query, &query->part[0], &route->target, CVG_STARTTLS_AUTO, &wanted));
}

static struct cvg_query *start_v2(struct cvg_worker *worker, struct cvg_connection *connection,
                                  const struct cvg_v2_request *request)
{
    struct cvg_query *query = new_query(worker, connection, request->count);
    enum cvg_error err = CVG_OK;
    if (query == NULL) {
        answer_status(connection, 503);
        return NULL;
    }
    query->starting = true;
    for (size_t i = 0; err == CVG_OK && i < request->count; i++) {
        const struct cvg_v2_target *target = &request->target[i];
        struct cvg_wanted wanted = {.len = CVG_SHA256_LEN};
        memcpy(wanted.digest, target->leaf_sha256, CVG_SHA256_LEN);
        if (cvg_starttls_known(target->hint))
            err = inquire(query, &query->part[i], &target->endpoint, target->hint, &wanted);
        else
            err = cvg_answer_aside(&worker->answerer, &target->endpoint, target->hint,
                                   &query->part[i].item);
    }
    return started(query, err);
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

struct cvg_query *cvg_query_start(struct cvg_worker *worker, struct cvg_connection *connection,
                                  const struct cvg_http_request *request)
{
    struct cvg_route route;
    cvg_route_find(request, &route);
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
        answer_status(connection, route.status);
        return NULL;
    }
    return NULL;
}
