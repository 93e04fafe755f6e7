/* SPDX-License-Identifier: MIT */
/* notary-test: asks every notary directly, past everything that is remembered. */
#include <stdlib.h>
#include <string.h>

#include "common/engine/answer.h"
#include "common/engine/commands-state.h"

/* Documentation's own address (RFC 5737): a notary of version 2 says "not public" at once, without
 * resolver or probe. One of version 1 would try it, so it is asked about itself. */
#define TARGET_DEFAULT      "192.0.2.1:443"
#define TARGET_PORT_DEFAULT 443
#define PATH_OCTETS_MAX     1024

struct test;

/* One notary under test. */
struct trial {
    struct test *test;
    size_t notary;
    struct cvg_subject subject;
    struct cvg_exchange *exchange; /* NULL: over */
    struct cvg_opinion opinion;
    uint32_t elapsed_ms;
    int64_t date_s;   /* of the answer, by the notary's clock; 0: not told */
    int64_t offset_s; /* from our clock then */
    struct cvg_timing timing;
    bool heard; /* an HTTP answer came: timing is known */
};

struct test {
    struct errand *errand;
    struct cvg_electorate *electorate;
    struct cvg_subject subject;
    bool own_target; /* none was given */
    bool fresh;      /* on connections of their own */
    uint64_t started_ms;
    struct trial trial[CVG_BUNDLES_MAX];
    size_t trials, open;
};

static uint64_t now_ms(const struct test *test)
{
    return cvg_clock_ms(test->errand->commands->agent->world.clock);
}

static json_t *timing_json(const struct cvg_timing *timing)
{
    return json_pack("{s:b, s:I, s:I, s:I, s:I}", "kept", (int)timing->kept, "name_us",
                     (json_int_t)timing->name_us, "connect_us", (json_int_t)timing->connect_us,
                     "tls_us", (json_int_t)timing->tls_us, "answer_us",
                     (json_int_t)timing->answer_us);
}

static json_t *result_of(const struct trial *trial)
{
    const struct cvg_bundle *bundle = trial->test->electorate->bundles.bundle[trial->notary];
    const struct cvg_opinion *opinion = &trial->opinion;
    bool answered = opinion->kind != CVG_VOTE_SILENT || opinion->error == CVG_ERR_REFUSED;

    json_t *result = json_pack("{s:s, s:s, s:i, s:b, s:I, s:s, s:s}", "name", bundle->name, "host",
                               bundle->host[0].host, "protocol", (int)bundle->protocol, "answered",
                               (int)answered, "elapsed_ms", (json_int_t)trial->elapsed_ms, "error",
                               answered ? "" : cvg_error_word(opinion->error), "message",
                               answered ? "" : cvg_strerror(opinion->error));

    if (answered && trial->date_s != 0)
        json_object_set_new(result, "clock_offset_s", json_integer((json_int_t)trial->offset_s));
    if (answered && trial->heard)
        json_object_set_new(result, "timing", timing_json(&trial->timing));
    return result;
}

static void free_test(struct test *test)
{
    struct cvg_transport *transport = test->errand->commands->agent->transport;

    for (size_t i = 0; i < test->trials; i++)
        if (test->trial[i].exchange != NULL)
            transport->cancel(transport, test->trial[i].exchange);
    cvg_electorate_unref(test->electorate);
    free(test);
}

static void abandon(struct errand *errand)
{
    free_test(errand->extra);
}

static void finish_if_over(struct test *test)
{
    json_t *notaries;

    if (test->open > 0)
        return;
    notaries = json_array();
    for (size_t i = 0; i < test->trials; i++)
        json_array_append_new(notaries, result_of(&test->trial[i]));
    cvg_errand_finish(test->errand, json_pack("{s:b, s:o}", "ok", 1, "notaries", notaries));
}

static void end_trial(struct trial *trial, struct cvg_opinion opinion)
{
    trial->exchange = NULL;
    trial->opinion = opinion;
    trial->elapsed_ms = (uint32_t)(now_ms(trial->test) - trial->test->started_ms);
    if (trial->date_s != 0)
        trial->offset_s =
            trial->date_s - cvg_clock_wall_s(trial->test->errand->commands->agent->world.clock);
    trial->test->open--;
}

static void on_answer(enum cvg_error err, bool relay_failed, unsigned status, const void *body,
                      size_t body_len, void *user)
{
    struct trial *trial = user;
    struct test *test = trial->test;

    (void)relay_failed;
    trial->heard = err == CVG_OK;
    end_trial(trial, cvg_opinion_of(test->electorate->bundles.bundle[trial->notary],
                                    &trial->subject, err, status, body, body_len));
    finish_if_over(test);
}

static enum cvg_error choose_subject(const struct test *test, const struct cvg_bundle *notary,
                                     struct cvg_subject *ret_subject)
{
    const struct cvg_bundle_host *host = &notary->host[0];

    *ret_subject = test->subject;
    if (!test->own_target || notary->protocol != 1)
        return CVG_OK;
    return cvg_endpoint_set(host->host, strlen(host->host), host->ssl_port, &ret_subject->endpoint,
                            NULL);
}

static void start_trial(struct test *test, size_t notary)
{
    struct cvg_agent *agent = test->errand->commands->agent;
    struct trial *trial = &test->trial[test->trials++];
    struct cvg_request request = {.notary = test->electorate->bundles.bundle[notary],
                                  .deadline_ms =
                                      test->started_ms + test->electorate->config.deadline_ms};
    struct cvg_buffer path, body;
    enum cvg_error err;

    *trial = (struct trial){.test = test, .notary = notary};
    request.ret_date_s = &trial->date_s;
    request.ret_timing = &trial->timing;
    request.fresh = test->fresh;
    test->open++;
    cvg_buffer_init(&path, PATH_OCTETS_MAX);
    cvg_buffer_init(&body, CVG_MESSAGE_MAX);
    err = choose_subject(test, request.notary, &trial->subject);
    if (err == CVG_OK)
        err = cvg_question_for_notary(request.notary, &trial->subject, &path, &body,
                                      &request.content_type, &request.answer_max);
    request.path = (const char *)path.data;
    request.body = body.data;
    request.body_len = body.len;
    if (err == CVG_OK)
        err =
            agent->transport->start(agent->transport, &request, on_answer, trial, &trial->exchange);
    if (err != CVG_OK)
        end_trial(trial, (struct cvg_opinion){.kind = CVG_VOTE_SILENT, .error = err});
    cvg_buffer_free(&path);
    cvg_buffer_free(&body);
}

static bool parse_target(struct command *command, struct cvg_subject *ret_subject)
{
    const json_t *target = json_object_get(command->body, "target");
    const char *text = target == NULL ? TARGET_DEFAULT : json_string_value(target);
    struct cvg_why why = {"target must be a text, host:port"};

    /* Any certificate will do: it is the answering that is tested. */
    *ret_subject = (struct cvg_subject){.have_leaf = true, .fingerprint.len = CVG_SHA256_LEN};
    if (text != NULL &&
        cvg_endpoint_parse(text, TARGET_PORT_DEFAULT, &ret_subject->endpoint, &why) == CVG_OK)
        return true;
    cvg_reply_error(command, "argument", why.text);
    return false;
}

static struct test *new_test(struct command *command, const struct cvg_subject *subject)
{
    struct errand *errand = cvg_errand_new(command);
    struct test *test;

    if (errand == NULL)
        return NULL;
    test = calloc(1, sizeof *test);
    if (test == NULL) {
        cvg_errand_finish(errand, NULL);
        return NULL;
    }
    test->errand = errand;
    test->electorate = cvg_electorate_ref(command->agent->electorate);
    test->subject = *subject;
    test->fresh = json_is_true(json_object_get(command->body, "fresh"));
    test->own_target = json_object_get(command->body, "target") == NULL;
    test->started_ms = cvg_clock_ms(command->agent->world.clock);
    errand->extra = test;
    errand->abandon = abandon;
    return test;
}

bool cvg_command_notary_test(struct command *command)
{
    const char *name = json_string_value(json_object_get(command->body, "name"));
    const struct cvg_bundles *bundles = &command->agent->electorate->bundles;
    struct cvg_subject subject;
    struct test *test;

    if (!parse_target(command, &subject))
        return false;
    if (!cvg_checks_charge(command->agent->checks, cvg_conn_uid(command->conn)))
        return cvg_reply_error(command, "busy", "this user has asked too much within a minute");
    test = new_test(command, &subject);
    if (test == NULL)
        return false;
    for (size_t i = 0; i < bundles->count; i++)
        if (name == NULL || strcmp(name, bundles->bundle[i]->name) == 0)
            start_trial(test, i);
    if (test->trials == 0 && name != NULL) {
        cvg_errand_finish(test->errand, json_pack("{s:b, s:s, s:s}", "ok", 0, "error", "not-found",
                                                  "message", "there is no notary of that name"));
        return false;
    }
    if (test->open > 0)
        return true;
    finish_if_over(test);
    return false;
}
