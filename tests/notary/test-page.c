/* SPDX-License-Identifier: MIT */
/* The status page and the operator's answers, without sockets: every place of the template is
 * known, everything is escaped, numbers are readable, the history is an hour long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "notary/admin-answer.h"
#include "notary/page-text.h"
#include "notary/page.h"

#define START_MS UINT64_C(1000000)
#define STEP_MS  (CVG_HISTORY_STEP_S * UINT64_C(1000))

static struct cvg_status status;
static struct cvg_history *history;
static struct cvg_buffer text;

static int set_up(void **state)
{
    (void)state;
    status = (struct cvg_status){
        .about = {.name = "alpha", .not_after_s = 1800000000 + 10 * 86400 + 5},
        .workers = 2,
        .workers_answering = 2,
        .started_s = 1800000000 - 90061,
        .now_s = 1800000000,
    };
    cvg_buffer_init(&text, CVG_PAGE_MAX);
    return cvg_history_new(START_MS, &history) == CVG_OK ? 0 : 1;
}

static int tear_down(void **state)
{
    (void)state;
    cvg_history_free(history);
    cvg_buffer_free(&text);
    return 0;
}

static void fill(const char *page_template, uint64_t now_ms, enum cvg_error expected)
{
    cvg_buffer_clear(&text);
    assert_int_equal(cvg_page_write(page_template, &status, history, now_ms, &text), expected);
}

static void becomes(const char *page_template, const char *expected)
{
    fill(page_template, START_MS, CVG_OK);
    assert_string_equal((const char *)text.data, expected);
}

static void every_place_is_known(void **state)
{
    (void)state;
    fill((const char *)cvg_page_template, START_MS, CVG_OK);
    assert_null(strstr((const char *)text.data, "{{"));
    assert_non_null(strstr((const char *)text.data, "</html>"));
    fill("{{nonsense}}", START_MS, CVG_ERR_NOT_FOUND);
    fill("{{requests_v1.nonsense}}", START_MS, CVG_ERR_NOT_FOUND);
    fill("{{hit.p51}}", START_MS, CVG_ERR_NOT_FOUND);
    fill("{{chart.requests.nonsense}}", START_MS, CVG_ERR_NOT_FOUND);
    fill("{{chart.requests}}", START_MS, CVG_ERR_NOT_FOUND);
    fill("{{chart.}}", START_MS, CVG_ERR_NOT_FOUND);
    fill("{{}}", START_MS, CVG_ERR_NOT_FOUND);
}

static void everything_is_escaped(void **state)
{
    (void)state;
    strcpy(status.about.operator_name, "<script>\"'&{{name}}");
    becomes("{{operator}}", "&lt;script&gt;&quot;&#39;&amp;{{name}}");
}

static void single_texts(void **state)
{
    (void)state;
    becomes("{{name}} {{health}} {{health.class}} {{uptime}} {{certificate.left}} {{region}}",
            "alpha ok ok 1 d 1 h 10 not given");
    status.store = "redis";
    becomes("{{health}}, {{health.class}}, {{store.state}}",
            "degraded: the store (redis) is away, degraded, away");
    status.about.not_after_s = 0;
    becomes("{{certificate.left}} {{certificate.until}}", "not known not known");
    becomes("{{now}} {{workers}} {{recent}}", "2027-01-15 08:00 UTC 2 of 2 last 0 s");
    becomes("{{hidden.store}}{{hidden.bundle}}{{hidden.bundle_v1}}", "hiddenhidden");
}

static void words(void **state)
{
    (void)state;
    cvg_text_count(&text, INT64_C(-1234567));
    cvg_text_count(&text, 999);
    cvg_buffer_put_text(&text, " ");
    cvg_text_duration(&text, 999);
    cvg_text_duration(&text, 1500);
    cvg_text_duration(&text, 250000);
    cvg_text_duration(&text, 2500000);
    cvg_text_duration(&text, 0);
    cvg_buffer_put_text(&text, " ");
    cvg_text_span(&text, 59);
    cvg_text_span(&text, 60);
    cvg_text_span(&text, 3660);
    cvg_buffer_put_text(&text, " ");
    cvg_text_octets(&text, 1023);
    cvg_text_octets(&text, 1536);
    cvg_text_octets(&text, INT64_C(300) << 20);
    cvg_text_octets(&text, -1);
    cvg_buffer_put_text(&text, " ");
    cvg_text_rate(&text, 0.256);
    cvg_text_rate(&text, 12.34);
    cvg_text_rate(&text, 1234.5);
    cvg_buffer_put_text(&text, " ");
    cvg_text_share(&text, 1, 3);
    cvg_text_share(&text, 0, 0);
    assert_string_equal((const char *)text.data,
                        "-1,234,567999 999 \xc2\xb5s1.5 ms250 ms2.50 s\xe2\x80\x93 59 s1 min1 h 1 "
                        "min 1023 B1.5 KiB300 MiBnot known 0.2612.31,235 33.3 %\xe2\x80\x93");
}

static void add(unsigned step, int64_t requests)
{
    status.sum.value[CVG_METRIC_REQUESTS_V2] = requests;
    cvg_history_add(history, &status.sum, START_MS + step * STEP_MS);
}

static void rates(void **state)
{
    (void)state;
    add(1, 100);
    add(2, 100);
    assert_int_equal(cvg_history_steps(history), 2);
    assert_true(cvg_history_rate(history, 0, CVG_METRIC_REQUESTS_V2) == 10);
    assert_true(cvg_history_rate(history, 1, CVG_METRIC_REQUESTS_V2) == 0);
    becomes("{{chart.requests.now}} {{chart.requests.top}}", "5.00 10.0");
    becomes("{{chart.requests.line}} {{chart.requests.area}}",
            "M359,0.0 360,30.0 M359,60 L359,0.0 360,30.0 360,60 Z");
}

static void charts_without_anything(void **state)
{
    (void)state;
    becomes("{{chart.hits.line}} {{chart.hits.now}} {{chart.hits.top}}", "M360,60 0 % 100 %");
    add(1, 0);
    becomes("{{chart.requests.line}} {{chart.requests.top}}", "M360,60.0 0.00");
}

static void recent_is_an_hour(void **state)
{
    (void)state;
    for (unsigned step = 1; step <= CVG_HISTORY_STEPS + 5; step++)
        add(step, step);
    assert_int_equal(cvg_history_steps(history), CVG_HISTORY_STEPS);
    status.sum.value[CVG_METRIC_REQUESTS_V2] = 1000;
    status.sum.timing[CVG_TIMING_HIT].bucket[0] = 2;
    fill("{{requests_v2}} {{requests_v2.recent}} {{recent}} {{hit.count}} {{hit.p99}}",
         START_MS + (CVG_HISTORY_STEPS + 5) * STEP_MS, CVG_OK);
    assert_string_equal((const char *)text.data, "1,000 995 last hour 2 15 \xc2\xb5s");
}

static void policy(void **state)
{
    (void)state;
    assert_int_equal(cvg_page_policy("<style>a</style><script>b</script>", &text), CVG_OK);
    assert_string_equal(
        (const char *)text.data,
        "default-src 'none'; style-src 'sha256-ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs='; "
        "script-src 'sha256-PiPoFgA5WUoziU9lZOGxNIu9egCI1CxKy3PurtWcAJ0='; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    cvg_buffer_clear(&text);
    assert_int_equal(cvg_page_policy("<style>a", &text), CVG_ERR_NOT_FOUND);
}

static void give_status(void *user, struct cvg_status *ret_status)
{
    (void)user;
    *ret_status = status;
}

static const struct cvg_buffer *give_bundle(void *user, bool v1)
{
    static uint8_t octets[] = "{}";
    static const struct cvg_buffer bundle = {.data = octets, .len = 2}, none;
    (void)user;
    return v1 ? &none : &bundle;
}

static int64_t wall_s(void *user)
{
    (void)user;
    return 784111777;
}

/* The answer to the request, body and all. */
static const char *ask(const char *request)
{
    static const struct cvg_clock clock = {.wall_s = wall_s};
    const struct cvg_admin_source source = {
        .status = give_status, .bundle = give_bundle, .clock = &clock};
    struct cvg_http *http = NULL;
    size_t taken = 0;
    assert_int_equal(cvg_http_new(&http), CVG_OK);
    assert_int_equal(cvg_http_feed(http, request, strlen(request), &taken), CVG_HTTP_COMPLETE);
    cvg_buffer_clear(&text);
    assert_int_equal(cvg_admin_answer(&source, history, START_MS, cvg_http_request(http), &text),
                     CVG_OK);
    cvg_http_free(http);
    return (const char *)text.data;
}

static void has(const char *answer, const char *status_line, const char *part)
{
    assert_memory_equal(answer, status_line, strlen(status_line));
    if (strstr(answer, part) == NULL)
        fail_msg("no %s in %s", part, answer);
}

static void answers(void **state)
{
    (void)state;
    has(ask("GET / HTTP/1.0\r\n\r\n"), "HTTP/1.1 200 ", "<h1>alpha</h1>");
    has(ask("GET / HTTP/1.0\r\n\r\n"), "HTTP/1.1 200 ", "style-src 'sha256-");
    has(ask("GET /metrics?x=1 HTTP/1.0\r\n\r\n"), "HTTP/1.1 200 ", "\nconverge_notary_workers 2\n");
    has(ask("GET /metrics HTTP/1.0\r\n\r\n"), "HTTP/1.1 200 ",
        "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
    has(ask("GET /healthz HTTP/1.0\r\n\r\n"), "HTTP/1.1 200 ", "\r\n\r\nok\n");
    status.workers_answering = 0;
    has(ask("GET /healthz HTTP/1.0\r\n\r\n"), "HTTP/1.1 503 ", "2 of 2 workers do not answer\n");
    has(ask("GET /bundle.notary HTTP/1.0\r\n\r\n"), "HTTP/1.1 200 ", "\r\n\r\n{}");
    has(ask("GET /bundle-v1.notary HTTP/1.0\r\n\r\n"), "HTTP/1.1 404 ", "Not Found\n");
    has(ask("GET /metricsx HTTP/1.0\r\n\r\n"), "HTTP/1.1 404 ", "default-src 'none'\r\n");
    has(ask("POST / HTTP/1.0\r\nContent-Length: 0\r\n\r\n"), "HTTP/1.1 405 ",
        "Allow: GET, HEAD\r\n");
    has(ask("GET /metrics HTTP/1.0\r\n\r\n"), "HTTP/1.1 200 ",
        "\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    has(ask("DELETE /metrics HTTP/1.0\r\n\r\n"), "HTTP/1.1 405 ", "Connection: close\r\n");
}

static void head_has_no_body(void **state)
{
    (void)state;
    const char *answer = ask("HEAD /healthz HTTP/1.0\r\n\r\n");
    has(answer, "HTTP/1.1 200 ", "Content-Length: 3\r\n");
    assert_string_equal(answer + strlen(answer) - 4, "\r\n\r\n");
    answer = ask("HEAD /nothing HTTP/1.0\r\n\r\n");
    has(answer, "HTTP/1.1 404 ", "Content-Length: 10\r\n");
    assert_string_equal(answer + strlen(answer) - 4, "\r\n\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_place_is_known, set_up, tear_down),
        cmocka_unit_test_setup_teardown(everything_is_escaped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(single_texts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(words, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rates, set_up, tear_down),
        cmocka_unit_test_setup_teardown(charts_without_anything, set_up, tear_down),
        cmocka_unit_test_setup_teardown(recent_is_an_hour, set_up, tear_down),
        cmocka_unit_test_setup_teardown(policy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(answers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(head_has_no_body, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
