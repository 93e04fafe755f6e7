/* SPDX-License-Identifier: MIT */
/* What is counted, added up and told: histograms' buckets and quantiles, health, and the text that
 * Prometheus reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "notary/exposition.h"

static struct cvg_metrics_sum sum_of(const struct cvg_metrics *metrics)
{
    struct cvg_metrics_sum sum = {.value = {0}};
    cvg_metrics_add_up(metrics, &sum);
    return sum;
}

static void buckets_hold_their_upper_bound(void **state)
{
    static struct cvg_metrics metrics;
    (void)state;
    cvg_metrics_time(&metrics, CVG_TIMING_HIT, 0);
    cvg_metrics_time(&metrics, CVG_TIMING_HIT, 16);
    cvg_metrics_time(&metrics, CVG_TIMING_HIT, 17);
    cvg_metrics_time(&metrics, CVG_TIMING_HIT, 32);
    cvg_metrics_time(&metrics, CVG_TIMING_HIT, UINT64_C(16) << 22);
    cvg_metrics_time(&metrics, CVG_TIMING_HIT, (UINT64_C(16) << 22) + 1);
    struct cvg_metrics_sum sum = sum_of(&metrics);
    const struct cvg_durations *hits = &sum.timing[CVG_TIMING_HIT];
    assert_int_equal(hits->bucket[0], 2);
    assert_int_equal(hits->bucket[1], 2);
    assert_int_equal(hits->bucket[22], 1);
    assert_int_equal(hits->bucket[23], 1);
    assert_int_equal(cvg_durations_count(hits), 6);
    assert_int_equal(hits->sum_us, 65 + (UINT64_C(32) << 22) + 1);
    assert_int_equal(cvg_durations_count(&sum.timing[CVG_TIMING_MISS]), 0);
}

static void quantiles(void **state)
{
    struct cvg_durations durations = {.bucket = {0}};
    (void)state;
    assert_int_equal(cvg_durations_quantile_us(&durations, 0.5), 0);
    durations.bucket[1] = 10;
    assert_int_equal(cvg_durations_quantile_us(&durations, 0.5), 24);
    assert_int_equal(cvg_durations_quantile_us(&durations, 1), 32);
    durations.bucket[CVG_TIMING_BUCKETS - 1] = 10;
    assert_int_equal(cvg_durations_quantile_us(&durations, 0.99), UINT64_C(16) << 22);
}

static void workers_are_added_up(void **state)
{
    static struct cvg_metrics one, two;
    struct cvg_metrics_sum sum = {.value = {0}};
    (void)state;
    cvg_metrics_add(&one, CVG_METRIC_PROBES_OPEN, 5);
    cvg_metrics_add(&two, CVG_METRIC_PROBES_OPEN, -2);
    cvg_metrics_set(&two, CVG_METRIC_STORE_UP, 1);
    cvg_metrics_add_up(&one, &sum);
    cvg_metrics_add_up(&two, &sum);
    assert_int_equal(sum.value[CVG_METRIC_PROBES_OPEN], 3);
    assert_int_equal(sum.value[CVG_METRIC_STORE_UP], 1);
}

static void hit_ratio(void **state)
{
    struct cvg_metrics_sum sum = {.value = {0}};
    (void)state;
    assert_true(cvg_status_hit_ratio(&sum) == 0);
    sum.value[CVG_METRIC_TARGETS_HIT] = 3;
    sum.value[CVG_METRIC_TARGETS_STORE] = 1;
    sum.value[CVG_METRIC_TARGETS_MISS] = 2;
    assert_true(cvg_status_hit_ratio(&sum) == 0.5);
}

static void health_is(const struct cvg_status *status, bool answers, const char *expected)
{
    struct cvg_buffer line;
    cvg_buffer_init(&line, 256);
    assert_int_equal(cvg_status_health(status, &line), answers);
    assert_string_equal((const char *)line.data, expected);
    cvg_buffer_free(&line);
}

static void health(void **state)
{
    struct cvg_status status = {.workers = 2, .workers_answering = 2};
    (void)state;
    health_is(&status, true, "ok\n");
    status.store = "redis";
    health_is(&status, true, "degraded: the store (redis) is away\n");
    status.store_full = true;
    health_is(&status, true, "degraded: the journal is full and nothing new is looked at\n");
    status.store_full = false;
    status.sum.value[CVG_METRIC_STORE_UP] = 1;
    health_is(&status, true, "ok\n");
    status.workers_answering = 1;
    health_is(&status, false, "failing: 1 of 2 workers do not answer\n");
    status.ending = true;
    health_is(&status, false, "failing: the notary is ending\n");
}

static void write_exposition(const struct cvg_status *status, struct cvg_buffer *ret_text)
{
    cvg_buffer_init(ret_text, CVG_EXPOSITION_MAX);
    assert_int_equal(cvg_exposition_write(status, ret_text), CVG_OK);
}

static void has_line(const struct cvg_buffer *text, const char *line)
{
    const char *found = strstr((const char *)text->data, line);
    if (found == NULL || found[strlen(line)] != '\n' || found[-1] != '\n')
        fail_msg("no line %s in\n%s", line, (const char *)text->data);
}

static void labels_are_escaped(void **state)
{
    struct cvg_status status = {.about = {.name = "a\"b\\c\nd", .operator_name = "\xc3\xa9"}};
    struct cvg_buffer text;
    (void)state;
    write_exposition(&status, &text);
    has_line(&text,
             "converge_notary_info{name=\"a\\\"b\\\\c\\nd\",region=\"\",operator=\"\xc3\xa9\","
             "store=\"none\"} 1");
    cvg_buffer_free(&text);
}

static void values(void **state)
{
    struct cvg_status status = {
        .store = "gdbm",
        .started_s = 1800000000,
        .now_s = 1800000000,
        .about = {.not_after_s = 1800000000 + 43200},
        .process = {.cpu_s = 1.5, .resident_octets = -1, .descriptors = 7, .descriptors_max = -1},
    };
    struct cvg_buffer text;
    (void)state;
    status.sum.value[CVG_METRIC_REQUESTS_V2] = INT64_C(123456789012);
    status.sum.value[CVG_METRIC_STORE_BACKLOG] = 42;
    write_exposition(&status, &text);
    has_line(&text, "# TYPE converge_notary_requests_total counter");
    has_line(&text, "converge_notary_requests_total{protocol=\"v2\"} 123456789012");
    has_line(&text, "converge_notary_store_backlog_bytes 42");
    has_line(&text, "converge_notary_certificate_days_left 0.5");
    has_line(&text, "process_start_time_seconds 1800000000");
    has_line(&text, "process_cpu_seconds_total 1.500000");
    has_line(&text, "process_open_fds 7");
    assert_null(strstr((const char *)text.data, "process_resident"));
    assert_null(strstr((const char *)text.data, "process_max_fds"));
    cvg_buffer_free(&text);
}

static void without_a_store_nothing_is_said_of_it(void **state)
{
    const struct cvg_status status = {.workers = 1};
    struct cvg_buffer text;
    (void)state;
    write_exposition(&status, &text);
    assert_null(strstr((const char *)text.data, "converge_notary_store"));
    assert_null(strstr((const char *)text.data, "certificate"));
    cvg_buffer_free(&text);
}

static void histograms_are_cumulative(void **state)
{
    struct cvg_status status = {.workers = 1};
    struct cvg_buffer text;
    (void)state;
    status.sum.timing[CVG_TIMING_PROBE] =
        (struct cvg_durations){.bucket = {1, 2, [23] = 4}, .sum_us = 1500000};
    write_exposition(&status, &text);
    has_line(&text, "converge_notary_probe_duration_seconds_bucket{le=\"1.6e-05\"} 1");
    has_line(&text, "converge_notary_probe_duration_seconds_bucket{le=\"3.2e-05\"} 3");
    has_line(&text, "converge_notary_probe_duration_seconds_bucket{le=\"67.108864\"} 3");
    has_line(&text, "converge_notary_probe_duration_seconds_bucket{le=\"+Inf\"} 7");
    has_line(&text, "converge_notary_probe_duration_seconds_sum 1.500000");
    has_line(&text, "converge_notary_probe_duration_seconds_count 7");
    has_line(&text, "converge_notary_answer_duration_seconds_count{from=\"memory\"} 0");
    cvg_buffer_free(&text);
}

/* Each has a value of its own here, and each value is in the text once. */
static void every_metric_is_told(void **state)
{
    struct cvg_status status = {.store = "gdbm"};
    struct cvg_buffer text;
    (void)state;
    for (int i = 0; i < CVG_METRICS_COUNT; i++)
        status.sum.value[i] = 70001 + i;
    write_exposition(&status, &text);
    for (int i = 0; i < CVG_METRICS_COUNT; i++) {
        char value[32];
        snprintf(value, sizeof(value), " %d\n", 70001 + i);
        const char *found = strstr((const char *)text.data, value);
        if (found == NULL || strstr(found + 1, value) != NULL)
            fail_msg("metric %d is not told once", i);
    }
    cvg_buffer_free(&text);
}

static void never_cut(void **state)
{
    const struct cvg_status status = {.workers = 1};
    struct cvg_buffer text;
    (void)state;
    cvg_buffer_init(&text, 1000);
    assert_int_equal(cvg_exposition_write(&status, &text), CVG_ERR_RANGE);
    cvg_buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_hold_their_upper_bound),
        cmocka_unit_test(quantiles),
        cmocka_unit_test(workers_are_added_up),
        cmocka_unit_test(hit_ratio),
        cmocka_unit_test(health),
        cmocka_unit_test(labels_are_escaped),
        cmocka_unit_test(values),
        cmocka_unit_test(without_a_store_nothing_is_said_of_it),
        cmocka_unit_test(histograms_are_cumulative),
        cmocka_unit_test(every_metric_is_told),
        cmocka_unit_test(never_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
